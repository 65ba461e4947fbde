"""From a file's bytes to chunks and symbols."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from codeintel_rev.indexing.declarations import SYNTAXES
from codeintel_rev.indexing.decoding import OriginalOffsets, Source, decode_source
from codeintel_rev.indexing.lines import Lines, split_lines
from codeintel_rev.indexing.long_line import split_line
from codeintel_rev.indexing.pieces import DEFAULT_SIZE, ChunkSize, Piece, Unit, cut_pieces
from codeintel_rev.indexing.region_outline import RegionOutliner
from codeintel_rev.indexing.sections import HEADING_SCANS, section_outline
from codeintel_rev.types import Chunk, ParsedFile, Symbol

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

    from codeintel_rev.indexing.outline import Outliner

CHUNKER_VERSION: Final = 3
"""Bump when the same bytes may yield other chunks or symbols: every file is then cut anew."""

MAX_SYNTAX_BYTES: Final = 2_000_000
"""A larger file is cut by lines: it is data or generated, and its tree would take gigabytes."""

_PARSING_S: Final = 0.5
_PARSING_S_PER_BYTE: Final = 5e-6
"""Processor time that parsing may take: ten times what it does take, and more for a small file."""

_READ_BYTES: Final = 2_048
"""The parser interrupts itself only when it is given its text in pieces."""


def chunk_source(data: bytes, lang: str, *, size: ChunkSize = DEFAULT_SIZE) -> ParsedFile:
    """Cut a text file into chunks along its syntax and collect its definitions.

    ``lang`` is a canonical name; one without a grammar is cut by lines. Chunks come in order and
    do not overlap; every byte belongs to one, save white space between them and a byte order
    mark. A chunk's text is exactly its bytes, decoded. Bytes that are no valid UTF-8 or UTF-16
    are read as Windows-1252 or Latin-1.
    """
    source = decode_source(data)
    lines = split_lines(source.utf8)
    units, symbols = _outline(lines, lang, size)
    chunks = list(_chunks(cut_pieces(units, lines, size), lines, source, size))
    return ParsedFile(chunks, symbols, _line_count(lines))


def _outline(lines: Lines, lang: str, size: ChunkSize) -> tuple[list[Unit], list[Symbol]]:
    """Return where the file may be cut, and its definitions."""
    if lang in HEADING_SCANS:
        return section_outline(lines, lang)
    if len(lines.data) <= MAX_SYNTAX_BYTES and (syntax := _syntax_outline(lines, lang, size)):
        return syntax.units, syntax.symbols
    regions = RegionOutliner(lines, size)
    regions.outline(lang)
    return regions.units, regions.symbols


def _syntax_outline(lines: Lines, lang: str, size: ChunkSize) -> Outliner | None:
    """Return the outline of the syntax tree, if the language has a grammar that reads the file.

    A tree with errors still serves, except where the language's declarations can be told by line:
    SQL has a dialect a vendor, and one unknown word spoils the statements behind it.
    """
    from codeintel_rev.indexing.grammars import load_grammar
    from codeintel_rev.indexing.outline import Outliner

    loaded = load_grammar(lang)
    if loaded is None:
        return None
    grammar, parser = loaded
    root = _parsed(parser, grammar.readable(lines.data))
    if root is None or (root.has_error and lang in SYNTAXES):
        return None
    outliner = Outliner(grammar, lines, size)
    outliner.outline(root)
    return outliner


def _parsed(parser: Parser, data: bytes) -> Node | None:
    """Return the root of the syntax tree; ``None`` where it takes more than the time allowed.

    Text that can be read in many ways costs the square of its length or more, and some is made to.
    """
    until = time.thread_time() + _PARSING_S + len(data) * _PARSING_S_PER_BYTE
    try:
        return parser.parse(
            lambda at, _: data[at : at + _READ_BYTES],
            progress_callback=lambda *_: time.thread_time() > until,
        ).root_node
    except ValueError:  # it was told to stop
        parser.reset()
        return None


def _line_count(lines: Lines) -> int:
    """Return the number of lines as editors count them."""
    return lines.row_count - (not lines.data or lines.data.endswith(b"\n"))


def _chunks(pieces: list[Piece], lines: Lines, source: Source, size: ChunkSize) -> Iterator[Chunk]:
    """Yield the chunks of the pieces, in order."""
    offsets = OriginalOffsets(source)
    for piece in pieces:
        for row, start, text in _parts(lines, piece, size):
            owner = piece.owner
            yield Chunk(
                text=text.decode(),
                start_line=row + 1,
                end_line=row + 1 + text.count(b"\n"),
                start_byte=offsets.at(start),
                end_byte=offsets.at(start + len(text)),
                kind=owner.kind,
                symbol=owner.symbol,
                doc=owner.doc if piece.opening else "",
            )


def _parts(lines: Lines, piece: Piece, size: ChunkSize) -> Iterator[tuple[int, int, bytes]]:
    """Yield (row, start, text) of what a piece holds besides white space around it.

    That is one text, from the first line's indentation to the last visible character, except
    where a single line is too long: it is split by bytes.
    """
    row, end = piece.start, piece.end
    while row < end and lines.is_blank(row):
        row += 1
    start = lines.starts[row]
    text = lines.data[start : lines.starts[end]].rstrip()
    parts = [text] if lines.weight(row, end) <= size.limit else split_line(text, size.limit)
    for part in parts:
        if visible := part.rstrip():
            yield row, start, visible
        start += len(part)
