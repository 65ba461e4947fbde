"""Ending with the process that started this one, however that one ended."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from contextlib import suppress

_PR_SET_PDEATHSIG = 1
"""``prctl(2)``: the signal that the kernel sends when the parent is gone."""


def end_with_parent(parent: int) -> None:
    """Have the kernel send ``SIGTERM`` when the process ``parent``, which started this one, ends.

    On Linux only; elsewhere nothing happens.
    """
    if sys.platform != "linux":
        return
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it ended before the kernel was told
        os.kill(os.getpid(), signal.SIGTERM)
