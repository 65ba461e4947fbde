"""Limits on the processor time and memory that one file may take: what takes more ends the process.

Grammars are C code, and text that can be read in many ways may keep one busy for hours, or have it
fill all memory, without a moment at which it could be asked to stop. Only processes of this
program's own are armed; whoever started one goes on with the file in another way
(``worker_process``, ``parse_note``).
"""

from __future__ import annotations

import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_SECONDS: Final = 10.0
_SECONDS_PER_BYTE: Final = 2e-5
"""Several times what parsing allows itself where it can (``chunker``)."""

_MORE_BYTES: Final = 2 << 30
"""Memory beside what the process has already; the tree of the largest file takes a tenth of it."""

_limit_s: float | None = None


def arm(seconds: float = _SECONDS) -> None:
    """Let this process end at a file that takes more than ``seconds``, and more for a large one."""
    global _limit_s  # noqa: PLW0603  the process is what is armed
    _limit_s = seconds


@contextmanager
def limited(size: int) -> Iterator[None]:
    """Work in a block on a file of ``size`` bytes under the limits, if this process is armed."""
    if _limit_s is None:
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with suppress(OSError, ValueError):  # a system that does not tell, or has a lower limit already
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[5])
        most = pages * resource.getpagesize() + _MORE_BYTES
        resource.setrlimit(resource.RLIMIT_DATA, (most, before[1]))
    signal.setitimer(signal.ITIMER_PROF, _limit_s + size * _SECONDS_PER_BYTE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        resource.setrlimit(resource.RLIMIT_DATA, before)
