"""The definitions of the languages that came after the first: what is found, and what it is called."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from codeintel_rev.indexing.chunker import chunk_source
from codeintel_rev.indexing.grammars import GRAMMAR_LANGUAGES, load_grammar
from codeintel_rev.indexing.pieces import ChunkSize
from codeintel_rev.text.languages import language_of
from codeintel_rev.types import Symbol

ROOT = Path(__file__).parents[2]
SAMPLES = {path.stem: path for path in (Path(__file__).parent / "samples").iterdir()}

EXPECTED = {
    "bash": [
        "function nvm_echo", "function bats.run", "constant LIMIT", "function foo",
        "function nvm_x", "function works_fine",
    ],
    "csharp": [
        "module Dapper.X", "class Dapper.X.Mapper", "constant Dapper.X.Mapper.Limit",
        "constant Dapper.X.Mapper.size", "method Dapper.X.Mapper.Mapper",
        "property Dapper.X.Mapper.Size", "method Dapper.X.Mapper.QueryAsync",
        "method Dapper.X.Mapper.+", "method Dapper.X.Mapper.Bar", "method Dapper.X.Mapper.Run",
        "type Dapper.X.Mapper.Handler", "class Dapper.X.Mapper.Inner",
        "method Dapper.X.Mapper.Inner.M", "class Dapper.X.Point", "class Dapper.X.Person",
        "enum Dapper.X.Color", "enum_member Dapper.X.Color.Red", "interface Dapper.X.IShape",
        "method Dapper.X.IShape.Draw", "struct Dapper.X.S",
    ],
    "css": [
        "section .button, a:hover > b", "section :root", "section spin",
    ],
    "elixir": [
        "module Plug.Conn", "function Plug.Conn.send", "function Plug.Conn.valid?",
        "function Plug.Conn.no_args", "function Plug.Conn.+", "macro Plug.Conn.__using__",
        "macro Plug.Conn.is_x", "function Plug.Conn.foo", "module Plug.Conn.Inner",
        "function Plug.Conn.Inner.f", "impl String.Chars", "method String.Chars.to_string",
        "interface P", "method P.go",
    ],
    "haskell": [
        "type Thing", "type N", "type S", "class Show", "method Show.show", "function bar",
        "function +++", "function top", "type F",
    ],
    "hcl": [
        "section aws_s3_bucket.logs", "section var.region", "section locals",
        "section module.vpc", "section provider.aws",
    ],
    "html": [
        "section main", "section two",
    ],
    "json": [
        "section scripts", "section files",
    ],
    "kotlin": [
        "interface Shape", "method Shape.area", "constant LIMIT", "property half", "class Point",
        "constant Point.ZERO", "method Point.of", "method Point.constructor", "method Point.draw",
        "property Point.y", "function collectAll", "enum_member RED", "enum_member GREEN",
        "function next",
    ],
    "lua": [
        "function helper", "function M.setup", "method M.run", "function glob", "function M.load",
        "function x", "constant LIMIT", "constant t", "method t.a", "constant M.t",
        "method M.t.c", "function foo",
    ],
    "php": [
        "constant TOP", "class User", "constant User.LIMIT", "method User.find", "method User.x",
        "interface HasName", "method HasName.name", "trait T", "method T.t", "enum Suit",
        "enum_member Suit.Hearts", "method Suit.label", "function helper", "function env",
        "method up",
    ],
    "ruby": [
        "module Rack", "constant Rack.LIMIT", "class Rack.Utils.Helper",
        "method Rack.Utils.Helper.escape", "method Rack.Utils.Helper.empty?",
        "method Rack.Utils.Helper.other=", "class Rack.Point", "method Rack.Point.dist",
        "function cond",
    ],
    "scala": [
        "class Monad", "method Monad.map", "method Monad.abs", "method Monad.lift",
        "type Monad.Id", "class Monad.Inner", "class Monad", "constant Monad.m",
        "method Monad.m.map", "constant Monad.Max", "method Monad.foo", "class Some",
        "trait Functor", "enum Color", "enum_member Color.Red", "enum_member Color.Green",
        "module syntax", "function syntax.x",
    ],
    "sql": [
        "struct app.users", "function total", "struct v", "type mood", "function p", "function t",
    ],
    "swift": [
        "class Session", "constant Session.shared", "property Session.y", "method Session.init",
        "method Session.make", "method Session.run", "struct Session.Inner",
        "method Session.Inner.f", "method Session.==", "impl Session", "method Session.ext",
        "impl Foo.Bar", "method Foo.Bar.ext", "interface Runnable", "method Runnable.go",
        "enum AFError", "enum_member AFError.a", "method AFError.e", "class Act", "type Id",
        "constant Limit", "function top", "function linux",
    ],
    "toml": [
        "section tool.ruff", "section package",
    ],
    "yaml": [
        "section jobs",
    ],
    "zig": [
        "struct Point", "method Point.add", "function main", "constant LIMIT", "enum E",
        "struct U", "struct List", "method List.x", "type Err",
    ],
}  # fmt: skip


def symbols_of(source: str, lang: str) -> list[Symbol]:
    return chunk_source(source.encode(), lang).symbols


@pytest.mark.parametrize("lang", EXPECTED)
def test_the_definitions_of_a_language_are_found(lang: str) -> None:
    parsed = chunk_source(SAMPLES[lang].read_bytes(), lang)
    assert [f"{symbol.kind} {symbol.qualname}" for symbol in parsed.symbols] == EXPECTED[lang]


@pytest.mark.parametrize("lang", EXPECTED)
def test_a_sample_is_told_by_its_suffix(lang: str) -> None:
    assert language_of(SAMPLES[lang].name) == lang


@pytest.mark.parametrize(
    ("lang", "source"),
    [
        ("bash", "if x; then\n  # Doc.\n  m() { :; }\nfi\n# Doc.\nn() { :; }\n"),
        ("csharp", "// Doc.\nclass m {}\n/// <summary>Doc.</summary>\n[A]\nclass n {}\n"),
        ("css", "/* Doc. */\nm { b: c }\n/* Doc. */\nn { b: c }\n"),
        ("elixir", '# Doc.\ndef m, do: 1\n\n@doc """\nDoc.\n"""\n@spec n :: x\ndef n, do: 1\n'),
        ("haskell", "-- | Doc.\nm = 1\n{- | Doc. -}\nn :: Int\nn = 1\n"),
        ("hcl", "# Doc.\nm {\n  x = 1\n}\n\n// Doc.\nn {\n}\n"),
        ("html", '<b>\n<!-- Doc. -->\n<p id="m"/>\n<!-- Doc. -->\n<p id="n">x</p>\n</b>\n'),
        ("json", '{\n  // Doc.\n  "m": {\n  },\n  // Doc.\n  "n": [\n  ]\n}\n'),
        ("kotlin", "// Doc.\nfun m() {}\n/** Doc. */\n@A\nfun n() {}\n"),
        ("lua", "-- Doc.\nlocal m = function() end\n--[[ Doc. ]]\nfunction n() end\n"),
        ("php", "<?php\n# Doc.\nfunction m() {}\n/** Doc. */\n#[A]\nfunction n() {}\n"),
        ("ruby", "# Doc.\ndef m; end\n# Doc.\nprivate def n; end\n"),
        ("scala", "// Doc.\nclass m\n/** Doc. */\n@a\nclass n\n"),
        ("sql", "-- Doc.\nCREATE TABLE m (x int);\n/* Doc. */\nCREATE VIEW n AS SELECT 1;\n"),
        ("swift", "/// Doc.\nfunc m() {}\n/** Doc. */\n@A\nfunc n() {}\n"),
        ("toml", "# Doc.\n[m]\na = 1\n# Doc.\n[[n]]\n"),
        ("yaml", "# Doc.\nm:\n  a: 1\n# Doc.\nn: |\n  text\n"),
        ("zig", "/// Doc.\nconst m = 1;\n// Doc.\nfn n() void {}\n"),
    ],
)
def test_the_comment_above_a_definition_documents_it(lang: str, source: str) -> None:
    docs = {symbol.name: symbol.doc for symbol in symbols_of(source, lang)}
    assert docs == {"m": "Doc.", "n": "Doc."}


@pytest.mark.parametrize(
    ("lang", "source"),
    [
        ("csharp", "class A {\n    // Doc.\n    void m() {}\n}\n"),
        ("elixir", "defmodule A do\n  # Doc.\n  def m, do: 1\nend\n"),
        ("haskell", "class A a where\n  -- | Doc.\n  m :: a\n"),
        ("kotlin", "class A {\n    // Doc.\n    fun m() {}\n}\n"),
        ("lua", "local A = {\n  -- Doc.\n  m = function() end,\n}\n"),
        ("php", "<?php\nclass A {\n    // Doc.\n    function m() {}\n}\n"),
        ("ruby", "class A\n  # Doc.\n  def m; end\nend\n"),
        ("ruby", "module A\n  included do\n    # Doc.\n    def m; end\n  end\nend\n"),
        ("scala", "object A {\n  // Doc.\n  def m = 1\n}\n"),
        ("swift", "class A {\n    /// Doc.\n    func m() {}\n}\n"),
        ("zig", "const A = struct {\n    /// Doc.\n    fn m() void {}\n};\n"),
    ],
)
def test_the_comment_on_the_first_member_is_not_the_container_s(lang: str, source: str) -> None:
    assert [(s.qualname, s.doc) for s in symbols_of(source, lang)][1] == ("A.m", "Doc.")


def test_the_cases_of_a_function_are_one_definition() -> None:
    [send] = symbols_of("def send(1), do: 1\n\ndef send(2) do\n  2\nend\n", "elixir")
    assert (send.start_line, send.end_line) == (1, 5)
    [both] = symbols_of("f :: Int -> Int\nf 0 = 1\nf x = y\n  where y = x\n", "haskell")
    assert (both.start_line, both.end_line) == (1, 4)


def test_a_function_of_many_cases_is_cut_between_them() -> None:
    case = "def send({}) do\n  call(one, two)\n  call(three)\nend\n\n"
    source = "".join(case.format(at) for at in range(8))
    chunks = chunk_source(source.encode(), "elixir", size=ChunkSize(150, 40, 10)).chunks
    assert len(chunks) > 2
    assert {(chunk.kind, chunk.symbol) for chunk in chunks} == {("function", "send")}
    assert {chunk.start_line % 5 for chunk in chunks} == {1}


def test_a_comment_between_two_cases_starts_another_definition() -> None:
    source = "def go(a), do: a\n\n# With two.\ndef go(a, b), do: a + b\n"
    assert [s.doc for s in symbols_of(source, "elixir")] == ["", "With two."]


def test_a_bats_test_is_named_by_its_title_with_right_lines_and_columns() -> None:
    source = "setup() { :; }\n\n@test 'adds é' {\n  run x\n}\n"
    setup, test = symbols_of(source, "bash")
    assert (setup.name, test.name, test.line, test.column, test.end_line) == (
        "setup", "adds___", 3, 8, 5,
    )  # fmt: skip


def test_sql_of_an_unknown_dialect_is_told_by_its_lines() -> None:
    source = "CREATE NETWORK POLICY p ALLOWED = ('1');\nCREATE TABLE t (a int);\n"
    parsed = chunk_source(source.encode(), "sql")
    assert [symbol.qualname for symbol in parsed.symbols] == ["t"]


def test_keys_of_one_line_stay_without_a_name() -> None:
    parsed = chunk_source(b'{\n  "name": "x",\n  "main": {\n    "a": 1\n  }\n}\n', "json")
    assert [symbol.name for symbol in parsed.symbols] == ["main"]
    assert chunk_source(b'[\n  {\n    "a": {\n    }\n  }\n]\n', "json").symbols == []


def test_a_key_that_looks_like_a_comment_stays_a_section_of_its_own() -> None:
    symbols = symbols_of(";a:\n  x: 1\nb:\n  y: 1\n;c:\nd:\n", "yaml")
    assert [(s.name, s.start_line) for s in symbols] == [(";a", 1), ("b", 3), (";c", 5), ("d", 6)]


def test_a_large_document_of_data_is_cut_at_its_top_keys() -> None:
    block = "{}:\n" + "  - step: some value\n" * 6
    source = "version: 1\n" + block.format("build") + block.format("test")
    chunks = chunk_source(source.encode(), "yaml", size=ChunkSize(120, 30, 8)).chunks
    assert [(c.kind, c.symbol, c.start_line) for c in chunks] == [
        ("lines", "", 1),
        ("section", "build", 2),
        ("section", "test", 9),
    ]


@pytest.mark.parametrize("lang", GRAMMAR_LANGUAGES)
def test_the_documents_name_each_grammar_and_its_pinned_version(lang: str) -> None:
    loaded = load_grammar(lang)
    assert loaded is not None
    wheel = loaded[0].package.replace("_", "-")
    pins = dict(re.findall(r"^(\S+)==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    row = rf"^\| `{lang}` \| .+ \| `{wheel}` \| {re.escape(pins[wheel])} \|$"
    assert re.search(row, (ROOT / "docs" / "languages.md").read_text(), re.MULTILINE)
