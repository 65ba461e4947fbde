"""What holds for the chunks of any file whatever, in any language."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codeintel_rev.indexing.chunker import chunk_source
from codeintel_rev.indexing.decoding import decode_source
from codeintel_rev.indexing.grammars import GRAMMAR_LANGUAGES
from codeintel_rev.indexing.pieces import ChunkSize
from codeintel_rev.indexing.sections import HEADING_SCANS
from codeintel_rev.types import ParsedFile

LANGUAGES = [*GRAMMAR_LANGUAGES, *HEADING_SCANS, "crystal", "groovy", "text"]
SIZES = [ChunkSize(), ChunkSize(limit=60, small=20, tiny=5), ChunkSize(limit=8, small=3, tiny=1)]

FRAGMENTS = [
    "def f(x):\n    return x\n", "class A:\n", "    def m(self): pass\n", "@deco\n", '"""doc"""\n',
    "function g() { return 1 }\n", "export const h = () => {\n", "}\n", "{", "(", ")", "=>", ";",
    "func (t *T) M() {\n", "type T struct {\n", "impl<T> Foo for T {\n", "fn x() {}\n", "/// doc\n",
    "/** doc */\n", "// note\n", "# note\n", "#define X 1\n", "#ifdef A\n", "#else\n", "#endif\n",
    "namespace n {\n", "template <class T>\n", "int A::b() { return 0; }\n", "public:\n", "enum E { A",
    "# Title\n", "Title\n=====\n", "---\n", "```\n", "- item\n", "key: [1, 2]\n", "if x:\n", "else:\n",
    "module M\n", "end\n", "def m = 1\n", "do |x|\n", "<?php\n", "object O {\n", "fun f() {\n",
    "@doc \"\"\"\nDoc.\n\"\"\"\n", "def f(x), do: x\n", "f :: a\n", "f x = x\n", "  where y = x\n",
    "@test 'é' {\n", "CREATE TABLE a.t (\n", "resource \"a\" \"b\" {\n", "<p id=\"x\">", "</p>",
    ".a > b { c: d }\n", '  "key": {\n', "[table]\n", "#region R\n", "#endregion\n", "extension A.B {\n",
    "\n", "\n\n", " ", "    ", "\t", "\r\n", "\r", "\0", "é", "漢字", "😀", "\u2028", "\\\n", "\x0c",
    "x = 1\n", "'", '"', "`", "word " * 30, "a" * 200,
]  # fmt: skip

sources = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=12)), max_size=40).map(
    "".join
)
encodings = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"])


def encode(text: str, encoding: str) -> bytes:
    """Return ``text`` as bytes, without what the encoding cannot hold."""
    return text.encode(encoding, "ignore")


def check(data: bytes, parsed: ParsedFile) -> None:
    """Assert that the chunks account for every byte, in order, with the right text and lines."""
    source = decode_source(data)
    codec = source.encoding
    lines_before = source.utf8.decode().split("\n")
    position = source.bom
    for chunk in parsed.chunks:
        assert position <= chunk.start_byte < chunk.end_byte <= len(data)
        assert not data[position : chunk.start_byte].decode(codec).strip(" \t\r\n\f\v")
        assert data[chunk.start_byte : chunk.end_byte].decode(codec) == chunk.text
        before = data[source.bom : chunk.start_byte].decode(codec).count("\n")
        assert chunk.start_line == before + 1
        assert chunk.end_line == chunk.start_line + chunk.text.count("\n")
        position = chunk.end_byte
    assert not data[position:].decode(codec).strip(" \t\r\n\f\v")
    for symbol in parsed.symbols:
        assert 1 <= symbol.start_line <= symbol.line <= symbol.end_line <= parsed.line_count
        line = lines_before[symbol.line - 1]
        assert 1 <= symbol.column <= len(line) + 1
        assert symbol.qualname.endswith(symbol.name)
        assert len(symbol.doc) <= 200
    if data:
        assert parsed.line_count == len(lines_before) - (lines_before[-1] == "")


@pytest.mark.parametrize("lang", LANGUAGES)
@settings(max_examples=60, deadline=None)
@given(text=sources, encoding=encodings, size=st.sampled_from(SIZES))
def test_every_byte_of_code_belongs_to_one_chunk(
    lang: str, text: str, encoding: str, size: ChunkSize
) -> None:
    data = encode(text, encoding)
    check(data, chunk_source(data, lang, size=size))


@settings(max_examples=150, deadline=None)
@given(data=st.binary(max_size=400), lang=st.sampled_from(LANGUAGES), bom=st.booleans())
def test_arbitrary_bytes_are_chunked_too(data: bytes, lang: str, bom: bool) -> None:
    data = codecs.BOM_UTF16_BE + data if bom else data
    check(data, chunk_source(data, lang))


@settings(max_examples=60, deadline=None)
@given(text=sources, lang=st.sampled_from(LANGUAGES), size=st.sampled_from(SIZES))
def test_a_chunk_stays_within_the_limit_unless_one_character_exceeds_it(
    text: str, lang: str, size: ChunkSize
) -> None:
    for chunk in chunk_source(text.encode("utf-8", "ignore"), lang, size=size).chunks:
        assert len("".join(chunk.text.encode().decode().split())) <= max(size.limit, 4)
