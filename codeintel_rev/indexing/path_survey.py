"""A survey of the few paths that are known to have changed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from codeintel_rev.indexing.survey import Survey, decode_state
from codeintel_rev.indexing.walker import inspect
from codeintel_rev.io import git
from codeintel_rev.io.journal import JournalView, Snapshot
from codeintel_rev.io.work_tree import IGNORE_FILE

MAX_PATHS = 200
"""With more of them, asking git for everything that changed is as quick."""

_DECIDES_FOR_OTHERS = frozenset({IGNORE_FILE, ".gitignore", ".gitmodules", ".git"})
"""A change to one of these may bring other files in or out."""


def survey_paths(
    root: Path,
    view: JournalView,
    before: Snapshot,
    paths: Collection[str],
    *,
    max_file_bytes: int,
    data_dir: Path,
) -> Survey | None:
    """Look at ``paths`` below ``root``, every other file being as ``before`` holds it.

    A path may name a folder. ``None`` where only a survey of the whole tree can tell what the
    change means.
    """
    if len(paths) > MAX_PATHS:
        return None
    if any(path.rpartition("/")[2] in _DECIDES_FOR_OTHERS for path in paths):
        return None
    known = {inner for path in paths for inner in view.paths_below(before.id, path)}
    new = [path for path in paths if path not in known or (root / path).is_dir()]
    found = _candidates(root, before, new) if new else set()
    if found is None:
        return None
    among = frozenset(found | known)
    walked = inspect(root, among, max_file_bytes=max_file_bytes, data_dir=data_dir)
    state = decode_state(before.tree_state)
    if state is not None:
        # git vouches for a file only as long as nobody changed it: these may change back
        state = replace(state, unsettled=state.unsettled | among)
    return Survey(walked.files, walked.skipped, before.head, state, among)


def _candidates(root: Path, before: Snapshot, paths: Collection[str]) -> set[str] | None:
    """Return the files among ``paths`` that are not ignored; ``None`` when that is not known."""
    repo = git.locate(root)
    if repo is None:
        new_folder = any((root / path).is_dir() for path in paths)
        return None if new_folder else set(paths)
    if before.tree_state is None:  # a tree that git does not list, or does not vouch for
        return None
    return repo.visible(root, paths)
