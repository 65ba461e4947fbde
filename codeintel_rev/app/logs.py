"""Where a server's log goes: lines to standard error, and no library has its own way."""

from __future__ import annotations

import atexit
import json
import logging
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from codeintel_rev.config.settings import ServerConfig
from codeintel_rev.observability.log_lines import LogLines
from codeintel_rev.observability.repeats import Repeats

if TYPE_CHECKING:
    from codeintel_rev.app.request_records import RequestLog

Format = Literal["text", "json"]
Line = dict[str, Any]

_TEXT: Final = "codeintel: %(levelname)s %(name)s: %(message)s"

_TOLD_FIRST: Final = frozenset({"time", "level", "event", "method", "route", "status", "took_ms"})


def quiet_libraries() -> None:
    """Let the MCP library log as everybody does, and only what is worth a look."""
    logging.basicConfig(format=_TEXT)
    library = logging.getLogger("fastmcp")
    for handler in list(library.handlers):
        library.removeHandler(handler)
    library.propagate = True
    library.setLevel(logging.ERROR)


def write_logs(form: Format) -> LogLines:
    """Let every logger of this process write in ``form``, without ever waiting for a reader."""
    lines = _lines(form)
    handler = _LineHandler(lines)
    handler.setFormatter(_JsonFormatter() if form == "json" else _TextFormatter(_TEXT))
    handler.addFilter(Repeats())
    root = logging.getLogger()
    for earlier in [earlier for earlier in root.handlers if isinstance(earlier, _LineHandler)]:
        root.removeHandler(earlier)
    root.addHandler(handler)
    return lines


def request_log(server: ServerConfig) -> RequestLog | None:
    """Let this process write its log as the settings say; returns what is told of each request."""
    lines = write_logs(server.log_format)
    line_of = encoded if server.log_format == "json" else _readable
    return (lambda known: lines.put(line_of(known))) if server.log_requests else None


def encoded(line: Line) -> str:
    """Return a line of the log as JSON."""
    try:
        return msgspec.json.encode(line).decode()
    except UnicodeEncodeError:  # a name or a query that is no UTF-8
        return json.dumps(line)


def _readable(line: Line) -> str:
    """Return a request as a person reads it: what, how it went, and by which ids to ask on."""
    ids = "".join(
        f" {key}={_printable(value)}"
        for key, value in line.items()
        if key not in _TOLD_FIRST and value is not None
    )
    return "codeintel: {time} {method} {route} {status} {took_ms} ms".format(**line) + ids


@cache
def _lines(form: Format) -> LogLines:
    """Return the lines of this process, which its last act is to write."""

    def told_lost(count: int) -> str:
        message = f"{count} lines were left out, for nobody read them"
        if form == "json":
            line = {"level": "WARNING", "event": "log", "message": message}
            return encoded({"time": _now(), **line})
        return f"codeintel: WARNING {message}"

    lines = LogLines(told_lost)
    atexit.register(lines.close)
    return lines


class _LineHandler(logging.Handler):
    def __init__(self, lines: LogLines) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.put(self.format(record))


class _TextFormatter(logging.Formatter):
    """A line a record, whatever a file's name or a query in it holds; a traceback is several."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  its name
        return _printable(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802
        """Return a traceback of which no line passes for another record."""
        lines = super().formatException(ei).splitlines()
        return "\n".join(f"  {_printable(line)}" for line in lines)


class _JsonFormatter(logging.Formatter):
    """One JSON object a record, a traceback being one of its fields."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": _now(),
            "level": record.levelname,
            "event": "log",
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return encoded(line)


def _printable(text: str) -> str:
    """Return a text in one line that no terminal takes for commands."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
