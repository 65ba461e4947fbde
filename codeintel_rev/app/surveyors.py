"""Surveyors started early: git works while this process is still importing."""

from __future__ import annotations

from pathlib import Path

from codeintel_rev.indexing.survey import Surveyor

_started: dict[Path, Surveyor] = {}


def start(root: Path) -> None:
    """Start surveying ``root``; whoever refreshes it takes the surveyor over."""
    _started[root] = Surveyor(root)


def take(root: Path) -> Surveyor:
    """Return the surveyor that was started for ``root``, or a new one."""
    return _started.pop(root, None) or Surveyor(root)


def drop_all() -> None:
    """End the surveyors that nobody took."""
    while _started:
        _started.popitem()[1].close()
