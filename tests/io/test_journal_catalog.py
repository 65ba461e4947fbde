"""The rows of snapshots, as a search asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from codeintel_rev.io import journal_schema
from codeintel_rev.io.journal import Journal
from codeintel_rev.io.journal_catalog import JournalCatalog
from codeintel_rev.io.journal_writer import JournalWriter, NewChunk, NewVersion
from codeintel_rev.io.packing import Span, pack_text
from codeintel_rev.text.kinds import TYPES
from codeintel_rev.types import FileEntry, Symbol

TEXT = "def f(): ..."


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[JournalWriter]:
    file = tmp_path / "state.sqlite"
    journal_schema.create(file, {"tokenizer": "1"})
    found = JournalWriter(file)
    yield found
    found.close()


def store(writer: JournalWriter, ref: str, path: str, *symbols: Symbol) -> list[int]:
    """Store a file with a chunk of two lines for each symbol in a snapshot; returns the rows."""
    first, path_id = writer.reserve(len(symbols)), writer.path_id(path)
    rows = list(range(first, first + len(symbols)))
    chunks = [
        NewChunk(row, row, path_id, "python", symbol.kind, symbol.qualname, pack_text(TEXT))
        for row, symbol in zip(rows, symbols, strict=True)
    ]
    writer.add_chunks(chunks)
    spans = [Span(row, 2 * at + 1, 2 * at + 2, 0, 9) for at, row in enumerate(rows)]
    version = NewVersion(path_id, first.to_bytes(16, "big"), 1, "python", 9, 2 * len(rows))
    version_id = writer.add_version(version, spans, symbols)
    snapshot = writer.ensure_snapshot(ref)
    writer.set_files(snapshot, [(FileEntry(path, 9, 1), version_id, 2)])
    writer.update_live(snapshot, np.zeros(0, dtype=np.int32), np.array(rows, dtype=np.int32))
    return rows


def symbol(name: str, kind: str, line: int) -> Symbol:
    return Symbol(name, name, kind, line, line + 1, line, 1)


def definitions(path: Path, name: str, limit: int) -> list[int]:
    journal = Journal(path)
    with journal.view() as view:
        found = JournalCatalog(view, view.snapshots()).definitions(name, limit)
    journal.close()
    return found


def types(path: Path, name: str) -> list[int]:
    journal = Journal(path)
    with journal.view() as view:
        found = JournalCatalog(view, view.snapshots()).of_kinds(name, TYPES, 10)
    journal.close()
    return found


def test_definitions_are_found_over_files_and_snapshots(
    writer: JournalWriter, tmp_path: Path
) -> None:
    with writer.transaction():
        method, other = store(
            writer, "worktree", "a.py", symbol("Save", "method", 1), symbol("load", "method", 3)
        )
        (type_,) = store(writer, "worktree", "b.py", symbol("Save", "class", 2))
        (elsewhere,) = store(writer, "v1", "c.py", symbol("save", "class", 1))
    file = tmp_path / "state.sqlite"
    assert definitions(file, "Save", 10) == [type_, method, elsewhere]
    assert definitions(file, "Save", 1) == [type_]
    assert definitions(file, "load", 10) == [other]
    assert definitions(file, "nothing", 10) == []
    assert types(file, "Save") == [type_]
    assert types(file, "save") == [elsewhere]
    assert types(file, "load") == []
