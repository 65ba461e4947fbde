"""Opening an index that an older program made: it is brought up to date by itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest

from codeintel_rev.app import local
from codeintel_rev.app.components import components, load_embedder
from codeintel_rev.app.doctor import examine, repair
from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.app.local import LocalIndex, open_index
from codeintel_rev.app.refreshing import quiet
from codeintel_rev.config.settings import load_settings
from codeintel_rev.errors import IndexForeign, IndexUnusable
from codeintel_rev.indexing.chunker import CHUNKER_VERSION
from codeintel_rev.indexing.store import RepositoryFolder
from codeintel_rev.io import file_lock, journal_migration
from codeintel_rev.io.journal_schema import SCHEMA_VERSION, connect
from codeintel_rev.io.registry import Registry
from codeintel_rev.retrieval.lexical_schema import create_index

from .conftest import Git, commit, write


def folder_of(root: Path) -> RepositoryFolder:
    registry = Registry(root / ".codeintel")
    folder = RepositoryFolder(registry.folder(registry.repositories()[0]))
    registry.close()
    return folder


@contextmanager
def journal(root: Path) -> Iterator[sqlite3.Connection]:
    with closing(connect(folder_of(root).journal)) as connection:
        yield connection


def made_with(root: Path, **versions: str) -> None:
    """Let the index look as if other components had made it."""
    with journal(root) as connection:
        connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", versions.items())


def recorded(root: Path) -> dict[str, object]:
    return folder_of(root).state()[1]


def cuts(root: Path) -> set[int]:
    """Return the chunkers that cut what the snapshots show."""
    with journal(root) as connection:
        rows = connection.execute(
            "SELECT DISTINCT chunker FROM version JOIN snapshot_file ON version_id = version.id"
        ).fetchall()
    return {row[0] for row in rows}


def wanted() -> dict[str, str]:
    return components(load_embedder(load_settings({})))


def best(index: LocalIndex, query: str, mode: str) -> str:
    result = index.search(query, mode=mode)  # type: ignore[arg-type]
    return result.hits[0].uri if result.hits else ""


def forget_vectors(folder: RepositoryFolder) -> None:
    """Let the vectors mean nothing, as those of another model do."""
    for file in folder.vectors.glob("*.f16"):
        size = file.stat().st_size
        file.write_bytes(np.ones(size // 2, dtype="<f2").tobytes())


def test_vectors_of_another_model_are_made_anew_from_the_stored_text(history: Path) -> None:
    index_repositories([history], refs=["main", "dev"])
    folder, before = folder_of(history), recorded(history)
    forget_vectors(folder)
    made_with(history, model_fingerprint="of another model")
    with open_index(history) as index:
        assert best(index, "total price", "dense") == "cart.py"
        assert index.search("total price").limits == ()
    after = recorded(history)
    assert after["model_fingerprint"] == wanted()["model_fingerprint"]
    assert after["reserved_rows"] == before["reserved_rows"]
    assert examine(history / ".codeintel").ok


def test_words_of_another_tokenizer_are_made_anew_from_the_stored_text(history: Path) -> None:
    index_repositories([history])
    folder = folder_of(history)
    for file in folder.lexical(0).iterdir():
        file.unlink()
    create_index(folder.lexical(0))
    made_with(history, tokenizer="0")
    with open_index(history) as index:
        assert best(index, "total price", "lexical") == "cart.py"
    assert recorded(history)["tokenizer"] == wanted()["tokenizer"]


def test_files_of_another_chunker_are_cut_anew_in_every_snapshot(history: Path) -> None:
    index_repositories([history])
    index_repositories([history], refs=["dev", "v1"])
    before = recorded(history)
    with journal(history) as connection:
        connection.execute("UPDATE version SET chunker = ?", (CHUNKER_VERSION - 1,))
    made_with(history, chunker=str(CHUNKER_VERSION - 1))
    with open_index(history) as index:
        assert best(index, "total_price", "hybrid") == "cart.py"
    assert cuts(history) == {CHUNKER_VERSION}
    after = recorded(history)
    assert after["chunker"] == str(CHUNKER_VERSION)
    assert after["reserved_rows"] == before["reserved_rows"], "what is cut the same keeps its row"
    assert examine(history / ".codeintel").ok


def test_a_run_that_cuts_anew_counts_each_file_once(history: Path) -> None:
    first = index_repositories([history])
    with journal(history) as connection:
        connection.execute("UPDATE version SET chunker = ?", (CHUNKER_VERSION - 1,))
    made_with(history, chunker=str(CHUNKER_VERSION - 1))
    again = index_repositories([history])
    assert (again.changed, again.unchanged, again.skipped) == (first.added, 0, first.skipped)


def test_what_could_not_be_cut_anew_now_is_by_the_next_run(
    history: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index_repositories([history])
    with journal(history) as connection:
        connection.execute("UPDATE version SET chunker = ?", (CHUNKER_VERSION - 1,))
    made_with(history, chunker=str(CHUNKER_VERSION - 1))
    monkeypatch.setattr(local, "REFRESH_WAIT_S", 0.0)
    with file_lock.hold(folder_of(history).writer_lock), open_index(history) as index:
        result = index.search("total_price")
    assert (result.hits[0].uri, result.limits) == ("cart.py", ("stale_index",))
    assert recorded(history)["chunker"] == str(CHUNKER_VERSION - 1)
    open_index(history).close()
    assert cuts(history) == {CHUNKER_VERSION}


def test_a_snapshot_whose_commit_is_gone_stays_as_it_was_cut(history: Path, git: Git) -> None:
    index_repositories([history], refs=["dev", "main"])
    git(history, "branch", "-D", "dev")
    git(history, "reflog", "expire", "--expire=all", "--all")
    git(history, "gc", "-q", "--prune=now")
    with journal(history) as connection:
        connection.execute("UPDATE version SET chunker = ?", (CHUNKER_VERSION - 1,))
    made_with(history, chunker=str(CHUNKER_VERSION - 1))
    index_repositories([history])
    assert recorded(history)["chunker"] == str(CHUNKER_VERSION)
    assert cuts(history) == {CHUNKER_VERSION - 1, CHUNKER_VERSION}
    assert examine(history / ".codeintel").ok


def test_what_only_acts_on_queries_is_only_recorded(history: Path) -> None:
    index_repositories([history])
    before = recorded(history)
    with journal(history) as connection:
        connection.execute("DELETE FROM meta WHERE key IN ('ranking', 'background_idf')")
    assert examine(history / ".codeintel").ok
    open_index(history).close()
    after = recorded(history)
    assert after["ranking"] == wanted()["ranking"]
    assert after["generation"] == before["generation"]


@pytest.mark.parametrize("component", ["chunker", "tokenizer", "ranking"])
def test_an_index_of_newer_components_is_an_error_that_names_both(
    history: Path, component: str
) -> None:
    index_repositories([history])
    made_with(history, **{component: "999"})
    told = f"{component} 999, this program knows it up to {wanted()[component]}"
    with pytest.raises(IndexForeign, match=told):
        open_index(history)
    with pytest.raises(IndexForeign, match=told):
        open_index(history, refresh=False)
    index_repositories([history], full=True)
    open_index(history).close()


def test_the_old_index_serves_by_words_while_another_process_writes(history: Path) -> None:
    index_repositories([history])
    made_with(history, model_fingerprint="of another model")
    with (
        file_lock.hold(folder_of(history).writer_lock),
        open_index(history, refresh=False) as index,
    ):
        result = index.search("total_price")
        assert result.hits[0].uri == "cart.py"
        assert result.limits == ("faiss_error",)
    index_repositories([history])
    with open_index(history, refresh=False) as index:
        assert index.search("total_price").limits == ()


def test_an_open_index_notices_that_it_was_repaired(history: Path) -> None:
    index_repositories([history])
    made_with(history, model_fingerprint="of another model")
    with open_index(history, refresh=False) as index:
        assert index.search("total_price").limits == ("faiss_error",)
        index_repositories([history])
        assert index.search("total_price").limits == ()


def test_the_doctor_names_the_cheapest_repair(history: Path) -> None:
    index_repositories([history])
    made_with(history, model_fingerprint="of another model")
    (fault,) = (check for check in examine(history / ".codeintel").checks if not check.ok)
    assert fault.name == "shop: components"
    assert "--full" not in fault.fix
    assert repair(history / ".codeintel", load_settings({}), quiet).ok


def test_every_earlier_format_has_a_step_to_the_next() -> None:
    assert sorted(journal_migration.STEPS) == list(range(1, SCHEMA_VERSION))


def test_a_journal_of_an_earlier_format_is_migrated_in_place(history: Path, git: Git) -> None:
    """The format here is made up: one that did not flag secrets yet."""

    def flag_secrets(connection: sqlite3.Connection) -> None:
        connection.execute("ALTER TABLE version ADD COLUMN secrets TEXT NOT NULL DEFAULT ''")

    index_repositories([history])
    with journal(history) as connection:
        connection.execute("ALTER TABLE version DROP COLUMN secrets")
        connection.execute("UPDATE meta SET value = ? WHERE key = 'schema'", (SCHEMA_VERSION - 1,))
    with pytest.raises(IndexUnusable):
        open_index(history, refresh=False)
    path, steps = folder_of(history).journal, {SCHEMA_VERSION - 1: flag_secrets}
    assert journal_migration.is_earlier(path, steps)
    with pytest.raises(KeyError):
        journal_migration.migrate(path, steps={})
    journal_migration.migrate(path, steps)
    assert not journal_migration.is_earlier(path, steps)
    write(history, "late.py", "def late_arrival():\n    return 1\n")
    commit(git, history)
    with open_index(history) as index:
        assert best(index, "late_arrival", "hybrid") == "late.py"
    assert examine(history / ".codeintel").ok


def test_a_newer_format_is_an_error_that_names_both(history: Path) -> None:
    index_repositories([history])
    made_with(history, schema=99)  # type: ignore[arg-type]
    told = f"has format 99, this program reads format {SCHEMA_VERSION}"
    with pytest.raises(IndexForeign, match=told):
        open_index(history)
    with pytest.raises(IndexForeign, match=told):
        index_repositories([history])
