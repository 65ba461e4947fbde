"""Runs: what a system returned for each query, best first."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from codeintel_rev.errors import InvalidArgument, NotFound
from codeintel_rev.text.json_faults import NOT_JSON

if TYPE_CHECKING:
    from pathlib import Path


class Result(msgspec.Struct, frozen=True, omit_defaults=True):
    """One returned chunk, of a file or of a document."""

    path: str | None = None
    doc_id: str | None = None
    start_line: int = 0
    end_line: int = 0
    """Both 0 when the system returns whole files."""
    score: float = 0.0

    @property
    def key(self) -> str:
        """What is counted once in file scores: the document's id or the file's path."""
        return self.doc_id or self.path or ""


Run = Mapping[str, Sequence[Result]]
"""Query id to results, best first."""


def run_files(out: Path, names: Sequence[str]) -> dict[str, Path]:
    """Return the file of each set, its folder made: ``out`` for a single one, else ``out/<set>.json``.

    Raises ``InvalidArgument`` when several sets are to go into one file, or nothing into that folder.
    """
    if len(names) == 1 and not out.is_dir():
        _make(out.parent)
        return {names[0]: out}
    if out.exists() and not out.is_dir():
        raise InvalidArgument(
            f"{out} is a file, but {len(names)} sets are evaluated",
            hint="name a folder",
            value=str(out),
        )
    _make(out)
    return {name: out / f"{name}.json" for name in names}


def write_run(run: Run, path: Path) -> None:
    """Write a run as JSON to a file of ``run_files``, whole or not at all."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    partial.write_bytes(msgspec.json.encode(run) + b"\n")
    partial.replace(path)


def read_run(path: Path) -> dict[str, list[Result]]:
    """Read a run; raises ``NotFound`` or ``InvalidArgument`` when there is none in ``path``."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, list[Result]])
    except OSError as error:
        raise NotFound(
            f"cannot read {path}: {error.strerror}", hint="name a run", value=str(path)
        ) from error
    except NOT_JSON as error:
        raise InvalidArgument(
            f"{path} is no run: {error}",
            hint="write one with `codeintel eval --run`",
            value=str(path),
        ) from error


def _make(folder: Path) -> None:
    """Make a folder, before there is anything to lose."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidArgument(
            f"{folder} cannot be made: {error.strerror}",
            hint="name another place",
            value=str(folder),
        ) from error
