"""Compaction while people edit, search and index, and the catalog that it leaves."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest

import codeintel_rev
from codeintel_rev.app import compaction
from codeintel_rev.app.compaction import (
    MIN_DEAD,
    MIN_NEW,
    RowCounts,
    compact_data_dir,
    row_counts,
)
from codeintel_rev.app.doctor import examine, repair
from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.app.local import LocalIndex, open_index
from codeintel_rev.config.settings import CompactionConfig, load_settings
from codeintel_rev.errors import Busy, IndexDamaged
from codeintel_rev.indexing import retention
from codeintel_rev.indexing.compactor import Compactor
from codeintel_rev.indexing.generation_builder import GenerationBuilder
from codeintel_rev.indexing.store import RepositoryFolder
from codeintel_rev.io import file_lock
from codeintel_rev.io.journal import Journal
from codeintel_rev.io.journal_schema import connect
from codeintel_rev.io.registry import Registry
from codeintel_rev.io.static_embedder import StaticEmbedder
from codeintel_rev.types import SearchHit

CYCLES = 12
"""`benchmarks/compaction.py --cycles 1000` runs the long version."""

WORDS = "router retry cache session token parser writer reader cursor buffer"


def module(number: int, edition: int = 0) -> str:
    word = WORDS.split()[number % 10]
    return (
        f'"""Module {number}: the {word}."""\n\n\n'
        f"def {word}_{number}(value):\n"
        f'    """Return the {word} of edition {edition}."""\n'
        f"    return value + {edition}\n"
    )


def edit(path: Path, text: str) -> None:
    """Write a file as an editor does some time ago, so that no racy second is in the way."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    edit.clock += 10**9
    os.utime(path, ns=(edit.clock, edit.clock))


edit.clock = 1_600_000_000 * 10**9


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    for number in range(30):
        edit(root / f"part_{number}.py", module(number))
    index_repositories([root])
    return root


def quiet(stage: str, done: int, total: int, lines: int) -> None:
    """Tell nobody."""


def compact(repo: Path, progress: Callable[[str, int, int, int], None] = quiet):
    (done,) = compact_data_dir(repo / ".codeintel", progress=progress).repos
    return done


def folder_of(repo: Path) -> RepositoryFolder:
    registry = Registry(repo / ".codeintel")
    folder = RepositoryFolder(registry.folder(registry.repositories()[0]))
    registry.close()
    return folder


def files_of(repo: Path) -> set[str]:
    folder = folder_of(repo)
    kept = ("lexical/*", "vectors/*", "catalog/*", "locks/generation-*")
    found = (path for pattern in kept for path in folder.path.glob(pattern))
    return {str(path.relative_to(folder.path)) for path in found}


def forget_the_dead(repo: Path) -> None:
    """Let every version that no snapshot holds be older than compaction keeps it."""
    connection = connect(folder_of(repo).journal)
    connection.execute("UPDATE version SET retired_ns = 0")
    connection.close()


def results(index: LocalIndex, **options: object) -> list[tuple[int, int, float]]:
    found: list[SearchHit] = []
    for query in ("router edition", "retry_1", "return the cache", "cursor buffer value"):
        found += index.search(query, **options).hits
    return [(hit.row, hit.doc_id, hit.score) for hit in found]


def word_scores(repo: Path) -> dict[tuple[str, int], float | None]:
    found = {}
    with opened(repo) as index:
        for query in ("router edition", "return the cache", "cursor buffer value 7"):
            for hit in index.search(query, limit=100, mode="lexical").hits:
                found[query, hit.doc_id] = hit.scores.bm25
    return found


@contextmanager
def opened(repo: Path) -> Iterator[LocalIndex]:
    with open_index(repo, refresh=False) as index:
        yield index


def test_dead_rows_go_and_the_others_keep_their_numbers(repo: Path) -> None:
    edit(repo / "part_3.py", module(3, edition=1))
    index_repositories([repo])
    forget_the_dead(repo)
    with opened(repo) as index:
        before = [(row, doc_id) for row, doc_id, _ in results(index, mode="dense")]
    done = compact(repo)
    assert done.dropped > 0
    assert done.generation == 1
    with opened(repo) as index:
        assert [(row, doc_id) for row, doc_id, _ in results(index, mode="dense")] == before
        assert index.status().repos[0]["generation"] == 1


def test_a_compacted_index_scores_like_a_fresh_one(repo: Path) -> None:
    for number in range(0, 30, 3):
        edit(repo / f"part_{number}.py", module(number, edition=7))
        index_repositories([repo])
    forget_the_dead(repo)
    compact(repo)
    compacted = word_scores(repo)
    index_repositories([repo], full=True)
    assert word_scores(repo) == compacted
    assert len(compacted) > 30


def test_what_died_lately_is_kept_and_revived(repo: Path) -> None:
    edit(repo / "part_3.py", module(3, edition=1))
    index_repositories([repo])
    assert compact(repo).dropped == 0
    with open_journal(repo) as journal, journal.view() as view:
        reserved = view.meta()["reserved_rows"]
    edit(repo / "part_3.py", module(3))
    index_repositories([repo])
    with open_journal(repo) as journal, journal.view() as view:
        assert view.meta()["reserved_rows"] == reserved


@contextmanager
def open_journal(repo: Path) -> Iterator[Journal]:
    journal = Journal(folder_of(repo).journal)
    yield journal
    journal.close()


def test_an_open_reader_is_served_throughout_and_moves_on(repo: Path) -> None:
    with opened(repo) as index:
        before = results(index)
        seen: list[list[tuple[int, int, float]]] = []
        compact(repo, lambda *_: seen.append(results(index)))
        assert seen
        assert all(found == before for found in seen)
        assert results(index) == before
        assert index.status().repos[0]["generation"] == 1


def test_old_files_go_when_their_reader_lets_go(repo: Path) -> None:
    with opened(repo) as index:
        results(index)
        done = compact(repo)
        assert done.still_read == 1
        assert "lexical/0" in files_of(repo)
    assert compact(repo).still_read == 0
    assert files_of(repo) == {
        *("lexical/2", "catalog/2", "locks/generation-2"),
    }


def test_an_edit_made_meanwhile_is_not_lost(repo: Path) -> None:
    def progress(stage: str, done: int, total: int, lines: int) -> None:
        if done == 0:
            edit(repo / "late.py", "def late_arrival():\n    return 'swordfish'\n")
            (repo / "part_5.py").unlink()
            index_repositories([repo])

    compact(repo, progress)
    with opened(repo) as index:
        assert index.search("swordfish", mode="lexical").hits[0].uri == "late.py"
        assert index.search("late arrival", mode="dense").hits[0].uri == "late.py"
        assert all(hit.uri != "part_5.py" for hit in index.search("session_5").hits)


def test_text_that_returns_while_its_row_is_dropped_gets_a_new_row(repo: Path) -> None:
    edit(repo / "part_3.py", module(3, edition=1))
    index_repositories([repo])
    forget_the_dead(repo)

    def progress(stage: str, done: int, total: int, lines: int) -> None:
        if done == 0:
            edit(repo / "part_3.py", module(3))
            index_repositories([repo])

    compact(repo, progress)
    with opened(repo) as index:
        for mode in ("lexical", "dense", "exact"):
            assert index.search("session_3", mode=mode).hits[0].uri == "part_3.py"


STEPS = [
    *((Compactor, name) for name in ("_seal", "_replay", "_swap")),
    *((GenerationBuilder, name) for name in ("_write_catalog", "_write_words")),
]


@pytest.mark.parametrize(("worker", "step"), STEPS)
@pytest.mark.parametrize("after", [False, True])
def test_a_compaction_that_breaks_off_leaves_the_old_index_and_no_orphan(
    repo: Path, worker: type, step: str, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stopped(KeyboardInterrupt):
        """Raised at one step."""

    whole = getattr(worker, step)

    def stop(self, *arguments, **options):
        if after:
            whole(self, *arguments, **options)
        raise Stopped

    edit(repo / "part_3.py", module(3, edition=1))
    index_repositories([repo])
    forget_the_dead(repo)
    with opened(repo) as index:
        before = [(i, s) for _, i, s in results(index)]
    with monkeypatch.context() as broken:
        broken.setattr(worker, step, stop)
        with pytest.raises(Stopped):
            compact(repo)
    with opened(repo) as index:
        assert {i for i, _ in before} == {i for _, i, _ in results(index)}
    generation = compact(repo).generation
    assert files_of(repo) == {
        *(f"lexical/{generation}", f"catalog/{generation}", f"locks/generation-{generation}"),
    }
    compacted = word_scores(repo)
    index_repositories([repo], full=True)
    assert word_scores(repo) == compacted


def test_cycles_of_editing_and_compacting_do_not_grow(repo: Path) -> None:
    sizes = []
    for cycle in range(CYCLES):
        edit(repo / "part_3.py", module(3, edition=cycle))
        index_repositories([repo])
        forget_the_dead(repo)
        sizes.append(compact(repo).bytes_after)
    assert max(sizes[4:]) <= 1.02 * max(sizes[:4])
    with opened(repo) as index:
        assert f"edition {CYCLES - 1}" in index.search("session_3").hits[0].code


def pages(repo: Path) -> tuple[int, int]:
    """Return how many pages the journal has, and how many of them hold nothing."""
    with closing(connect(folder_of(repo).journal)) as connection:
        names = ("page_count", "freelist_count")
        return tuple(connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names)


def pages_without_holes(repo: Path, scratch: Path) -> int:
    with closing(connect(folder_of(repo).journal)) as connection:
        connection.execute("VACUUM INTO ?", (str(scratch),))
    return scratch.stat().st_size // 4096


@pytest.mark.parametrize("edited", [1, 25])
def test_the_journal_gives_back_what_dropped_rows_took(
    repo: Path, tmp_path: Path, edited: int
) -> None:
    for number in range(25):
        edit(repo / f"other_{number}.py", "".join(module(n, number) for n in range(60)))
    index_repositories([repo])
    for number in range(edited):
        edit(repo / f"other_{number}.py", "gone = True\n")
    index_repositories([repo])
    forget_the_dead(repo)
    before, _ = pages(repo)
    assert compact(repo).dropped >= 9 * edited
    after, free = pages(repo)
    assert after < before
    assert free == 0
    if edited > 1:
        assert after <= pages_without_holes(repo, tmp_path / "rewritten.sqlite")
    with opened(repo) as index:
        assert index.search("gone", mode="lexical").hits
        assert index.search("router_10", mode="exact").hits


def test_the_catalog_holds_what_the_snapshots_hold(repo: Path) -> None:
    compact(repo)
    catalog = folder_of(repo).catalog(1)
    with duckdb.connect(catalog / "catalog.duckdb", read_only=True) as connection:
        connection.execute("SET file_search_path = ?", [str(catalog)])
        names = [row[0] for row in connection.execute("DESCRIBE chunks").fetchall()]
        assert names == [
            *("row", "id", "repo", "uri", "start_line", "end_line", "lang", "content", "symbol"),
            *("kind", "content_hash", "commit", "ref", "refs", "embedding"),
        ]
        rows = connection.execute(
            "SELECT row, id, uri, start_line, end_line, content, content_hash FROM chunks"
            " ORDER BY row"
        ).fetchall()
        (kind,) = connection.execute("SELECT typeof(embedding) FROM chunks LIMIT 1").fetchone()
    assert kind == f"FLOAT[{StaticEmbedder().dim}]"
    with open_journal(repo) as journal, journal.view() as view:
        live = np.flatnonzero(view.live(view.snapshot().id)).tolist()
    assert [row[0] for row in rows] == live
    for _, _, uri, start, end, content, _ in rows:
        lines = (repo / uri).read_text().splitlines()
        assert (
            content.strip().splitlines() == "\n".join(lines[start - 1 : end]).strip().splitlines()
        )


def test_the_file_holds_what_is_kept_for_a_return_but_does_not_show_it(repo: Path) -> None:
    edit(repo / "part_3.py", module(3, edition=1))
    index_repositories([repo])
    compact(repo)
    catalog = folder_of(repo).catalog(1)
    with duckdb.connect(catalog / "catalog.duckdb", read_only=True) as connection:
        connection.execute("SET file_search_path = ?", [str(catalog)])
        (shown,) = connection.execute("SELECT count(*) FROM chunks").fetchone()
        held = connection.execute(
            "SELECT uri, commit, refs FROM read_parquet('chunks.parquet') WHERE ref IS NULL"
        ).fetchall()
    assert held
    assert {(uri, commit, tuple(refs)) for uri, commit, refs in held} == {("part_3.py", None, ())}
    with open_journal(repo) as journal, journal.view() as view:
        assert shown == view.live(view.snapshot().id).sum()
        assert shown + len(held) == view.meta()["stored_rows"]


def test_what_is_taken_over_is_what_a_fresh_generation_holds(repo: Path) -> None:
    for cycle in range(3):
        for number in range(cycle, 30, 7):
            edit(repo / f"part_{number}.py", module(number, edition=cycle))
        index_repositories([repo])
        forget_the_dead(repo)
        compact(repo)
    taken_over = catalog_of(repo, 3), word_scores(repo)
    compact_data_dir(repo / ".codeintel", progress=quiet, afresh=True)
    assert (catalog_of(repo, 4), word_scores(repo)) == taken_over


def catalog_of(repo: Path, generation: int) -> list[dict[str, object]]:
    return pq.read_table(folder_of(repo).catalog(generation) / "chunks.parquet").to_pylist()


@pytest.mark.parametrize("kind", ["catalog", "lexical", "meta.json"])
def test_what_cannot_be_taken_over_is_made_anew(repo: Path, kind: str) -> None:
    compact(repo)
    scores = word_scores(repo)
    edit(repo / "part_3.py", module(3, edition=1))
    index_repositories([repo])
    edit(repo / "part_3.py", module(3))
    index_repositories([repo])
    forget_the_dead(repo)
    folder = folder_of(repo)
    if kind == "catalog":
        path = folder.catalog(1) / "chunks.parquet"
        path.write_bytes(b"PAR2" + path.read_bytes()[4:-4] + b"PAR2")
    elif kind == "meta.json":
        (folder.lexical(1) / kind).write_text("{}")
    else:
        for path in folder.lexical(1).glob("*.term"):
            path.unlink()
    compact(repo)
    assert word_scores(repo) == scores


def test_damaged_vectors_are_not_taken_over(repo: Path) -> None:
    (path,) = folder_of(repo).vectors.iterdir()
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    with pytest.raises(IndexDamaged, match="does not hold the vectors that were written"):
        compact(repo)
    assert not examine(repo / ".codeintel").ok
    assert repair(repo / ".codeintel", load_settings(), quiet).ok


def test_vectors_can_be_made_anew_from_the_text(repo: Path) -> None:
    with opened(repo) as index:
        before = results(index, mode="dense")
    for path in folder_of(repo).vectors.iterdir():
        path.write_bytes(b"")
    compact_data_dir(repo / ".codeintel", progress=quiet, reembed=True)
    with opened(repo) as index:
        assert results(index, mode="dense") == before


def test_a_second_compactor_is_told_who_compacts(repo: Path) -> None:
    with file_lock.hold(folder_of(repo).compactor_lock), pytest.raises(Busy, match="compacted by"):
        compact_data_dir(repo / ".codeintel", wait=False, progress=quiet)


def test_compaction_is_due_when_much_could_be_dropped() -> None:
    config = CompactionConfig()
    kept = int(100_000 * retention.KEEP_SHARE)
    assert not RowCounts(100_000 + kept, 100_000, 0).is_due(config)
    assert RowCounts(100_000 + kept + 30_000, 100_000, 0).is_due(config)
    assert not RowCounts(MIN_DEAD - 1, 0, 0).is_due(config)


def test_compaction_is_due_when_the_catalog_lacks_much() -> None:
    config = CompactionConfig()
    assert RowCounts(MIN_NEW, MIN_NEW, MIN_NEW).is_due(config)
    assert not RowCounts(MIN_NEW, MIN_NEW, MIN_NEW - 1).is_due(config)
    assert not RowCounts(1_000_000, 1_000_000, MIN_NEW).is_due(config)
    assert RowCounts(1_000_000, 1_000_000, 250_000).is_due(config)


def test_what_the_catalog_lacks_is_counted(repo: Path) -> None:
    stored = row_counts(folder_of(repo)).stored
    assert row_counts(folder_of(repo)).new == stored
    compact(repo)
    assert row_counts(folder_of(repo)).new == 0
    edit(repo / "part_3.py", module(3, edition=1))
    index_repositories([repo])
    assert 0 < row_counts(folder_of(repo)).new < stored


@pytest.mark.parametrize("command", ["index", "compact"])
def test_what_a_killed_rebuild_left_goes_with_the_next(repo: Path, command: str) -> None:
    left = repo / ".codeintel" / "repos" / "0123456789abcdef"
    shutil.copytree(folder_of(repo).path, left)
    with file_lock.hold(folder_of(repo).writer_lock):
        with suppress(Busy):
            index_repositories([repo], wait=False)
        assert left.exists()  # it may be what is being built
    if command == "index":
        index_repositories([repo])
    else:
        compact(repo)
    assert not left.exists()
    assert examine(repo / ".codeintel").ok


def test_a_process_of_its_own_compacts_when_it_is_due(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, data_dir = folder_of(repo), repo / ".codeintel"
    start = partial(compaction.start_if_due, folder, data_dir)
    assert not start(CompactionConfig())
    monkeypatch.setattr(compaction, "MIN_DEAD", 0)
    assert not start(CompactionConfig(auto=False, dead_share=0.0))
    with file_lock.hold(folder.compactor_lock):
        assert not start(CompactionConfig(dead_share=0.0))
    assert start(CompactionConfig(dead_share=0.0))
    while folder.state()[1]["generation"] == 0:  # bounded by the test's own time limit
        with codeintel_rev.open(repo) as index:
            assert index.search("router_0").hits
