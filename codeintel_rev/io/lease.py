"""The refresher's lease: whoever holds it keeps a repository's index up to date by itself."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from codeintel_rev.io import file_lock


def hold(path: Path) -> AbstractContextManager[None]:
    """Hold the lease file ``path`` for a block; raises ``Busy`` naming who has it already."""
    hint = "one watcher an index is enough; end that one to start another"
    return file_lock.hold(path, timeout_s=0.0, doing="watched", hint=hint)


def is_held(path: Path) -> bool:
    """Return whether somebody refreshes the index; the kernel drops a dead holder's lease."""
    return file_lock.holder(path) is not None
