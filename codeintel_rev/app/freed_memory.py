"""Memory that is not needed any more, given back to the system."""

from __future__ import annotations

import asyncio
import ctypes
from typing import Final

PAUSE_S: Final = 60.0


async def give_back() -> None:
    """Return what was freed, where the C library can: glibc keeps it between what still lives.

    A process that searched 50,000 times held 290 MiB instead of 188.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        await asyncio.to_thread(trim, 0)
