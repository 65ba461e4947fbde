"""Server-sent events out of the bytes of a response, however they were split on the way (pure)."""

from __future__ import annotations

import re
from typing import NamedTuple

from codeintel_rev.errors import Unavailable

MAX_EVENT_BYTES = 1 << 20
"""A larger event is no token of a language model but a server gone wrong."""

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"


class ServerEvent(NamedTuple):
    """One event."""

    data: str
    name: str = "message"


class SSEParser:
    """Collects events of one stream, as the HTML standard reads them.

    Lines may end in any of three ways, comments are left out, several ``data`` lines are one text,
    and bytes may be split anywhere, inside a character too.
    """

    def __init__(self, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max = max_event_bytes
        self._rest = b""
        self._data: list[str] = []
        self._size = 0
        self._name = ""
        self._is_first = True

    def feed(self, chunk: bytes) -> list[ServerEvent]:
        """Return the events that are complete now.

        Raises ``Unavailable`` when one passes the largest size.
        """
        data = self._rest + chunk
        if self._is_first:
            if len(data) < len(_BOM) and _BOM.startswith(data):
                self._rest = data
                return []
            data, self._is_first = data.removeprefix(_BOM), False
        # the other half of a line end may follow
        held = data.endswith(b"\r")
        *lines, rest = _LINE_END.split(data[:-1] if held else data)
        self._rest = rest + b"\r" if held else rest
        events = [event for line in lines if (event := self._line(line)) is not None]
        self._require_room(self._size + len(self._rest))
        return events

    def close(self) -> list[ServerEvent]:
        """Return the event that the end of the stream completes; the standard would drop it."""
        events = [self._line(self._rest.rstrip(b"\r")), self._line(b"")]
        self._rest = b""
        return [event for event in events if event is not None]

    def _line(self, line: bytes) -> ServerEvent | None:
        if not line:
            return self._dispatch()
        field, _, value = line.decode("utf-8", "replace").partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            self._size += len(line)
            self._require_room(self._size)
            self._data.append(value)
        elif field == "event":
            self._name = value
        return None

    def _dispatch(self) -> ServerEvent | None:
        data, name = self._data, self._name
        self._data, self._name, self._size = [], "", 0
        return ServerEvent("\n".join(data), name or "message") if data else None

    def _require_room(self, size: int) -> None:
        if size > self._max:
            raise Unavailable(
                f"an event of the stream passes {self._max} bytes",
                hint="the server does not speak the protocol; check its address",
            )
