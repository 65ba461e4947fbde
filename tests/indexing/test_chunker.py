"""Files of many shapes and what becomes of them."""

from __future__ import annotations

import pytest

from codeintel_rev.indexing.chunker import chunk_source
from codeintel_rev.indexing.pieces import ChunkSize
from codeintel_rev.types import Chunk, ParsedFile

SMALL = ChunkSize(limit=120, small=30, tiny=8)


def chunks_of(text: str, lang: str, size: ChunkSize = SMALL) -> list[Chunk]:
    return chunk_source(text.encode(), lang, size=size).chunks


def spans(parsed: ParsedFile) -> list[tuple[int, int]]:
    return [(chunk.start_line, chunk.end_line) for chunk in parsed.chunks]


def function(name: str, statements: int) -> str:
    """Return a Python function of so many 15-byte statements."""
    body = "".join(f"    value_{at:02} = call()\n" for at in range(statements))
    return f"def {name}():\n{body}"


def test_an_empty_file_and_a_blank_file_have_no_chunks() -> None:
    assert chunk_source(b"", "python") == ParsedFile([], [], 0)
    assert chunk_source(b" \n\t\r\n", "python") == ParsedFile([], [], 2)


def test_a_function_is_a_chunk_with_its_decorators_and_the_comment_above() -> None:
    source = (
        "import os\n\n# Why it exists.\n@cached\n"
        + function("load", 3)
        + "\n\n"
        + function("save", 3)
    )
    first, load, save = chunks_of(source, "python")
    assert (first.kind, first.symbol, first.text) == ("block", "", "import os")
    assert (load.kind, load.symbol, load.start_line, load.end_line) == ("function", "load", 3, 8)
    assert load.doc == "Why it exists."
    assert (save.symbol, save.start_line, save.end_line) == ("save", 11, 14)


def test_a_class_that_fits_is_one_chunk() -> None:
    source = "class Box:\n    def get(self): return 1\n    def put(self): return 2\n"
    [chunk] = chunks_of(source, "python")
    assert (chunk.kind, chunk.symbol) == ("class", "Box")


def test_a_large_class_is_its_header_and_its_methods() -> None:
    body = function("one", 4) + "\n" + function("two", 4)
    indented = "".join(f"    {line}\n" if line else "\n" for line in body.splitlines())
    source = 'class Box(Base):\n    """Holds things."""\n\n    size: int = 3\n\n' + indented
    header, one, two = chunks_of(source, "python")
    assert (header.kind, header.symbol, header.doc) == ("class", "Box", "Holds things.")
    assert (header.start_line, header.end_line) == (1, 4)
    assert (one.kind, one.symbol, one.start_line, one.end_line) == ("method", "Box.one", 6, 10)
    assert (two.kind, two.symbol, two.start_line, two.end_line) == ("method", "Box.two", 12, 16)
    assert one.text.startswith("    def one")


def test_a_large_function_is_cut_evenly_between_statements() -> None:
    parts = chunks_of(function("long", 13), "python")
    assert [part.symbol for part in parts] == ["long"] * len(parts)
    assert [part.kind for part in parts] == ["function"] * len(parts)
    sizes = [part.text.count("\n") + 1 for part in parts]
    assert sum(sizes) == 14
    assert max(sizes) - min(sizes) <= 1


def test_a_large_function_is_rather_cut_between_blocks_than_inside_them() -> None:
    loop = "    for item in items:\n" + "        use(item, again, more)\n" * 3
    parts = chunks_of("def run(items):\n" + loop * 3, "python")
    assert [part.start_line for part in parts] == [1, 6, 10]


def test_functions_inside_a_large_function_get_their_own_chunks() -> None:
    inner = "".join(f"    {line}\n" for line in function("inner", 4).splitlines())
    parsed = chunk_source(
        ("def outer():\n    x = 1\n" + inner + "    return inner\n").encode(),
        "python",
        size=ChunkSize(80, 20, 0),
    )
    assert "outer.inner" in {chunk.symbol for chunk in parsed.chunks}
    assert [s.qualname for s in parsed.symbols] == ["outer", "outer.inner"]


def test_tiny_neighbours_share_a_chunk_named_by_the_heaviest() -> None:
    source = "def a(): pass\ndef much_longer(): pass\ndef c(): pass\n"
    [chunk] = chunks_of(source, "python")
    assert (chunk.kind, chunk.symbol, chunk.end_line) == ("function", "much_longer", 3)


def test_tiny_neighbours_in_different_classes_stay_apart() -> None:
    big = "    def big(self):\n" + "        call(one, two)\n" * 8
    source = f"class A:\n{big}    def a(self): pass\n\nclass B:\n    def b(self): pass\n{big}"
    by_line = {c.start_line: c for c in chunks_of(source, "python")}
    assert {c.symbol.partition(".")[0] for c in by_line.values()} == {"A", "B"}
    assert not [c for c in by_line.values() if c.start_line < 12 < c.end_line]


def test_a_bare_header_goes_with_what_it_introduces() -> None:
    body = "".join(f"  int value_{at}() {{ return {at}; }}\n" for at in range(8))
    source = f"namespace a {{\nstruct Box {{\n{body}}};\n}}\n"
    chunks = chunks_of(source, "cpp", ChunkSize(120, 30, 40))
    assert (chunks[0].symbol, chunks[0].start_line) == ("a.Box", 1)
    assert chunks[-1].text.endswith("}\n};\n}")


def test_broken_syntax_still_yields_the_definitions_around_it() -> None:
    source = function("good", 4) + "\ndef broken(:\n    ]]\n\n" + function("after", 4)
    assert {"good", "after"} <= {chunk.symbol for chunk in chunks_of(source, "python")}


def test_a_language_without_grammar_is_cut_at_the_outermost_lines() -> None:
    block = "section:\n" + "  key: some value\n" * 6
    parts = chunks_of(block * 3, "text")
    assert [part.text.splitlines()[0] for part in parts] == ["section:"] * 3
    assert {part.kind for part in parts} == {"lines"}


def test_a_minified_line_is_split_between_characters() -> None:
    data = ("é" * 400 + "\n").encode()
    parsed = chunk_source(data, "javascript", size=SMALL)
    assert "".join(chunk.text for chunk in parsed.chunks) == "é" * 400
    assert {(chunk.start_line, chunk.end_line) for chunk in parsed.chunks} == {(1, 1)}
    assert max(len(chunk.text.encode()) for chunk in parsed.chunks) <= SMALL.limit


def test_a_long_paragraph_is_split_between_words() -> None:
    words = "wonderful " * 60
    assert all(c.text.endswith("wonderful") for c in chunks_of(words, "markdown"))


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"a = 1\r\n\r\nb = 2\r\n", (1, 3)),
        (b"a = 1\n\nb = 2", (1, 3)),
        (b"\xef\xbb\xbfa = 1\n\nb = 2\n", (1, 3)),
        (b"\ta = 1\n\n\tb = 2\n", (1, 3)),
        (b"a = 1\n\0\nb = 2\n", (1, 3)),
        (b"a = 1\rb = 2\n", (1, 1)),
        ("a = 1\n\nb = 2\n".encode("utf-16"), (1, 3)),
    ],
    ids=["crlf", "no final newline", "bom", "tabs", "nul", "lone cr", "utf-16"],
)
@pytest.mark.parametrize("lang", ["python", "text"])
def test_lines_are_those_of_an_editor(data: bytes, lines: tuple[int, int], lang: str) -> None:
    parsed = chunk_source(data, lang)
    assert spans(parsed) == [lines]
    assert parsed.line_count == lines[1]


def test_a_byte_order_mark_belongs_to_no_chunk_but_counts_in_offsets() -> None:
    [chunk] = chunk_source(b"\xef\xbb\xbfx = 1\n", "python").chunks
    assert (chunk.text, chunk.start_byte, chunk.end_byte) == ("x = 1", 3, 8)


def test_offsets_of_utf_16_are_those_of_the_file() -> None:
    data = "é = 1\n😀 = 2\n".encode("utf-16-le")
    [chunk] = chunk_source(b"\xff\xfe" + data, "python").chunks
    assert (chunk.start_byte, chunk.end_byte) == (2, len(data))


def test_bytes_that_are_no_utf_8_are_read_as_windows_1252() -> None:
    [chunk] = chunk_source(b"# caf\xe9 \x80\n", "python").chunks
    assert (chunk.text, chunk.end_byte) == ("# café €", 8)


def test_deep_nesting_does_not_exhaust_the_stack() -> None:
    source = "".join("{\n" for _ in range(20_000)) + "x" + "}\n" * 20_000
    parsed = chunk_source(source.encode(), "javascript")
    assert parsed.chunks[-1].end_line == 40_000
    assert max(chunk.end_line - chunk.start_line for chunk in parsed.chunks) < 100
    nested = (
        "\n".join(" " * at + f"class C{at}:" for at in range(400)) + "\n" + " " * 400 + "x = 1\n"
    )
    assert chunk_source(nested.encode(), "python").symbols[0].qualname == "C0"


def test_a_file_too_large_for_a_tree_is_cut_by_lines() -> None:
    data = (function("f", 5) + "\n").encode() * 40_000
    parsed = chunk_source(data, "python")
    assert parsed.chunks[0].kind == "lines"
    assert parsed.line_count == 280_000


def test_text_that_can_be_read_in_ever_more_ways_is_cut_by_lines() -> None:
    text = b"a<b<c<d<e<f<g<h<\n" * 1_200  # of which this grammar thinks for minutes
    parsed = chunk_source(text, "java")
    assert parsed.line_count == 1_200
    assert sum(chunk.text.count("\n") + 1 for chunk in parsed.chunks) == 1_200
    (good,) = chunk_source(b"class A {}\n", "java").symbols
    assert good.name == "A"


@pytest.mark.parametrize(
    ("lang", "before", "after"),
    [
        ("yaml", "key", "x\n"),
        ("yaml", "key: ", "x\n"),
        ("markdown", "# title", "x\n"),
        ("c", "/*", "x */\nint f(void) { return 1; }\n"),
    ],
)
def test_a_line_takes_as_long_as_it_is(lang: str, before: str, after: str) -> None:
    blanks = " " * 600_000  # which some patterns could split in every way, for minutes or hours
    assert chunk_source(f"{before}{blanks}{after}".encode(), lang).chunks
