"""Whole evaluations, with a searcher that counts words."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from codeintel_rev.errors import InvalidArgument, NotFound
from codeintel_rev.evaluation.datasets import Judgement, Query, QuerySet, Tree
from codeintel_rev.evaluation.plan import make_plan
from codeintel_rev.evaluation.runner import run
from codeintel_rev.evaluation.runs import Result
from codeintel_rev.evaluation.sources import Document, corpus_source
from codeintel_rev.types import SearchHit, SearchResult

WEB = Tree("owner/web", "a" * 40)
SHOP = Tree("owner/shop", "b" * 40, "lib")


class WordCounter:
    """Finds the lines that hold a word of the query; more words rank first."""

    def __init__(self, root: Path) -> None:
        self.lines = [
            (file.relative_to(root).as_posix(), number, line)
            for file in sorted(root.rglob("*.*"))
            for number, line in enumerate(file.read_text("utf-8").splitlines(), 1)
        ]

    def search(self, query: str, *, limit: int = 10) -> SearchResult:
        words = set(query.split())
        found = [
            SearchHit(doc_id=n, score=len(words & set(line.split())), uri=uri,
                      start_line=number, end_line=number)
            for n, (uri, number, line) in enumerate(self.lines)
        ]  # fmt: skip
        ranked = sorted((hit for hit in found if hit.score), key=lambda hit: -hit.score)
        return SearchResult(query, tuple(ranked[:limit]))


class Indexer:
    """Opens word counters and remembers which, and how many at a time."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.open_now = 0

    @contextmanager
    def __call__(self, root: Path, name: str) -> Iterator[WordCounter]:
        assert self.open_now == 0
        self.opened.append(name)
        self.open_now += 1
        yield WordCounter(root)
        self.open_now -= 1


def query(name: str, text: str, tree: Tree | None, *judged: Judgement, **fields: str) -> Query:
    return Query(name, text, judged, tree, fields)


def ask_web(name: str = "q1") -> Query:
    return query(name, "match route", WEB, Judgement(path="router.py"), level="easy")


@pytest.fixture
def trees(tmp_path: Path) -> Path:
    for tree, path, text in [
        (WEB, "router.py", "parse url\nmatch route\n"),
        (WEB, "views.py", "route table\n"),
        (SHOP, "lib/cart.py", "add item\n"),
        (SHOP, "tests/cart.py", "add item\n"),
    ]:
        file = tmp_path / tree.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return tmp_path


def test_trees_and_corpus_are_asked_and_scored_in_one_go(trees: Path, tmp_path: Path) -> None:
    corpus = corpus_source("snippets", [Document("d1", "reverse list")], tmp_path / "docs")
    sets = [
        QuerySet("files", (
            ask_web(),
            query("q2", "add item", SHOP,
                  Judgement(path="lib/cart.py", start_line=1, end_line=1), level="hard"),
            query("q3", "nowhere", SHOP, Judgement(path="lib/cart.py"), level="hard"),
        )),
        QuerySet("snippets", (query("q1", "reverse", None, Judgement(doc_id="d1")),)),
    ]  # fmt: skip

    report = run(make_plan(sets, trees=trees, corpus=corpus), Indexer(), by="level")

    assert report.runs == {
        "files": {
            "q1": [
                Result(path="router.py", start_line=2, end_line=2, score=2),
                Result(path="views.py", start_line=1, end_line=1, score=1),
            ],
            "q2": [Result(path="lib/cart.py", start_line=1, end_line=1, score=2)],
            "q3": [],
        },
        "snippets": {"q1": [Result(doc_id="d1", start_line=1, end_line=1, score=1)]},
    }
    files = report.summaries["files"]
    assert files["all"]["ndcg@10"] == 0.6667
    assert files["all"]["span_hit@10"] == 1.0
    assert files["level=easy"]["mrr@10"] == 1.0
    assert files["level=hard"]["recall@10"] == 0.5
    assert report.summaries["snippets"]["all"]["recall@1"] == 1.0


def test_a_tree_of_several_sets_is_opened_once_and_closed_before_the_next(trees: Path) -> None:
    sets = [
        QuerySet("one", (ask_web("a"), query("b", "add", SHOP, Judgement(path="lib/cart.py")))),
        QuerySet("two", (ask_web("a"), ask_web("b"))),
    ]
    indexer = Indexer()

    report = run(make_plan(sets, trees=trees), indexer)

    assert indexer.opened == ["owner+shop@bbbbbbbbbb+lib", "owner+web@aaaaaaaaaa"]
    assert len(report.latencies) == 4


def test_a_limit_cuts_the_run(trees: Path) -> None:
    report = run(make_plan([QuerySet("s", (ask_web(),))], trees=trees), Indexer(), limit=1)

    assert len(report.runs["s"]["q1"]) == 1


def test_times_are_those_of_the_clock(trees: Path) -> None:
    ticks = count()
    plan = make_plan([QuerySet("s", (ask_web("a"), ask_web("b")))], trees=trees)

    document = run(plan, Indexer(), clock=lambda: float(next(ticks))).document()

    assert document["index_seconds"] == 1.0
    assert document["latency_ms"] == {"p50": 1000.0, "p95": 1000.0, "p99": 1000.0}
    assert document["s"]["all"]["n"] == 2


def test_progress_is_told_before_indexing_and_after_each_query(trees: Path) -> None:
    told: list[tuple[int, int, str]] = []
    plan = make_plan([QuerySet("s", (ask_web("a"), ask_web("b")))], trees=trees)

    run(plan, Indexer(), progress=lambda *step: told.append(step))

    assert told == [(done, 2, "owner+web@aaaaaaaaaa") for done in (0, 1, 2)]


def test_every_missing_tree_is_named(tmp_path: Path) -> None:
    sets = [QuerySet("s", (ask_web(), query("b", "add", SHOP, Judgement(path="cart.py"))))]

    with pytest.raises(NotFound, match=r"2 of 2 trees .*shop@bbbbbbbbbb\+lib, owner\+web@aaa"):
        make_plan(sets, trees=tmp_path)


def test_missing_trees_can_be_passed_over_with_their_queries(trees: Path) -> None:
    gone = query("gone", "x", Tree("owner/gone", "c" * 40), Judgement(path="x.py"))

    plan = make_plan(
        [QuerySet("s", (ask_web(), gone)), QuerySet("all gone", (gone,))],
        trees=trees,
        skip_missing=True,
    )

    assert plan.missing == ("owner+gone@cccccccccc",)
    assert set(run(plan, Indexer()).summaries) == {"s"}
    assert list(run(plan, Indexer()).runs["s"]) == ["q1"]


def test_files_need_a_folder_of_trees_and_documents_a_corpus() -> None:
    document = query("q", "x", None, Judgement(doc_id="d"))

    with pytest.raises(InvalidArgument, match="no folder of trees") as caught:
        make_plan([QuerySet("s", (ask_web(),))])
    assert "--repos" in caught.value.hint
    with pytest.raises(InvalidArgument, match="no corpus") as caught:
        make_plan([QuerySet("s", (document,))])
    assert "--corpus" in caught.value.hint


def test_sets_without_any_query_are_an_error_only_when_all_are(trees: Path) -> None:
    empty = QuerySet("pairs", (), skipped=7)

    assert [s.name for s in make_plan([empty, QuerySet("s", (ask_web(),))], trees=trees).sets] == [
        "s"
    ]
    with pytest.raises(InvalidArgument, match="no query to ask in pairs"):
        make_plan([empty], trees=trees)
