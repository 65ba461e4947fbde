"""Indexes for an evaluation: one data directory a tree, kept for the next run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

from codeintel_rev.app.data_dir import data_dir_for_search
from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.app.local import LocalIndex, open_index
from codeintel_rev.app.requests import plain_text
from codeintel_rev.config.settings import Settings
from codeintel_rev.evaluation.answer_runner import Asked, OpenAnswerer
from codeintel_rev.evaluation.runner import OpenTree
from codeintel_rev.types import Mode, SearchResult


class EvaluatedIndex:
    """Searches an index as it stands (``Searcher``)."""

    def __init__(self, index: LocalIndex, mode: Mode) -> None:
        self._index = index
        self._mode = mode

    def search(self, query: str, *, limit: int = 10) -> SearchResult:
        """Return the best hits; pasted text may hold control characters, which are passed over."""
        return self._index.search(plain_text(query), limit=limit, mode=self._mode)


class EvaluatedAnswers:
    """Answers from an index as it stands (``Answerer``), leaving no traces behind."""

    def __init__(self, index: LocalIndex) -> None:
        self._index = index
        self._limit = index.settings.answer.max_query_chars

    def ask(self, question: str, system: str = "") -> Asked:
        """Return the answer; a question longer than may be asked loses its end."""
        trace: dict[str, Any] = {}
        for event in self._told(system).ask_events(plain_text(question)[: self._limit]):
            trace = event.trace or trace
            if event.envelope is not None:
                return Asked(event.envelope, trace)
        raise AssertionError("an answer ends with its envelope")

    def _told(self, system: str) -> LocalIndex:
        """Return the index with other instructions to the language model."""
        if not system:
            return self._index
        told, settings = copy(self._index), self._index.settings
        told.settings = replace(settings, answer=replace(settings.answer, system_prompt=system))
        return told


def evaluation_folder(data_dir: Path | None, settings: Settings, repo: Path | None = None) -> Path:
    """Return the folder that holds the indexes and corpora of evaluations.

    It lies in the data directory, which is that of ``repo`` where none is named.
    """
    folder, _ = data_dir_for_search(data_dir, repo, settings.data_home)
    return folder / "evaluation"


def answer_opener(folder: Path, settings: Settings) -> OpenAnswerer:
    """Return what brings the index of a tree in ``folder`` up to date and opens it for answers."""
    quiet = replace(settings, trace=replace(settings.trace, enabled=False))

    @contextmanager
    def opened(root: Path, name: str) -> Iterator[EvaluatedAnswers]:
        data_dir = folder / "trees" / name
        index_repositories([root], data_dir=data_dir, settings=quiet)
        with open_index(data_dir=data_dir, settings=quiet, refresh=False) as index:
            yield EvaluatedAnswers(index)

    return opened


def tree_opener(folder: Path, settings: Settings, mode: Mode) -> OpenTree:
    """Return what brings the index of a tree in ``folder`` up to date and opens it."""

    @contextmanager
    def opened(root: Path, name: str) -> Iterator[EvaluatedIndex]:
        data_dir = folder / "trees" / name
        index_repositories([root], data_dir=data_dir, settings=settings)
        with open_index(data_dir=data_dir, settings=settings, refresh=False) as index:
            yield EvaluatedIndex(index, mode)

    return opened
