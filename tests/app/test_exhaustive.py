"""Every line that matches: with and without a catalog, after edits, in scope, and beside grep."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from codeintel_rev.app.compaction import compact_data_dir
from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.app.local import LocalIndex, open_index
from codeintel_rev.app.narrowing import FEW_ROWS
from codeintel_rev.app.refreshing import quiet
from codeintel_rev.cancellation import Cancellation
from codeintel_rev.config.settings import DuckDBConfig, Settings
from codeintel_rev.errors import DeadlineExceeded, InvalidArgument, QueryTooLong
from codeintel_rev.io import ripgrep
from codeintel_rev.types import Scope, SearchResult
from tests.app.conftest import Git, write

WORDS = " ".join(f"word{number}" for number in range(600))

FILES = {
    "shop/cart.py": (
        "class Cart:\n    def total_price(self):\n        return self.price * 2   \n\n\n"
        "    def Price(self):\n        return 1\n"
    ),
    "shop/price.ts": "export const price = 5\r\nfunction totalPrice() { return price }\r\n",
    "docs/guide.md": f"# Guide\n\n{WORDS} the price of it\n\nAnd PRICE again: $5.00 (net)\n",
    "a,b [c].txt": "price\n",
}


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    for name, text in FILES.items():
        write(root, name, text)
    index_repositories([root])
    return root


@pytest.fixture(params=["journal", "catalog"])
def index(repo: Path, request: pytest.FixtureRequest) -> Iterator[LocalIndex]:
    """The index before its first compaction, and after it."""
    if request.param == "catalog":
        compact(repo)
    with open_index(repo, refresh=False) as opened:
        yield opened


def compact(repo: Path) -> None:
    compact_data_dir(repo / ".codeintel", progress=quiet)


def places(result: SearchResult) -> list[tuple[str, int]]:
    assert result.total == len(result.hits)
    return [(hit.uri, hit.start_line) for hit in result.hits]


def find(repo: Path, query: str, **options: object) -> list[tuple[str, int]]:
    with open_index(repo, refresh=False) as index:
        return places(index.search_all(query, **options))


# --- what is found ------------------------------------------------------------------------------


def test_text_is_listed_by_path_and_line(index: LocalIndex) -> None:
    assert places(index.search_all("price")) == [
        ("a,b [c].txt", 1),
        ("docs/guide.md", 3),
        ("docs/guide.md", 5),
        ("shop/cart.py", 2),
        ("shop/cart.py", 3),
        ("shop/cart.py", 6),
        ("shop/price.ts", 1),
        ("shop/price.ts", 2),
    ]


@pytest.mark.parametrize(
    ("query", "options", "found"),
    [
        ("Price", {}, [("shop/cart.py", 6), ("shop/price.ts", 2)]),
        ("PRICE", {"case_sensitive": True}, [("docs/guide.md", 5)]),
        ("$5.00 (net)", {}, [("docs/guide.md", 5)]),
        ("  return self", {}, [("shop/cart.py", 3)]),
        ("price * 2 ", {}, []),
        ("nowhere", {}, []),
        (r"^\s+def \w+_price\(", {"regex": True}, [("shop/cart.py", 2)]),
        (r"price \* 2$", {"regex": True}, [("shop/cart.py", 3)]),
        (r"= \d$", {"regex": True}, [("shop/price.ts", 1)]),
        (r"^word0 .*the price of it$", {"regex": True}, [("docs/guide.md", 3)]),
        (r"^word[1-9]", {"regex": True}, []),
        ("%_price", {}, []),
    ],
)
def test_patterns(
    index: LocalIndex, query: str, options: dict[str, object], found: list[tuple[str, int]]
) -> None:
    assert places(index.search_all(query, **options)) == found


def test_a_hit_says_where_and_what(index: LocalIndex) -> None:
    (hit,) = index.search_all("total_price").hits
    assert (hit.uri, hit.start_line, hit.end_line) == ("shop/cart.py", 2, 2)
    assert (hit.column, hit.end_column) == (9, 19)
    assert hit.code == "    def total_price(self):"
    assert (hit.repo, hit.language, hit.stale) == ("shop", "python", False)
    assert hit.doc_id > 0
    assert len(hit.content_hash) == 32


def test_a_line_of_several_chunks_is_searched_as_one(index: LocalIndex) -> None:
    (hit,) = index.search_all(f"{WORDS} the").hits
    assert hit.code == FILES["docs/guide.md"].split("\n")[2]
    assert hit.code[hit.column - 1 : hit.end_column] == f"{WORDS} the"
    with index.selected(None)[0].view() as view:
        spans = {path: spans for path, _, spans in view.catalog.file_spans(view.snapshot)}
    assert len(spans["docs/guide.md"]) > 3


def test_definitions_are_found_by_name(index: LocalIndex) -> None:
    def found(query: str, **options: object) -> list[tuple[str, int, str]]:
        result = index.search_all(query, symbols=True, **options)
        assert result.total == len(result.hits)
        return [(hit.uri, hit.start_line, hit.symbol) for hit in result.hits]

    assert found("price") == [
        ("shop/cart.py", 2, "Cart.total_price"),
        ("shop/cart.py", 6, "Cart.Price"),
        ("shop/price.ts", 1, "price"),
        ("shop/price.ts", 2, "totalPrice"),
    ]
    assert found("Cart") == [("shop/cart.py", 1, "Cart")]
    assert found("Cart.P") == [("shop/cart.py", 6, "Cart.Price")]
    assert found("^total", regex=True) == [
        ("shop/cart.py", 2, "Cart.total_price"),
        ("shop/price.ts", 2, "totalPrice"),
    ]
    assert found("nothing_of_it") == []
    (hit,) = index.search_all("total_price", symbols=True).hits
    assert (hit.code, hit.kind) == ("    def total_price(self):", "method")
    assert (hit.column, hit.end_column) == (9, 19)


# --- bounds -------------------------------------------------------------------------------------


def test_a_limit_bounds_the_list_and_not_the_count(index: LocalIndex) -> None:
    result = index.search_all("price", limit=2)
    assert (result.total, len(result.hits)) == (8, 2)
    assert index.search_all("price", symbols=True, limit=1).total == 4


@pytest.mark.parametrize(
    ("query", "options", "error"),
    [
        ("", {}, InvalidArgument),
        ("  ", {}, InvalidArgument),
        ("two\nlines", {}, InvalidArgument),
        ("x" * 40_000, {}, QueryTooLong),
        ("bell\x07", {}, InvalidArgument),
        ("a(", {"regex": True}, InvalidArgument),
        ("a", {"limit": 0}, InvalidArgument),
    ],
)
def test_unusable_requests_are_refused(
    index: LocalIndex, query: str, options: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        index.search_all(query, **options)


def test_the_deadline_is_kept(repo: Path) -> None:
    settings = Settings(duckdb=DuckDBConfig(timeout_ms=0.001))
    with (
        open_index(repo, refresh=False, settings=settings) as index,
        pytest.raises(DeadlineExceeded) as caught,
    ):
        index.search_all("price")
    assert "DUCKDB_TIMEOUT_MS" in caught.value.hint


def test_a_query_that_outlasts_the_deadline_is_stopped(repo: Path) -> None:
    write(repo, "long.txt", "".join(f"{'ab ' * 300}{n}\n" for n in range(900)))
    index_repositories([repo])
    settings = Settings(duckdb=DuckDBConfig(timeout_ms=1))
    slow = r"(\w+\s*){30}(\w+\s?){40}zz$"
    with (
        open_index(repo, refresh=False, settings=settings) as index,
        pytest.raises(DeadlineExceeded, match="longer than 1 ms"),
    ):
        index.search_all(slow, regex=True)


def test_a_search_that_nobody_waits_for_ends(repo: Path) -> None:
    write(repo, "long.txt", "".join(f"{'ab ' * 30}{n}\n" for n in range(9_000)))
    index_repositories([repo])
    compact(repo)
    slow = "|".join(f"[ab ]{{{n + 1}}}.{{{70 + n}}}zz" for n in range(11))
    cancellation, begun = Cancellation(), Event()
    with open_index(repo, refresh=False) as index, ThreadPoolExecutor(1) as threads:

        def search() -> None:
            begun.set()
            index.search_all(slow, regex=True)

        searching = threads.submit(cancellation.run, search)
        assert begun.wait(60)
        cancellation.cancel()
        assert isinstance(searching.exception(60), DeadlineExceeded)


def test_a_pattern_that_takes_long_finds_the_same(index: LocalIndex) -> None:
    wide = rf"(?:price|{'x{60}|' * 5}nothing)"
    assert places(index.search_all(wide, regex=True)) == places(index.search_all("price"))


def test_threads_share_one_index(index: LocalIndex) -> None:
    expected = places(index.search_all("price"))
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: places(index.search_all("price")), range(40)))
    assert all(answer == expected for answer in answers)


# --- scope --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "found"),
    [
        (Scope(include_globs=["shop/**"], exclude_globs=["*.ts"]), {"shop/cart.py"}),
        (Scope(languages=["ts", "md"]), {"shop/price.ts", "docs/guide.md"}),
        (Scope(include_globs=["*.txt"]), {"a,b [c].txt"}),
    ],
)
def test_only_files_in_scope_are_searched(index: LocalIndex, scope: Scope, found: set[str]) -> None:
    assert {uri for uri, _ in places(index.search_all("price", scope=scope))} == found
    names = index.search_all("price", symbols=True, scope=scope)
    assert {hit.uri for hit in names.hits} <= found


def test_an_empty_scope_is_told(index: LocalIndex) -> None:
    result = index.search_all("price", scope=Scope(include_globs=["none/**"]))
    assert (result.total, result.limits) == (0, ("scope_empty",))


def test_several_repositories_are_searched_in_turn(tmp_path: Path) -> None:
    roots = [tmp_path / "one", tmp_path / "two"]
    for root in roots:
        write(root, "x.py", "needle = 1\n")
    data_dir = tmp_path / "data"
    index_repositories(roots, data_dir=data_dir)
    with open_index(data_dir=data_dir, refresh=False) as index:
        result = index.search_all("needle", limit=1)
        assert ([hit.repo for hit in result.hits], result.total) == (["one"], 2)
        only = index.search_all("needle", scope=Scope(repos=["two"]))
        assert [hit.repo for hit in only.hits] == ["two"]


@pytest.mark.parametrize("compacted", [False, True])
def test_refs_are_searched_as_they_are_held(history: Path, git: Git, compacted: bool) -> None:
    index_repositories([history], refs=["dev"])
    index_repositories([history])
    if compacted:
        compact(history)
    with open_index(history, refresh=False) as index:
        assert places(index.search_all("return")) == [
            ("cart.py", 2),
            ("main.py", 2),
            ("shared.py", 2),
        ]
        both = index.search_all("def total_price", scope=Scope(branches=["main", "dev"]))
        assert [(hit.ref, hit.code) for hit in both.hits] == [
            ("main", "def total_price(items):"),
            ("dev", "def total_price(items, tax):"),
        ]
        shared = index.search_all("parse_order", scope=Scope(branches=["main", "dev"]))
        assert shared.total == 1
        assert [location["ref"] for location in shared.hits[0].locations] == ["dev"]
        names = index.search_all("parse_order", symbols=True, scope=Scope(branches=["main", "dev"]))
        assert names.total == 1
        assert [location["ref"] for location in names.hits[0].locations] == ["dev"]


# --- edits and damage ---------------------------------------------------------------------------


def test_edits_after_a_compaction_are_seen(repo: Path) -> None:
    compact(repo)
    moved = "# first\n\n" + FILES["shop/cart.py"].replace("class Cart", "class Basket")
    write(repo, "shop/cart.py", moved)
    write(repo, "shop/new.py", "price = 'fresh'\n")
    (repo / "a,b [c].txt").unlink()
    index_repositories([repo])
    found = find(repo, "price")
    assert ("a,b [c].txt", 1) not in found
    assert ("shop/new.py", 1) in found
    assert [line for uri, line in found if uri == "shop/cart.py"] == [4, 5, 8]
    assert find(repo, "class Cart") == []
    assert find(repo, "Cart", symbols=True) == []
    assert find(repo, "Basket", symbols=True) == [("shop/cart.py", 3)]


def test_text_that_returns_after_a_compaction_is_found_again(repo: Path) -> None:
    write(repo, "shop/cart.py", "nothing = 0\n")
    index_repositories([repo])
    compact(repo)
    write(repo, "shop/cart.py", FILES["shop/cart.py"])
    index_repositories([repo])
    assert find(repo, "total_price") == [("shop/cart.py", 2)]


def test_an_open_index_moves_on_with_compactions(repo: Path) -> None:
    with open_index(repo, refresh=False) as index:
        before = places(index.search_all("price"))
        for _ in range(3):
            compact(repo)
            assert places(index.search_all("price")) == before
    catalogs = sorted((repo / ".codeintel").glob("repos/*/catalog/*"))
    compact(repo)
    assert not catalogs[-1].exists()


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def scramble(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4:-4:7] = bytes(len(data[4:-4:7]))
    path.write_bytes(data)


def overwrite(path: Path) -> None:
    path.write_text("no database\n" * 2000)


@pytest.mark.parametrize("damage", [truncate, scramble, overwrite, Path.unlink])
@pytest.mark.parametrize("name", ["catalog.duckdb", "chunks.parquet"])
def test_a_damaged_catalog_costs_nothing_but_time(
    repo: Path,
    name: str,
    damage: Callable[[Path], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    expected = find(repo, "price")
    compact(repo)
    damage(next((repo / ".codeintel").glob(f"repos/*/catalog/1/{name}")))
    assert find(repo, "price") == expected
    assert "codeintel" in caplog.text
    with open_index(repo, refresh=False) as index:
        assert index.search("total price").hits


# --- grep ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "options", "flags"),
    [
        ("def ", {"case_sensitive": True}, ["-F"]),
        ("journal", {"case_sensitive": False}, ["-Fi"]),
        (r"\bself\._\w+\(", {"regex": True, "case_sensitive": True}, ["-P"]),
        (r"^from .* import \w+$", {"regex": True, "case_sensitive": True}, ["-P"]),
        (r"(?:None|True)\)$", {"regex": True, "case_sensitive": True}, ["-P"]),
    ],
)
@pytest.mark.parametrize("compacted", [False, True])
def test_the_lines_are_those_that_grep_finds(
    sources: tuple[Path, Path],
    query: str,
    options: dict[str, object],
    flags: list[str],
    compacted: bool,
) -> None:
    root = sources[compacted]
    found = find(root, query, **options)
    command = ["grep", "-rn", "--include=*.py", *flags, "-e", query, "."]
    lines = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    expected = [line.removeprefix("./").split(":", 2) for line in lines.splitlines()]
    assert found == sorted((path, int(line)) for path, line, _ in expected)
    assert len(found) > 5


@pytest.mark.skipif(not ripgrep.is_installed(), reason="there is no ripgrep on this machine")
def test_ripgrep_changes_nothing_but_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "many"
    for number in range(FEW_ROWS + 100):
        write(root, f"f{number:04}.py", f"def rare_{number}():\n    return 'price'\n")
    index_repositories([root])
    (root / "f0001.py").write_text("nothing\n")  # is searched as it was indexed
    (root / "f0002.py").unlink()
    queries = [("rare_1", False), (r"rare_\d{2}\(", True), ("price", False), ("nothing", False)]
    narrowed = [find(root, query, regex=regex) for query, regex in queries]
    monkeypatch.setenv("PATH", "")
    ripgrep.is_installed.cache_clear()
    try:
        assert narrowed == [find(root, query, regex=regex) for query, regex in queries]
    finally:
        ripgrep.is_installed.cache_clear()
    assert [len(found) for found in narrowed] == [211, 90, FEW_ROWS + 100, 0]


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """This package's own code, as a journal alone and compacted."""
    package = Path(__file__).parents[2] / "codeintel_rev" / "io"
    roots = []
    for name in ("plain", "compacted"):
        root = tmp_path_factory.mktemp(name) / "src"
        shutil.copytree(package, root, ignore=shutil.ignore_patterns("__pycache__"))
        index_repositories([root])
        roots.append(root)
    compact(roots[1])
    return roots[0], roots[1]
