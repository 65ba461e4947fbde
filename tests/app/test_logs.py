"""What is written to the log, as text and as JSON."""

from __future__ import annotations

import json
import subprocess
import sys

WRITES = """
import logging, sys
from codeintel_rev.app.logs import quiet_libraries, request_log
from codeintel_rev.config.settings import ServerConfig
log = request_log(ServerConfig(log_format=sys.argv[1]))
quiet_libraries()
try:
    raise IndexError("first\\ncodeintel: forged\\x1b[2J")
except IndexError:
    logging.getLogger("codeintel_rev.part").warning("part %d failed", 7, exc_info=True)
logging.getLogger("codeintel_rev.part").warning("%s is no file", "a\\ncodeintel: forged\\x1b[2J\\udcff")
log({"time": "T", "level": "INFO", "event": "request", "request_id": "r1", "method": "POST",
     "route": "/v1/search", "status": 200, "took_ms": 4.5, "principal": None, "trace_id": "t1", "query": "two\\nlines"})
"""


def written(form: str) -> list[str]:
    """The lines that a process leaves on standard error."""
    ran = subprocess.run(
        [sys.executable, "-c", WRITES, form], capture_output=True, text=True, check=True
    )
    return ran.stderr.splitlines()


def test_a_person_reads_a_line_a_request() -> None:
    warning, *traceback, named, request = written("text")
    assert warning == "codeintel: WARNING codeintel_rev.part: part 7 failed"
    assert traceback[-2:] == ["  IndexError: first", r"  codeintel: forged\x1b[2J"]
    assert named.endswith(r": a\ncodeintel: forged\x1b[2J\udcff is no file")
    assert request == (
        r"codeintel: T POST /v1/search 200 4.5 ms request_id=r1 trace_id=t1 query=two\nlines"
    )


def test_a_program_reads_an_object_a_line() -> None:
    warning, named, request = map(json.loads, written("json"))
    assert list(warning) == ["time", "level", "event", "logger", "message", "traceback"]
    assert (warning["level"], warning["message"]) == ("WARNING", "part 7 failed")
    assert "IndexError" in warning["traceback"]
    assert named["message"] == "a\ncodeintel: forged\x1b[2J\udcff is no file"
    assert (request["event"], request["took_ms"], request["query"]) == (
        "request",
        4.5,
        "two\nlines",
    )
