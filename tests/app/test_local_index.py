"""The store followed through edits, through the same calls that the command line makes."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

import codeintel_rev
from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.app.local import LocalIndex, open_index
from codeintel_rev.config.settings import load_settings
from codeintel_rev.errors import (
    Busy,
    IndexMissing,
    NotARepository,
    NotFound,
    SettingsError,
)
from codeintel_rev.indexing.store import RepositoryFolder
from codeintel_rev.io import file_lock
from codeintel_rev.io.registry import Registry
from codeintel_rev.types import Scope

ROUTER = '''\
"""Request routing."""


class Router:
    """Maps URLs to handlers."""

    def match_url(self, url: str) -> str:
        """Return the handler whose pattern matches the URL."""
        for pattern, handler in self.routes:
            if pattern.match(url):
                return handler
        raise LookupError(url)
'''

RETRY = '''\
import time


def retry_with_backoff(call, attempts=3):
    """Call again with growing pauses until it succeeds."""
    for attempt in range(attempts):
        try:
            return call()
        except ConnectionError:
            time.sleep(2**attempt)
    raise TimeoutError
'''

GUIDE = "# Guide\n\nHow to install the thing.\n\n## Routing\n\nRoutes are matched in order.\n"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    (root / "shop").mkdir(parents=True)
    (root / "shop" / "router.py").write_text(ROUTER)
    (root / "shop" / "retry.py").write_text(RETRY)
    (root / "guide.md").write_text(GUIDE)
    return root


def edit(path: Path, text: str) -> None:
    """Write a file and give it a past, so that its time stamp can be trusted at once."""
    path.write_text(text)
    os.utime(path, ns=(1, path.stat().st_mtime_ns - 60_000_000_000))


def first(index: LocalIndex, query: str) -> tuple[str, str]:
    hit = index.search(query).hits[0]
    return hit.uri, hit.symbol


def live_rows(root: Path) -> tuple[int, int]:
    """Return how many rows are live, and how many were ever given out."""
    registry = Registry(root / ".codeintel")
    folder = RepositoryFolder(registry.folder(registry.repositories()[0]))
    registry.close()
    with open_index(root, refresh=False) as index:
        chunks = index.status().chunks
    return chunks, int(folder.state()[1]["reserved_rows"])  # type: ignore[call-overload]


def test_a_question_in_words_finds_the_function(repo: Path) -> None:
    with codeintel_rev.open(repo) as index:
        assert first(index, "how are failed calls tried again with growing pauses") == (
            "shop/retry.py",
            "retry_with_backoff",
        )
        assert first(index, "which handler matches a URL")[0] == "shop/router.py"


def test_a_name_is_answered_exactly_first(repo: Path) -> None:
    with codeintel_rev.open(repo) as index:
        for query in ("match_url", "Router.match_url", "match_url()", "MATCH_URL"):
            hit = index.search(query).hits[0]
            assert hit.uri == "shop/router.py"
            assert "def match_url" in hit.code


def test_a_location_is_opened(repo: Path) -> None:
    with codeintel_rev.open(repo) as index:
        for query in ("shop/retry.py:7", "retry.py:7", "./retry.py:7"):
            hit = index.search(query).hits[0]
            assert hit.uri == "shop/retry.py"
            assert hit.start_line <= 7 <= hit.end_line


def test_hits_carry_the_lines_of_the_file(repo: Path) -> None:
    with codeintel_rev.open(repo) as index:
        for hit in index.search("router retry guide").hits:
            lines = (repo / hit.uri).read_text().splitlines()
            text = "\n".join(lines[hit.start_line - 1 : hit.end_line])
            assert hit.code.strip() in text
            assert not hit.stale


def test_scope_narrows_by_globs_and_language(repo: Path) -> None:
    with codeintel_rev.open(repo) as index:
        markdown = index.search("routes", scope=Scope(languages=["md"]))
        assert {hit.uri for hit in markdown.hits} == {"guide.md"}
        without = index.search("routes", scope=Scope(exclude_globs=["*.md", "router.py"]))
        assert {hit.uri for hit in without.hits} == {"shop/retry.py"}
        nothing = index.search("routes", scope=Scope(include_globs=["*.rs"]))
        assert nothing.hits == ()
        assert "scope_empty" in nothing.limits


def test_a_repository_that_is_not_there_is_named(repo: Path) -> None:
    with codeintel_rev.open(repo) as index, pytest.raises(NotFound, match="'other'"):
        index.search("routes", scope=Scope(repos=["other"]))


def test_an_edit_is_seen_and_only_its_rows_are_new(repo: Path) -> None:
    codeintel_rev.open(repo).close()
    before, reserved = live_rows(repo)
    edit(repo / "shop" / "retry.py", RETRY.replace("growing pauses", "exponential jitter"))
    with codeintel_rev.open(repo) as index:
        assert "exponential jitter" in index.search("exponential jitter").hits[0].code
    after, reserved_after = live_rows(repo)
    assert after == before
    assert reserved_after == reserved + 1


def test_a_deleted_file_is_gone_and_a_revert_revives_its_rows(repo: Path) -> None:
    codeintel_rev.open(repo).close()
    _, reserved = live_rows(repo)
    (repo / "shop" / "retry.py").unlink()
    with codeintel_rev.open(repo) as index:
        assert all(hit.uri != "shop/retry.py" for hit in index.search("retry backoff").hits)
    edit(repo / "shop" / "retry.py", RETRY)
    with codeintel_rev.open(repo) as index:
        assert first(index, "retry_with_backoff") == ("shop/retry.py", "retry_with_backoff")
    assert live_rows(repo)[1] == reserved


def test_lines_move_with_the_text_above_them(repo: Path) -> None:
    codeintel_rev.open(repo).close()
    edit(repo / "shop" / "retry.py", "# one\n# two\n\n\n" + RETRY)
    with codeintel_rev.open(repo) as index:
        hit = index.search("retry_with_backoff").hits[0]
        lines = (repo / hit.uri).read_text().splitlines()
        assert hit.code.strip().splitlines()[-1].strip() == lines[hit.end_line - 1].strip()


def test_a_hit_says_when_its_file_has_moved_on(repo: Path) -> None:
    with codeintel_rev.open(repo) as index:
        edit(repo / "shop" / "retry.py", RETRY.replace("attempts", "tries"))
        hits = {hit.symbol: hit.stale for hit in index.search("router retry").hits}
    assert hits["retry_with_backoff"]
    assert not hits["Router"]


def test_a_hit_whose_text_moved_says_where_it_stands_now(repo: Path) -> None:
    with codeintel_rev.open(repo) as index:
        before = index.search("retry_with_backoff").hits[0]
        edit(repo / "shop" / "retry.py", "# one\n# two\n" + RETRY)
        moved = index.search("retry_with_backoff").hits[0]
        assert (moved.start_line, moved.end_line) == (before.start_line + 2, before.end_line + 2)
        assert not moved.stale
        assert moved.content_hash != before.content_hash
        edit(repo / "shop" / "retry.py", RETRY + "\n\n" + RETRY)
        assert index.search("retry_with_backoff").hits[0].stale


def test_an_open_index_sees_what_another_process_commits(repo: Path) -> None:
    with codeintel_rev.open(repo) as index:
        index.search("retry")
        edit(repo / "shop" / "cache.py", "def evict_oldest_entry():\n    return None\n")
        index_repositories([repo])
        assert first(index, "evict_oldest_entry") == ("shop/cache.py", "evict_oldest_entry")


def test_nothing_is_written_when_nothing_changed(repo: Path) -> None:
    for path in repo.rglob("*.*"):
        if path.is_file():
            edit(path, path.read_text())
    one = index_repositories([repo])
    two = index_repositories([repo])
    assert (two.added, two.changed, two.removed, two.unchanged) == (0, 0, 0, 3)
    assert one.repos == two.repos


def test_a_full_rebuild_gives_the_same_hits(repo: Path) -> None:
    with codeintel_rev.open(repo) as index:
        before = [(h.doc_id, h.score) for h in index.search("match routes in order").hits]
    index_repositories([repo], full=True)
    with codeintel_rev.open(repo) as index:
        assert [(h.doc_id, h.score) for h in index.search("match routes in order").hits] == before
    assert len(list((repo / ".codeintel" / "repos").iterdir())) == 1


def test_a_second_writer_is_told_who_writes(repo: Path) -> None:
    index_repositories([repo])
    registry = Registry(repo / ".codeintel")
    folder = RepositoryFolder(registry.folder(registry.repositories()[0]))
    registry.close()
    edit(repo / "shop" / "cache.py", "def evict_oldest_entry():\n    return None\n")
    with file_lock.hold(folder.writer_lock):
        with pytest.raises(Busy, match=f"process {os.getpid()}"):
            index_repositories([repo], wait=False)
        with open_index(repo, refresh=False) as index:
            assert index.status().writer is not None
            assert index.search("router").hits


def test_what_cannot_be_indexed_says_why(tmp_path: Path) -> None:
    with pytest.raises(NotARepository, match="does not exist"):
        index_repositories([tmp_path / "nowhere"])
    (tmp_path / "file.py").write_text("x = 1\n")
    with pytest.raises(NotARepository, match="is no folder"):
        index_repositories([tmp_path / "file.py"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotARepository, match="no text files"):
        index_repositories([tmp_path / "empty"])
    with pytest.raises(IndexMissing):
        LocalIndex(tmp_path / "empty" / ".codeintel-none", load_settings({}))


def test_a_file_that_vanishes_while_indexing_costs_only_itself(repo: Path) -> None:
    def progress(stage: str, done: int, total: int, lines: int) -> None:
        if stage == "index":
            (repo / "shop" / "retry.py").unlink(missing_ok=True)

    report = index_repositories([repo], progress=progress)
    assert report.added == 2
    with open_index(repo, refresh=False) as index:
        assert index.status().skipped["unreadable"] == 1


def test_an_interrupted_run_leaves_the_last_view_and_keeps_what_it_did(repo: Path) -> None:
    index_repositories([repo])
    edit(repo / "shop" / "cache.py", "def evict_oldest_entry():\n    return None\n")

    def interrupt(stage: str, done: int, total: int, lines: int) -> None:
        if stage == "commit":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index_repositories([repo], progress=interrupt)
    with open_index(repo, refresh=False) as index:
        assert all(hit.uri != "shop/cache.py" for hit in index.search("evict").hits)
    assert index_repositories([repo]).added == 1
    with open_index(repo, refresh=False) as index:
        assert first(index, "evict_oldest_entry")[0] == "shop/cache.py"


def test_two_repositories_share_a_data_directory(repo: Path, tmp_path: Path) -> None:
    other = tmp_path / "store"
    shutil.copytree(repo, other, ignore=shutil.ignore_patterns(".codeintel"))
    data = tmp_path / "data"
    index_repositories([repo, other], data_dir=data)
    with open_index(data_dir=data) as index:
        hits = index.search("retry_with_backoff").hits
        assert {hit.repo for hit in hits if hit.symbol == "retry_with_backoff"} == {"shop", "store"}
        only = index.search("retry", scope=Scope(repos=["store"])).hits
        assert {hit.repo for hit in only} == {"store"}
        assert len({hit.doc_id for hit in hits}) == len(hits)


def test_a_question_is_answered_with_checked_places(repo: Path) -> None:
    with codeintel_rev.open(repo) as index:
        answer = index.ask("how are failed calls tried again?")
    assert answer.plan.synthesizer == "extractive"
    assert answer.citations
    for citation in answer.citations:
        assert citation.verified
        assert f"{citation.uri}:{citation.start_line}-{citation.end_line}" in answer.answer
    assert answer.citations[0].uri == "shop/retry.py"


def test_settings_that_name_another_model_are_refused_with_both(repo: Path) -> None:
    settings = load_settings({"EMBEDDING_VEC_DIM": "768"})
    with pytest.raises(SettingsError, match=r"EMBEDDING_VEC_DIM is 768, .* vectors of 256") as told:
        open_index(repo, settings=settings)
    assert not list(repo.glob(".codeintel/repos/*/state.sqlite"))
    open_files = [os.path.realpath(link) for link in Path("/proc/self/fd").iterdir()]
    assert not [file for file in open_files if file.startswith(str(repo))]
    assert told.value.value == "768"


def test_a_quotation_and_a_pasted_line_are_found_as_they_stand(repo: Path) -> None:
    noise = "\n\n".join(
        f"def opens_{at}(handler, pattern, url):\n    # handler pattern match url return\n    return handler"
        for at in range(40)
    )
    edit(repo / "shop" / "noise.py", noise)
    with codeintel_rev.open(repo) as index:
        for query in ("if pattern.match(url):", 'what says "Maps URLs to handlers."?'):
            assert index.search(query).hits[0].uri == "shop/router.py"


def test_a_class_stands_before_its_constructor(repo: Path) -> None:
    body = "".join(
        f"    def step_{at}(self):\n        return {at} * self.size\n\n" for at in range(60)
    )
    source = (
        "class Planner:\n    public Planner = None\n\n"
        "    def Planner(self):\n        return Planner.Planner\n\n" + body
    )
    edit(repo / "shop" / "planner.py", source)
    with codeintel_rev.open(repo) as index:
        assert index.search("Planner").hits[0].kind == "class"


def test_a_type_is_named_by_a_word_with_a_capital_inside_a_sentence(repo: Path) -> None:
    edit(repo / "shop" / "parts.py", "class Segment:\n    style = None\n    width = 0\n")
    with codeintel_rev.open(repo) as index:
        named = {
            query: index.search(query, explain=True).hits[0].explain["exact"]
            for query in ("what is a Segment?", "what is a segment?")
        }
    assert named == {"what is a Segment?": True, "what is a segment?": False}


def test_a_name_said_in_words_and_a_default_that_is_asked_for_come_first(repo: Path) -> None:
    (repo / "pool.py").write_text(
        "def wait_for_pool(timeout):\n    return pool.wait(timeout)\n\n\n"
        "def read_pool_timeout(pool):\n    return pool.timeout\n"
    )
    (repo / "defaults.py").write_text(
        "import os\n\nDEFAULT_POOL_TIMEOUT = 30\n\nLIMITS = dict(\n    pool_size=Option(8),\n)\n"
    )
    with open_index(repo) as index:
        for query, line in {
            "what is the default pool timeout?": "DEFAULT_POOL_TIMEOUT = 30",
            "which pool size is used by default?": "pool_size=Option(8)",
            "where do we match the URL": "def match_url",
        }.items():
            hit = index.search(query).hits[0]
            assert line in hit.code
            assert hit.score > 1.0


def test_no_test_has_the_name_that_is_said_in_words(repo: Path) -> None:
    (repo / "tests").mkdir()
    edit(repo / "tests" / "test_run.py", "def create_runtime():\n    return 1\n")
    with open_index(repo) as index:
        assert index.search("create runtime").hits[0].score <= 1.0
        assert index.search("create runtime fixture").hits[0].score <= 1.0


def test_a_name_that_nothing_defines_is_found_where_it_stands(repo: Path) -> None:
    edit(repo / "shop" / "page.txt", "Words.\n\nThe button calls openBasket when pressed.\n")
    for number in range(5):
        edit(
            repo / "shop" / f"open{number}.py", f"def open_{number}_basket():\n    basket = open\n"
        )
    with open_index(repo) as index:
        for query in ("openBasket", "where is openBasket defined?"):
            assert index.search(query).hits[0].uri == "shop/page.txt"


def test_words_that_many_things_are_called_are_no_name(repo: Path) -> None:
    for number in range(7):
        (repo / f"user{number}.py").write_text(f"def user_name():\n    return {number}\n")
    with open_index(repo) as index:
        assert index.search("user name").hits[0].score <= 1.0


def test_the_heirs_of_a_type_come_first(repo: Path) -> None:
    edit(repo / "shop" / "store.py", "class Store:\n    def get(self, key): ...\n")
    for number in range(4):
        heir = f"class Heir{number}(Store):\n    def get(self, key):\n        return {number}\n"
        edit(repo / "shop" / f"heir{number}.py", heir)
        edit(repo / "shop" / f"user{number}.py", f"def use{number}(Store):\n    Store().get(1)\n")
    with open_index(repo) as index:
        hits = index.search("which classes extend Store?").hits
        assert hits[0].symbol == "Store"
        assert {hit.symbol for hit in hits[1:5]} == {f"Heir{number}" for number in range(4)}
