from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from codeintel_rev.errors import Busy, IndexDamaged, IndexForeign, IndexMissing
from codeintel_rev.io import journal_schema
from codeintel_rev.io.journal import Journal
from codeintel_rev.io.journal_writer import JournalWriter, NewChunk, NewVersion
from codeintel_rev.io.packing import Span, pack_text
from codeintel_rev.types import FileEntry, Symbol

REF = "worktree"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "state.sqlite"
    journal_schema.create(found, {"tokenizer": "1"})
    return found


def store(writer: JournalWriter, path: str, text: str, *, at: int) -> tuple[int, int]:
    """Store a file of one chunk on its own row; returns (version id, row)."""
    row = writer.reserve(1)
    path_id = writer.path_id(path)
    writer.add_chunks([NewChunk(row, at, path_id, "python", "function", "f", pack_text(text))])
    version = NewVersion(path_id, at.to_bytes(16, "big"), 1, "python", len(text), 2)
    symbol = Symbol("f", "f", "function", 1, 2, 1, 5)
    return writer.add_version(version, [Span(row, 1, 2, 0, len(text))], [symbol]), row


def show(writer: JournalWriter, path: str, version_id: int, *, dead: list[int], born: list[int]):
    snapshot = writer.ensure_snapshot(REF)
    writer.set_files(snapshot, [(FileEntry(path, 1, 1), version_id, 2)])
    writer.update_live(snapshot, np.array(dead, dtype=np.int32), np.array(born, dtype=np.int32))


def test_a_commit_is_seen_whole_and_advances_the_sequence(path: Path) -> None:
    writer, journal = JournalWriter(path), Journal(path)
    with writer.transaction():
        version_id, row = store(writer, "a.py", "def f(): ...", at=7)
        show(writer, "a.py", version_id, dead=[], born=[row])
    with journal.view() as view:
        snapshot = view.snapshot(REF)
        assert snapshot is not None
        assert view.sequence == 1
        assert view.live(snapshot.id).tolist() == [True]
        (record,) = view.hydrate(snapshot.id, [row])
        assert (record.id, record.uri, record.start_line, record.end_line) == (7, "a.py", 1, 2)
        assert record.content == "def f(): ..."
        assert [p for p, _ in view.definitions(snapshot.id, "F", 5)] == ["a.py"]
        assert [s.qualname for s in view.symbols(version_id, ["f", "g"])] == ["f"]
        assert view.symbols(version_id, ["F"]) == []
    journal.close()
    writer.close()


def test_a_view_does_not_see_what_is_committed_later(path: Path) -> None:
    writer, journal = JournalWriter(path), Journal(path)
    with writer.transaction():
        old, old_row = store(writer, "a.py", "old", at=1)
        show(writer, "a.py", old, dead=[], born=[old_row])
    with journal.view() as view:
        snapshot = view.snapshot(REF)
        assert snapshot is not None
        with writer.transaction():
            new, new_row = store(writer, "a.py", "new", at=2)
            show(writer, "a.py", new, dead=[old_row], born=[new_row])
        assert view.live(snapshot.id).tolist() == [True]
        assert [r.content for r in view.hydrate(snapshot.id, [old_row, new_row])] == ["old"]
    with journal.view() as view:
        assert view.live(snapshot.id).tolist() == [False, True]
        assert [r.content for r in view.hydrate(snapshot.id, [old_row, new_row])] == ["new"]
    journal.close()
    writer.close()


def test_a_failed_commit_leaves_nothing_but_burned_rows(path: Path) -> None:
    writer, journal = JournalWriter(path), Journal(path)
    burned = writer.reserve(3)

    def fail() -> None:
        with writer.transaction():
            store(writer, "a.py", "text", at=1)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with journal.view() as view:
        assert view.sequence == 0
        assert view.snapshot(REF) is None
    assert writer.reserve(1) >= burned + 3
    assert writer.find_chunk(1) is None
    journal.close()
    writer.close()


def test_one_id_never_means_two_texts(path: Path) -> None:
    writer = JournalWriter(path)
    _, row = store(writer, "a.py", "text", at=1)
    writer.assert_same_text(row, "text")
    with pytest.raises(IndexDamaged, match="another text under the same id"):
        writer.assert_same_text(row, "other")
    writer.close()


def test_a_missing_a_foreign_and_a_garbled_journal_are_told_apart(
    path: Path, tmp_path: Path
) -> None:
    with pytest.raises(IndexMissing):
        Journal(tmp_path / "none.sqlite")
    connection = journal_schema.connect(path)
    connection.execute("UPDATE meta SET value = 99 WHERE key = 'schema'")
    connection.close()
    with pytest.raises(IndexForeign, match="has format 99, this program reads format 1"):
        Journal(path)
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(IndexDamaged, match="cannot be read"):
        Journal(path)


def test_a_journal_that_another_process_keeps_locked_is_busy(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_schema, "BUSY_TIMEOUT_S", 0.01)
    holder = journal_schema.connect(path)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(Busy, match=r"state\.sqlite is locked"):
        Journal(path)
    holder.close()
    Journal(path).close()


def test_a_view_that_outlives_its_journal_leaves_no_file_open(path: Path) -> None:
    before = open_files()
    journal = Journal(path)
    with journal.view() as view:
        journal.close()
        assert view.sequence == 0
    assert open_files() == before


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
