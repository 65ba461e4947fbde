"""What the doctor finds when files of an index are damaged, and what it can mend."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from codeintel_rev.app.checks import CHECKS
from codeintel_rev.app.compaction import compact_data_dir
from codeintel_rev.app.doctor import DoctorReport, examine, repair
from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.app.local import open_index
from codeintel_rev.app.refreshing import quiet
from codeintel_rev.cli.program import run
from codeintel_rev.config.settings import load_settings
from codeintel_rev.errors import IndexDamaged, NotARepository
from codeintel_rev.indexing.store import RepositoryFolder
from codeintel_rev.io import file_lock
from codeintel_rev.io.journal_schema import connect
from codeintel_rev.io.registry import Registry


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    root.mkdir()
    for word in ("router", "retry", "cache"):
        (root / f"{word}.py").write_text(f"def {word}_it(value):\n    return value\n")
    index_repositories([root])
    compact_data_dir(root / ".codeintel", progress=quiet)
    (root / "session.py").write_text("def session_token(user):\n    return user.token\n")
    index_repositories([root])
    return root


def folder_of(repo: Path) -> RepositoryFolder:
    registry = Registry(repo / ".codeintel")
    folder = RepositoryFolder(registry.folder(registry.repositories()[0]))
    registry.close()
    return folder


def faults(report: DoctorReport) -> dict[str, str]:
    return {c.name.rpartition(": ")[2]: c.detail for c in report.checks if not c.ok}


def sql(folder: RepositoryFolder, statement: str) -> None:
    connection = connect(folder.journal)
    connection.execute(statement)
    connection.close()


def flip(path: Path, at: int | None = None) -> None:
    """Change one byte, in the middle of a file if nowhere else."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2 if at is None else at] ^= 0xFF
    path.write_bytes(data)


def vectors_at(folder: RepositoryFolder) -> int:
    """Return the offset of the first compacted vector in its file."""
    written = msgspec.msgpack.decode((folder.catalog(1) / "vectors.map").read_bytes())
    return int(written["blocks"][0][0])


def one(folder: Path, pattern: str) -> Path:
    return min(folder.rglob(pattern))


def test_a_whole_index_passes_every_check(repo: Path) -> None:
    report = examine(repo / ".codeintel")
    assert report.ok
    assert [check.name for check in report.checks[1:]] == [f"shop: {name}" for name in CHECKS]


def test_an_index_behind_a_comma_passes_every_check(repo: Path) -> None:
    moved = repo.rename(repo.with_name("shop, the"))
    compact_data_dir(moved / ".codeintel", progress=quiet)
    report = examine(moved / ".codeintel")
    assert report.ok, faults(report)


def test_an_index_that_was_never_compacted_is_whole(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def a():\n    return 1\n")
    index_repositories([tmp_path])
    assert examine(tmp_path / ".codeintel").ok


def test_what_a_reader_keeps_over_a_compaction_is_no_fault(repo: Path) -> None:
    with open_index(repo) as index:
        index.search("router")
        compact_data_dir(repo / ".codeintel", progress=quiet)
        read = examine(repo / ".codeintel")
    let_go = examine(repo / ".codeintel")
    assert read.ok, faults(read)
    assert let_go.ok, faults(let_go)
    assert folder_of(repo).lexical(1).exists()
    told = next(check.detail for check in let_go.checks if check.name.endswith("orphans"))
    assert told == "none (generation 1 goes with the next compaction)"
    folder_of(repo).lexical(7).mkdir()
    assert faults(examine(repo / ".codeintel")) == {"orphans": "left behind: generation 7"}


DAMAGE: dict[str, tuple[str, Callable[[RepositoryFolder], None]]] = {
    "a flipped byte in a sealed segment": (
        "vectors",
        lambda folder: flip(folder.catalog(1) / "chunks.parquet", vectors_at(folder)),
    ),
    "a flipped byte in the open segment": (
        "vectors",
        lambda folder: flip(one(folder.vectors, "rows-*.f16")),
    ),
    "a shortened segment": (
        "vectors",
        lambda folder: (folder.catalog(1) / "chunks.parquet").write_bytes(b"short"),
    ),
    "a lost map of vectors": (
        "vectors",
        lambda folder: (folder.catalog(1) / "vectors.map").unlink(),
    ),
    "a lost segment": ("vectors", lambda folder: one(folder.vectors, "rows-*.f16").unlink()),
    "a flipped byte in the words": (
        "words",
        lambda folder: flip(one(folder.lexical(1), "*.term")),
    ),
    "a lost file of words": ("words", lambda folder: one(folder.lexical(1), "*.idx").unlink()),
    "a lost word index": ("words", lambda folder: shutil.rmtree(folder.lexical(1))),
    "a flipped byte in the catalog": (
        "catalog",
        lambda folder: flip(folder.catalog(1) / "chunks.parquet"),
    ),
    "a lost catalog": ("catalog", lambda folder: shutil.rmtree(folder.catalog(1))),
    "a catalog of another time": (
        "catalog",
        lambda folder: sql(folder, "UPDATE meta SET value = 1 WHERE key = 'catalog_sequence'"),
    ),
    "a stray generation": ("orphans", lambda folder: folder.lexical(7).mkdir()),
    "a stray segment": (
        "orphans",
        lambda folder: (folder.vectors / "generation-7.f16").touch() or None,
    ),
    "a lost generation lock": ("locks", lambda folder: folder.generation_lock(1).unlink()),
    "a chunk that is not stored": (
        "chunks",
        lambda folder: sql(folder, "DELETE FROM chunk WHERE row = 1"),
    ),
    "a flipped bit in the text of a chunk": (
        "chunks",
        lambda folder: sql(
            folder,
            "UPDATE chunk SET content ="
            " CAST(substr(content, 1, length(content) - 1) || x'00' AS BLOB) WHERE row = 1",
        ),
    ),
    "rows beyond all": (
        "chunks",
        lambda folder: sql(
            folder,
            "UPDATE version SET spans = CAST(x'ffffff7f' || substr(spans, 5) AS BLOB) WHERE id = 1",
        ),
    ),
    "lost texts of words": ("words", lambda folder: one(folder.lexical(1), "*.store").unlink()),
    "a bitmap that is not of its files": (
        "chunks",
        lambda folder: sql(folder, "DELETE FROM snapshot_file WHERE version_id = 1"),
    ),
    "another model": (
        "components",
        lambda folder: sql(folder, "UPDATE meta SET value = 'x' WHERE key = 'model_fingerprint'"),
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_found_and_mended(repo: Path, damage: str) -> None:
    name, inflict = DAMAGE[damage]
    inflict(folder_of(repo))
    report = examine(repo / ".codeintel")
    assert not report.ok
    assert name in faults(report)
    assert all(check.fix for check in report.checks if not check.ok)
    mended = repair(repo / ".codeintel", load_settings({}), quiet)
    assert faults(mended) == {}
    with open_index(repo, refresh=False) as index:
        for word in ("router", "session"):
            assert index.search(word).hits[0].uri == f"{word}.py"


@pytest.mark.parametrize(
    "garble",
    [
        lambda folder: folder.journal.write_bytes(b"no database at all " * 100),
        lambda folder: sql(folder, "DELETE FROM meta WHERE key = 'schema'"),
        lambda folder: sql(folder, "DELETE FROM meta WHERE key = 'stored_rows'"),
        lambda folder: sql(folder, "UPDATE meta SET value = 'X' WHERE key = 'sequence'"),
    ],
)
def test_a_garbled_journal_is_built_anew(
    repo: Path, garble: Callable[[RepositoryFolder], object]
) -> None:
    garble(folder_of(repo))
    with pytest.raises(IndexDamaged, match="journal"):
        open_index(repo)
    assert "journal" in faults(examine(repo / ".codeintel"))
    assert repair(repo / ".codeintel", load_settings({}), quiet).ok


def test_a_folder_that_no_repository_has_is_told_and_removed(repo: Path) -> None:
    stray = repo / ".codeintel" / "repos" / "0123456789abcdef"
    stray.mkdir()
    with file_lock.hold(folder_of(repo).writer_lock):
        assert examine(repo / ".codeintel").ok  # it may be an index that is being built
    assert list(faults(examine(repo / ".codeintel"))) == ["folders"]
    assert repair(repo / ".codeintel", load_settings({}), quiet).ok
    assert not stray.exists()


def test_lock_holders_are_named(repo: Path) -> None:
    with file_lock.hold(folder_of(repo).writer_lock):
        locks = next(c for c in examine(repo / ".codeintel").checks if c.name.endswith("locks"))
    assert "writer: process" in locks.detail


def test_the_command_exits_with_1_when_it_finds_a_fault(
    repo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["doctor", "--data-dir", str(repo / ".codeintel")]
    assert run(words) == 0
    folder_of(repo).lexical(7).mkdir()
    capsys.readouterr()
    assert run([*words, "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] is False
    assert {"name", "ok", "detail", "fix"} == set(document["checks"][0])
    assert run([*words, "--repair"]) == 0
    assert "FAULT" not in capsys.readouterr().out


def test_a_version_that_is_not_there_is_told_and_mended(repo: Path) -> None:
    sql(folder_of(repo), "UPDATE snapshot_file SET version_id = 77 WHERE version_id = 1")
    for path in repo.glob("*.py"):
        path.write_text(f"{path.read_text()}\n\nedited = True\n")
    with pytest.raises(IndexDamaged, match="version 77"):
        index_repositories([repo])
    assert repair(repo / ".codeintel", load_settings({}), quiet).ok


def test_a_text_that_is_not_as_it_was_written_is_told_and_mended(repo: Path) -> None:
    sql(folder_of(repo), "UPDATE chunk SET kind = CAST(x'ff' AS TEXT) WHERE row = 1")
    with open_index(repo, refresh=False) as index, pytest.raises(IndexDamaged, match="UTF-8"):
        index.search("router retry cache")
    assert repair(repo / ".codeintel", load_settings({}), quiet).ok


def test_one_that_cannot_be_mended_does_not_keep_the_others_from_it(
    repo: Path, tmp_path: Path
) -> None:
    (tmp_path / "gone").mkdir()
    (tmp_path / "gone" / "a.py").write_text("a = 1\n")
    index_repositories([tmp_path / "gone"], data_dir=repo / ".codeintel")
    for journal in (repo / ".codeintel" / "repos").glob("*/state.sqlite"):
        journal.write_bytes(b"no database at all " * 100)
    shutil.rmtree(tmp_path / "gone")
    with pytest.raises(NotARepository):
        repair(repo / ".codeintel", load_settings({}), quiet)
    bad = [check.name for check in examine(repo / ".codeintel").checks if not check.ok]
    assert bad == ["gone: journal"]
