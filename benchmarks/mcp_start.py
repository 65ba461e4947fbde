"""How soon an agent that starts ``codeintel mcp`` gets its first replies.

    python benchmarks/mcp_start.py DATA_DIR [--runs 9]

Starts the server anew each time, says all that an agent says first in one go, and notes the
processor time of the server and the time by the clock until it replies to ``initialize``, to
``tools/list``, and to a first search. Prints one JSON document of medians.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from machine import machine
from server import cpu_s

MESSAGES = {
    "initialize": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "benchmark", "version": "1"},
    },
    "tools/list": {},
    "tools/call": {"name": "semantic_search", "arguments": {"query": "where is a request sent?"}},
}

Times = dict[str, tuple[float, float]]


def replies(data_dir: Path) -> Times:
    """Return processor and clock time in ms until each reply."""
    began = time.perf_counter()
    command = (sys.executable, "-P", "-m", "codeintel_rev", "mcp", "--data-dir", str(data_dir))
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "SERVER_REFRESH": "false"},
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        found = {}
        for number, (method, parameters) in enumerate(MESSAGES.items()):
            said = {"jsonrpc": "2.0", "id": number, "method": method, "params": parameters}
            server.stdin.write(json.dumps(said).encode() + b"\n")
            server.stdin.flush()
            reply = json.loads(server.stdout.readline())
            assert reply["id"] == number, reply
            assert "result" in reply, reply
            if method == "initialize":
                server.stdin.write(b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n')
            found[method] = cpu_s(server.pid) * 1000, (time.perf_counter() - began) * 1000
        server.stdin.close()
        server.wait(60)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--runs", type=int, default=9)
    options = parser.parse_args()
    result: dict[str, object] = {"machine": machine(), "runs": options.runs}
    runs = [replies(options.data_dir) for _ in range(options.runs)]
    for method in MESSAGES:
        cpu, wall = (statistics.median(run[method][part] for run in runs) for part in (0, 1))
        result[method] = {"cpu_ms": round(cpu), "wall_ms": round(wall)}
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
