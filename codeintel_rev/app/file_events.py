"""What happened below some folders: events of the file system, or nothing but the passing of time."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Event

from watchfiles._rust_notify import RustNotify, WatchfilesRustInternalError

from codeintel_rev.config.settings import WatchConfig

_log = logging.getLogger(__name__)

RECHECK_MS = 30_000
"""Events can be lost when they come too fast; so long an error may last."""

RETRY_MS = 3_000
"""What failed may have been mended without an event, as a disk that was full."""

_BURST = 10
"""Edits that never pause are indexed after this many times the debounce."""


def batches(
    folders: Sequence[Path],
    config: WatchConfig,
    stop: Event,
    idle_ms: Callable[[], int] = lambda: RECHECK_MS,
) -> Iterator[set[Path] | None]:
    """Yield the paths that changed, batch by batch, until ``stop`` is set.

    ``None`` stands for a moment at which everything should be looked at: at first, once watching
    has begun, after ``idle_ms()`` without events, and at each poll where there are none. Paths are
    absolute and need not exist any more. Raises ``KeyboardInterrupt`` on Ctrl-C.
    """
    if not config.poll:
        try:
            yield from _events(folders, config, stop, idle_ms)
        except (OSError, WatchfilesRustInternalError) as error:
            _log.warning("no file events (%s): looking every %d ms", error, config.poll_ms)
    yield from _polls(config, stop)


def _events(
    folders: Sequence[Path], config: WatchConfig, stop: Event, idle_ms: Callable[[], int]
) -> Iterator[set[Path] | None]:
    names = [os.fspath(folder) for folder in folders]
    with RustNotify(names, False, False, 0, True, True) as notify:
        yield None
        while True:
            burst_ms = config.debounce_ms * _BURST
            found = notify.watch(burst_ms, config.debounce_ms, idle_ms(), stop)
            if found == "signal":
                raise KeyboardInterrupt
            if found == "stop":
                return
            yield None if isinstance(found, str) else {Path(path) for _, path in found}


def _polls(config: WatchConfig, stop: Event) -> Iterator[set[Path] | None]:
    while not stop.is_set():
        yield None
        stop.wait(config.poll_ms / 1000)
