"""What a refresh has to look at: the whole tree, or only what git cannot vouch for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from codeintel_rev.indexing.walker import Skipped, inspect, walk
from codeintel_rev.io import git
from codeintel_rev.io.git import GitRepo
from codeintel_rev.io.work_tree import StateProbe, WorkTreeState, start_probe
from codeintel_rev.types import FileEntry

Head = tuple[str | None, str | None]
"""Branch and commit; both ``None`` outside git."""


class Survey(NamedTuple):
    """The files of a tree as they stand."""

    files: list[FileEntry]
    skipped: list[Skipped]
    head: Head
    state: WorkTreeState | None
    """With it the next survey need not look at every file."""
    among: frozenset[str] | None = None
    """The only paths that were looked at; ``None`` = the whole tree."""


class Surveyor:
    """Looks at one root; starts asking git at once, so that other work can go on meanwhile."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._repo = git.locate(root)
        self._probe: StateProbe | None = None
        self._state: WorkTreeState | None = None
        self._earlier: WorkTreeState | None = None
        self._head: Head | None = None
        if self._repo is not None:
            self._probe = start_probe(self._repo, root)

    def suspects(self, recorded: str | None) -> frozenset[str] | None:
        """Return the paths that may differ from a recorded state; ``None`` when any may."""
        earlier = decode_state(recorded)
        if earlier is None or self._probe is None:
            return None
        if self._state is None:
            self._state = self._probe.result()
        if self._state is None:
            return None
        self._earlier = earlier
        return self._state.suspects_since(earlier)

    def head(self) -> Head:
        """Return the branch and commit that are checked out."""
        if self._repo is None:
            return None, None
        if self._head is None:
            self._head = self._repo.head()
        return self._head

    def survey(
        self, among: frozenset[str] | None, *, max_file_bytes: int, data_dir: Path
    ) -> Survey:
        """Look at ``among`` only, every other file being as it was recorded, or at all files."""
        if among is not None:
            seen = among - self._newly_ignored()
            walked = inspect(self.root, seen, max_file_bytes=max_file_bytes, data_dir=data_dir)
            state = self._with_staged(self._state, self._repo, self.head()[1])
            return Survey(walked.files, walked.skipped, self.head(), state, among)
        self.close()
        repo = git.discover(self.root)
        walked = walk(self.root, git=repo, max_file_bytes=max_file_bytes, data_dir=data_dir)
        head = repo.head() if repo is not None else (None, None)
        state = self._with_staged(walked.state, repo, head[1])
        return Survey(walked.files, walked.skipped, head, state)

    def _with_staged(
        self, state: WorkTreeState | None, repo: GitRepo | None, commit: str | None
    ) -> WorkTreeState | None:
        """Complete a state; what is staged stays so while the index and HEAD are the same."""
        if state is None or repo is None or commit is None:
            return state
        earlier = self._earlier
        if earlier is not None and (earlier.stamp, earlier.base) == (state.stamp, commit):
            return replace(state, staged=earlier.staged, base=commit)
        return replace(state, staged=repo.staged(self.root, commit), base=commit)

    def _newly_ignored(self) -> frozenset[str]:
        """Return files that git no longer lists though nobody need have touched them."""
        if self._earlier is None or self._state is None or self._repo is None:
            return frozenset()
        settled = self._earlier.unsettled - self._state.unsettled
        return settled - self._repo.visible(self.root, settled) if settled else settled

    def close(self) -> None:
        """Stop asking git."""
        if self._probe is not None:
            self._probe.cancel()
            self._probe = None


def encode_state(state: WorkTreeState | None, moved: frozenset[str] = frozenset()) -> str | None:
    """Return a state as JSON, with paths that changed while they were read as unsettled."""
    if state is None:
        return None
    document = {
        "stamp": state.stamp,
        "unsettled": sorted(state.unsettled | moved),
        "staged": sorted(state.staged),
        "base": state.base,
    }
    try:
        return msgspec.json.encode(document).decode()
    except UnicodeEncodeError:  # a name that is no UTF-8
        import json

        return json.dumps(document)


def decode_state(text: str | None) -> WorkTreeState | None:
    """Return the state that ``encode_state`` wrote; ``None``, as where there is none, if it did not."""
    if text is None:
        return None
    try:
        document = _json_of(text)
        return WorkTreeState(
            document["stamp"],
            frozenset(document["unsettled"]),
            frozenset(document.get("staged", ())),
            document.get("base"),
        )
    except (KeyError, TypeError, ValueError):  # every file is looked at, and a new state kept
        return None


def _json_of(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        import json

        return json.loads(text)
