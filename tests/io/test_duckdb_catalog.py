"""The catalog as a set: by id, by row, by scope; with newer rows; and line by line."""

from __future__ import annotations

import asyncio
import os
import string
from collections.abc import Iterator
from pathlib import Path

import pathspec
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codeintel_rev.config.settings import DuckDBConfig
from codeintel_rev.errors import (
    BadGlob,
    DeadlineExceeded,
    IndexDamaged,
    InvalidArgument,
    UnknownLanguage,
)
from codeintel_rev.io.duckdb_catalog import DuckDBCatalog
from codeintel_rev.io.duckdb_manager import IN_MEMORY
from codeintel_rev.io.duckdb_query_builder import DuckDBQueryBuilder
from codeintel_rev.io.text_table import text_tables
from codeintel_rev.types import ChunkRecord, LinePattern
from tests.io.catalogs import catalog_row, make_catalog

PATHS = ["src/my_mod.py", "src/myXmod.py", "src/a/b.ts", "docs/a%b.md", "tests/src/x.py", "top.py"]
LANGS = ["python", "python", "typescript", "markdown", "python", "python"]
ROWS = [
    catalog_row(n, path, f"text of {path}", lang=lang)
    for n, (path, lang) in enumerate(zip(PATHS, LANGS, strict=True))
]
IDS = [row.id for row in ROWS]


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBCatalog]:
    opened = DuckDBCatalog(make_catalog(tmp_path_factory.mktemp("c"), ROWS), DuckDBConfig())
    yield opened
    opened.close()


def uris(catalog: DuckDBCatalog, **filters: object) -> list[str]:
    return [record.uri for record in asyncio.run(catalog.query_by_ids(IDS, **filters))]


# --- filters ------------------------------------------------------------------------------------


def test_only_what_restricts_becomes_a_parameter() -> None:
    build = DuckDBQueryBuilder().build_filter_query
    assert build()[1] == {}
    assert "WHERE" not in build()[0]
    assert build(chunk_ids=[])[1] == {"ids": []}
    assert build(exclude_globs=["tests/**", "*.md"])[1] == {"exclude_0": "tests/%"}
    assert build(languages=["py", "python"])[1] == {"languages": ["python"]}


def test_foreign_text_stays_out_of_the_sql() -> None:
    hostile = "x'; DROP TABLE chunks; --"
    sql, params = DuckDBQueryBuilder().build_filter_query(
        include_globs=[hostile], exclude_globs=[f"a/{hostile}/"]
    )
    assert "DROP" not in sql
    assert all("DROP" in str(value) for value in params.values())


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, PATHS),
        ({"include_globs": ["src/my_mod.py"]}, PATHS[:1]),
        ({"include_globs": ["docs/a%b.md"]}, PATHS[3:4]),
        ({"include_globs": ["src/*.py"]}, PATHS[:2]),
        ({"include_globs": ["src/**", "!*.ts"]}, PATHS[:2]),
        ({"exclude_globs": ["src/**"]}, PATHS[3:]),
        ({"exclude_globs": ["src/**", "!*.ts"]}, PATHS[2:]),
        ({"exclude_globs": ["src"]}, [PATHS[3], PATHS[5]]),
        ({"languages": ["ts", "md"]}, PATHS[2:4]),
        ({"languages": ["go"]}, []),
        ({"include_globs": ["*.py"], "languages": ["py"], "exclude_globs": ["tests/"]},
         [*PATHS[:2], PATHS[5]]),
    ],
)  # fmt: skip
def test_filters_mean_what_globs_mean(
    catalog: DuckDBCatalog, filters: dict[str, list[str]], found: list[str]
) -> None:
    assert uris(catalog, **filters) == found


@pytest.mark.parametrize(
    ("filters", "error"),
    [({"include_globs": ["/abs"]}, BadGlob), ({"languages": ["klingon"]}, UnknownLanguage)],
)
def test_bad_filters_are_told(
    catalog: DuckDBCatalog, filters: dict[str, list[str]], error: type[Exception]
) -> None:
    with pytest.raises(error):
        uris(catalog, **filters)


NAMES = st.sampled_from(["src", "a", "b_c", "x.py", "y%.ts", "tests", "A"])
TREE = st.lists(st.lists(NAMES, min_size=1, max_size=4).map("/".join), min_size=1, max_size=12)
GLOBS = st.lists(
    st.one_of(
        st.lists(st.sampled_from(["src", "a", "*", "**", "b_c", "*.py", "[ab]*", "?"]), min_size=1,
                 max_size=3).map("/".join),
        st.sampled_from(["src/", "a/b_c/", "src/**", "tests", "y%.ts", "a/x.py", "src/a/**"]),
    ),
    max_size=3,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(paths=TREE, include=GLOBS, exclude=GLOBS)
def test_filters_agree_with_gitignore(
    paths: list[str], include: list[str], exclude: list[str]
) -> None:
    def fits(globs: list[str], path: str) -> bool:
        return pathspec.GitIgnoreSpec.from_lines(globs).match_file(path)

    paths = list(dict.fromkeys(paths))
    expected = [p for p in paths if (not include or fits(include, p)) and not fits(exclude, p)]
    sql, params = DuckDBQueryBuilder().build_filter_query(None, include, exclude, columns="uri")
    import duckdb

    with duckdb.connect(config={"threads": 1}) as connection:
        connection.register("chunks", pa.table({"uri": paths}))
        let_through = {row[0] for row in connection.execute(sql, params).fetchall()}
    assert set(expected) <= let_through


# --- chunks -------------------------------------------------------------------------------------


def test_chunks_come_in_the_order_asked_and_unknown_ones_not(catalog: DuckDBCatalog) -> None:
    asked = [IDS[3], 5, IDS[0], IDS[3], IDS[1]]
    found = asyncio.run(catalog.query_by_ids(asked))
    assert [record.id for record in found] == [IDS[3], IDS[0], IDS[1]]
    assert catalog.hydrate([4, 99, 2]) == [record_of(4), record_of(2)]
    assert asyncio.run(catalog.query_by_ids([])) == []


def record_of(number: int) -> ChunkRecord:
    known = ROWS[number]._asdict()
    return ChunkRecord(**{name: known[name] for name in ChunkRecord.__struct_fields__})


def test_newer_rows_are_found_beside_those_of_the_catalog(catalog: DuckDBCatalog) -> None:
    newer = catalog_row(50, "src/new.py", "fresh")._asdict()
    columns = {name: [newer[name]] for name in ChunkRecord.__struct_fields__}
    found = asyncio.run(
        catalog.query_by_ids(
            [newer["id"], IDS[0]], include_globs=["src/**"], newer=pa.table(columns)
        )
    )
    assert [record.uri for record in found] == ["src/new.py", "src/my_mod.py"]
    assert asyncio.run(catalog.query_by_ids([newer["id"]])) == []


def test_heads_say_what_ranking_needs(catalog: DuckDBCatalog) -> None:
    heads = catalog.heads([2, 99, 0])
    assert set(heads) == {0, 2}
    assert (heads[2].id, heads[2].uri, heads[2].lang) == (IDS[2], PATHS[2], LANGS[2])


def test_definitions_come_in_exact_case_and_types_first(tmp_path: Path) -> None:
    symbols = ["parse", "Parse", "shop.Parse", "shop.Parse", "Parser", "parse.inner", ""]
    kinds = ["function", "function", "class", "class", "class", "function", "block"]
    rows = [
        catalog_row(n, f"{n}.py" if n < 3 else "2.py", symbol=symbol, kind=kind)
        for n, (symbol, kind) in enumerate(zip(symbols, kinds, strict=True))
    ]
    catalog = DuckDBCatalog(make_catalog(tmp_path, rows), DuckDBConfig())
    assert catalog.definitions("Parse", 10) == [2, 1, 0]
    assert catalog.definitions("parse", 10) == [0, 2, 1]
    assert catalog.definitions("Parse", 1) == [2]
    assert catalog.definitions("%", 10) == []
    assert catalog.of_kinds("Parse", ["class", "enum"], 10) == [2]
    assert catalog.of_kinds("parse", ["class"], 10) == []
    catalog.close()


def test_a_chunk_at_several_places_is_one(tmp_path: Path) -> None:
    rows = [catalog_row(0), catalog_row(0, start_line=9, ref="dev"), catalog_row(1, "b.py")]
    catalog = DuckDBCatalog(make_catalog(tmp_path, rows), DuckDBConfig())
    assert [record.start_line for record in catalog.hydrate([0])] == [1]
    assert catalog.rows.tolist() == [0, 1]
    catalog.close()


def test_queries_can_run_together_in_an_event_loop(catalog: DuckDBCatalog) -> None:
    async def ask_all() -> list[list[ChunkRecord]]:
        return await asyncio.gather(*(catalog.query_by_ids(IDS) for _ in range(50)))

    assert all([record.id for record in answer] == IDS for answer in asyncio.run(ask_all()))


# --- lines --------------------------------------------------------------------------------------

TEXT = "import os\n\n  Total = price * 2  \n\ttotal() # $5.00\r\nend"


def scanned(text: str, pattern: LinePattern) -> list[int]:
    catalog = DuckDBCatalog(IN_MEMORY, DuckDBConfig())
    try:
        catalog.check(pattern)
        (table,) = text_tables([(7, text.encode())])
        found = catalog.scan_table(pattern, table)
    finally:
        catalog.close()
    assert set(found.rows.tolist()) <= {7}
    return sorted(found.offsets.tolist())


@pytest.mark.parametrize(
    ("pattern", "lines"),
    [
        (LinePattern("total"), [3]),
        (LinePattern("total", ignore_case=True), [2, 3]),
        (LinePattern("$5.00"), [3]),
        (LinePattern("2  "), []),
        (LinePattern("  Total"), [2]),
        (LinePattern(r"^\s+\w+", regex=True), [2, 3]),
        (LinePattern(r"2$", regex=True), [2]),
        (LinePattern(r"00$", regex=True), [3]),
        (LinePattern(r"\Aend\z", regex=True), [4]),
        (LinePattern(r"(?-m:^end)", regex=True), [4]),
        (LinePattern(r"TOTAL\b", regex=True, ignore_case=True), [2, 3]),
        (LinePattern(r"s\s", regex=True), []),
        (LinePattern(r"^", regex=True), [0, 2, 3, 4]),
        (LinePattern(r"\Q$5\E", regex=True), [3]),
    ],
)
def test_lines_are_searched_one_by_one_without_what_ends_them(
    pattern: LinePattern, lines: list[int]
) -> None:
    assert scanned(TEXT, pattern) == lines


@settings(max_examples=60, deadline=None)
@given(
    lines=st.lists(st.text(alphabet="abAB .$\t_é", max_size=8), max_size=6),
    text=st.text(alphabet="abAB.$é", min_size=1, max_size=3),
    ignore_case=st.booleans(),
)
def test_text_is_found_where_it_stands(lines: list[str], text: str, ignore_case: bool) -> None:
    def fold(value: str) -> str:
        return value.lower() if ignore_case else value

    expected = [n for n, line in enumerate(lines) if fold(text) in fold(line)]
    assert scanned("\n".join(lines), LinePattern(text, ignore_case=ignore_case)) == expected


def test_columns_are_those_of_the_first_match(catalog: DuckDBCatalog) -> None:
    word = LinePattern(r"\bfoo", regex=True)
    assert catalog.columns(word, ["xfoo foo", "é foo"]) == [(6, 8), (3, 5)]
    assert catalog.columns(LinePattern("a.b"), ["axb a.b a.b"]) == [(5, 7)]
    assert catalog.columns(LinePattern("A(", ignore_case=True), ["xa("]) == [(2, 3)]
    assert catalog.columns(LinePattern("z*", regex=True), ["abc"]) == [(1, 0)]
    assert catalog.columns(LinePattern("a|b", regex=True), ["xb"]) == [(2, 2)]
    assert catalog.columns(word, []) == []


@pytest.mark.parametrize("text", ["a(", "[a", "a)(b", "*", "(?=a)", r"(a)\1", "a{9999}", "\\"])
def test_a_regular_expression_that_cannot_be_read_is_told(
    catalog: DuckDBCatalog, text: str
) -> None:
    with pytest.raises(InvalidArgument, match="cannot be read") as caught:
        catalog.check(LinePattern(text, regex=True))
    assert "RE2" in caught.value.hint
    assert caught.value.value == text
    catalog.check(LinePattern(text))


@pytest.mark.parametrize("text", ["(a{30}b){30}x{100}", "x{600}|y{600}", "a.*b|" * 300])
def test_a_regular_expression_that_would_take_too_long_is_refused(
    catalog: DuckDBCatalog, text: str
) -> None:
    with pytest.raises(InvalidArgument, match="more than 1,000 characters"):
        catalog.check(LinePattern(text, regex=True))
    catalog.check(LinePattern(text))


def test_a_regular_expression_takes_linear_time(catalog: DuckDBCatalog) -> None:
    (table,) = text_tables([(0, b"a" * 50_000)])
    found = catalog.scan_table(LinePattern("(a+)+$|(a|aa)+b", regex=True), table)
    assert found.rows.tolist() == [0]


def test_a_scan_keeps_to_its_deadline(catalog: DuckDBCatalog) -> None:
    (table,) = text_tables((n, string.ascii_letters.encode() * 2_000) for n in range(300))
    slow = LinePattern(r"(\w+\d?){50}x$", regex=True)
    with pytest.raises(DeadlineExceeded):
        catalog.scan_table(slow, table, timeout_s=0.001)


def test_a_scan_of_the_catalog_obeys_its_filters(catalog: DuckDBCatalog) -> None:
    pattern = LinePattern("text of")
    assert sorted(catalog.scan(pattern).rows.tolist()) == list(range(6))
    assert catalog.scan(pattern, include_globs=["docs/"]).rows.tolist() == [3]
    assert catalog.scan(pattern, languages=["ts"]).rows.tolist() == [2]


def test_a_catalog_that_breaks_while_it_is_open_is_told(tmp_path: Path) -> None:
    catalog = DuckDBCatalog(make_catalog(tmp_path, ROWS), DuckDBConfig(object_cache=False))
    os.truncate(tmp_path / "chunks.parquet", 100)
    with pytest.raises(IndexDamaged):
        catalog.scan(LinePattern("text"))
    catalog.close()
