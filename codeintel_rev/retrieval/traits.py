"""What ranking asks of a chunk whatever the query is, kept in columns by row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.retrieval.path_signs import file_words, is_copied, is_in_test_module, is_test
from codeintel_rev.text.kinds import definition_order
from codeintel_rev.types import ChunkHead

FLAGS: Final = ("definition", "test_path", "prose", "data", "copied")
"""The signals that depend on the chunk alone."""

_TABLE: Final = np.dtype(
    [
        ("id", np.int64),
        ("file", np.int32),
        ("order", np.int8),
        ("flags", np.bool_, (len(FLAGS),)),
        ("known", np.bool_),
    ]
)

PROSE: Final = frozenset(["asciidoc", "html", "markdown", "restructuredtext", "rst", "text"])
_DATA = frozenset(["config", "css", "csv", "ignore", "json", "svg", "toml", "xml", "yaml"])
_NO_DEFINITION = frozenset({"", "block", "lines", "section"})

ReadHeads = Callable[[Sequence[int]], Mapping[int, ChunkHead]]


class Traits(NamedTuple):
    """What is known of some chunks."""

    table: NDArray[Any]
    """A record a chunk: ``id``, number of the ``file``, ``order`` of its kind of definition,
    ``flags``, and whether the chunk is ``known`` at all."""
    file_words: Sequence[frozenset[str]]
    """The words of each file's name, by its number."""


class TraitMemory:
    """The traits of the chunks of one repository; safe to share between threads.

    A row's never change, so they outlive transactions: 19 bytes for each row that was assigned, in
    pages that the system gives when the first of their rows is found.
    """

    def __init__(self) -> None:
        self._table: NDArray[Any] = np.zeros(0, dtype=_TABLE)
        self._files: dict[str, int] = {}
        self._file_words: list[frozenset[str]] = []
        self._lock = Lock()

    def of(self, rows: NDArray[np.int64], read: ReadHeads) -> Traits:
        """Return the traits of ``rows``; ``read`` finds the heads of those not met before."""
        table = self._reaching(int(rows.max(initial=-1)) + 1)
        found = table.take(rows)
        unknown = rows[~found["known"]]
        if len(unknown):
            self._add(read(unknown.tolist()))
            found = self._table.take(rows)
        return Traits(found, self._file_words)

    def _reaching(self, length: int) -> NDArray[Any]:
        """Return the table, grown where it does not reach so far."""
        if length > len(self._table):
            with self._lock:
                if length > len(self._table):
                    grown = np.zeros(max(length, 2 * len(self._table)), dtype=_TABLE)
                    grown[: len(self._table)] = self._table
                    self._table = grown
        return self._table

    def _add(self, heads: Mapping[int, ChunkHead]) -> None:
        with self._lock:
            for row, head in heads.items():
                order = definition_order(head.kind)
                self._table[row] = (head.id, self._file(head.uri), order, _flags(head), True)

    def _file(self, uri: str) -> int:
        number = self._files.get(uri)
        if number is None:
            number = self._files[uri] = len(self._file_words)
            self._file_words.append(file_words(uri))
        return number


def is_of_test(head: ChunkHead) -> bool:
    """Return whether a chunk is of a test, a fixture or an example."""
    return is_test(head.uri) or is_in_test_module(head.symbol)


def _flags(head: ChunkHead) -> tuple[bool, ...]:
    """Return whether a chunk is each of ``FLAGS``."""
    return (
        bool(head.symbol) and head.kind not in _NO_DEFINITION,
        is_of_test(head),
        head.lang in PROSE,
        head.lang in _DATA,
        is_copied(head.uri),
    )
