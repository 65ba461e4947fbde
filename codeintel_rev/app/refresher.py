"""What the process beside a server does: it alone writes, and so keeps the index up to date."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

from codeintel_rev.app.local import open_index
from codeintel_rev.app.logs import write_logs
from codeintel_rev.app.watch import Watcher
from codeintel_rev.config.settings import Settings, load_settings
from codeintel_rev.errors import Busy, CodeIntelError
from codeintel_rev.indexing import parse_limit
from codeintel_rev.io.registry import Signature, signature_of

_log = logging.getLogger(__name__)

_LOOK_S = 1.0
"""Pause between two looks for repositories that were added or removed."""

_AFTER_BUSY_S = 5.0
_AFTER_FAILURE_S = 15.0


def main() -> None:
    """Keep the index in the folder of the first argument fresh until standard input ends.

    The second argument is the folder that is indexed where there is no index yet. The end of
    standard input is the end of whoever started this process, however that came about.
    """
    settings = load_settings()
    write_logs(settings.server.log_format)
    parse_limit.arm()  # whoever started this process starts it again
    data_dir, root = Path(sys.argv[1]), Path(sys.argv[2])
    stop = Event()
    Thread(target=_await_end, args=(stop.set,), daemon=True).start()
    keep_fresh(replace(settings, data_dir=data_dir), root, stop)


def keep_fresh(settings: Settings, root: Path, stop: Event) -> None:
    """Index what there is, then every edit as it comes, until ``stop`` is set.

    A failure is logged once and tried again: a full disk may get room, and an index that another
    process watches may be left by it.
    """
    told = ""
    while not stop.is_set():
        try:
            _follow(settings, root, stop)
            told = ""
        except Busy:
            stop.wait(_AFTER_BUSY_S)
        except CodeIntelError as error:
            if error.message != told:
                told = error.message
                _log.warning("the index stays as it is: %s (%s)", error.message, error.hint)
            stop.wait(_AFTER_FAILURE_S)


def _follow(settings: Settings, root: Path, stop: Event) -> None:
    """Index edits until ``stop`` is set or other repositories are to be watched."""
    assert settings.data_dir is not None
    open_index(root, data_dir=settings.data_dir, settings=settings).close()
    signature = signature_of(settings.data_dir)
    watcher = Watcher(settings.data_dir, settings)
    over = Event()
    look = Thread(target=_await_change, args=(settings.data_dir, signature, stop, over))
    look.start()
    try:
        watcher.run(over, lambda update: None, _tell_problem)
    finally:
        over.set()
        look.join()
        watcher.close()


def _await_change(data_dir: Path, signature: Signature, stop: Event, over: Event) -> None:
    while not over.is_set():
        if stop.is_set() or signature_of(data_dir) != signature:
            over.set()
        over.wait(_LOOK_S / 10 if stop.is_set() else _LOOK_S)


def _await_end(then: Callable[[], None]) -> None:
    while sys.stdin.buffer.read(4096):
        pass
    then()


def _tell_problem(repo: str, error: CodeIntelError) -> None:
    _log.warning("%s stays as it was: %s (%s)", repo, error.message, error.hint)
