"""How Ctrl-C and SIGTERM end a command: everything is closed, and the exit code tells which it was."""

from __future__ import annotations

import signal
from typing import Final

CODES: Final = {signal.SIGINT: 130, signal.SIGTERM: 143}
"""Exit code of each signal, as shells count them."""

_received: list[int] = []


class Terminated(BaseException):
    """Raised in the midst of a command when the process is told to end (SIGTERM)."""


def listen() -> None:
    """Raise ``KeyboardInterrupt`` or ``Terminated`` at the first signal; a second one ends at once."""
    for number in CODES:
        signal.signal(number, _end)


def code_of_signal() -> int | None:
    """Return the exit code of the signal that came, if one came.

    A library may turn what was raised then into an error of its own.
    """
    return CODES[signal.Signals(_received[0])] if _received else None


def _end(number: int, _: object) -> None:
    signal.signal(number, signal.SIG_DFL)
    _received.append(number)
    raise KeyboardInterrupt if number == signal.SIGINT else Terminated
