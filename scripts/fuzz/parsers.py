"""Feeds parsers what coverage-guided fuzzing makes up, until one breaks its promise or time is over.

    PYTHONPATH=. .venv-atheris/bin/python scripts/fuzz/parsers.py chunker|citations|globs|query|sse
        [-max_total_time=120] [-artifact_prefix=FOLDER/] [CORPUS]

What follows the parser's name is for libFuzzer, which writes the input that broke a promise to a
file and takes such a file as its argument to try it again.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["codeintel_rev"]):
    from codeintel_rev.answer.citations import CitationParser
    from codeintel_rev.errors import BadGlob, Unavailable
    from codeintel_rev.indexing.chunker import chunk_source
    from codeintel_rev.indexing.decoding import decode_source
    from codeintel_rev.indexing.grammars import load_grammar
    from codeintel_rev.io.sse import ServerEvent, SSEParser
    from codeintel_rev.retrieval.query import parse_query
    from codeintel_rev.text.globs import GlobSet, like_prefilter, like_subset
    from codeintel_rev.text.languages import LANGUAGES

NAMES = [language.name for language in LANGUAGES]
BLANK = " \t\r\n\f\v"
SNIPPETS = 5
MAX_EVENT_BYTES = 64


def chunker(data: bytes) -> None:
    """Cut a text, all but white space of which is in one chunk; its first byte names the language."""
    name, text = NAMES[data[0] % len(NAMES)] if data else "text", data[1:]
    source = decode_source(text)
    at = source.bom
    for chunk in chunk_source(text, name).chunks:
        assert at <= chunk.start_byte < chunk.end_byte <= len(text)
        assert not text[at : chunk.start_byte].decode(source.encoding).strip(BLANK)
        assert text[chunk.start_byte : chunk.end_byte].decode(source.encoding) == chunk.text
        at = chunk.end_byte
    assert not text[at:].decode(source.encoding).strip(BLANK)


def citations(data: bytes) -> None:
    """Read a text, which says the same however it was cut."""
    text, at = data[1:].decode("utf-8", "replace"), data[0] if data else 0
    parsed = []
    for pieces in ([text], [text[:at], text[at:]], list(text)):
        parser = CitationParser(SNIPPETS)
        found = [piece for part in pieces for piece in parser.feed(part)] + parser.close()
        words = "".join(piece if isinstance(piece, str) else repr(piece) for piece in found)
        parsed.append((words, parser.invalid))
    assert parsed[0] == parsed[1] == parsed[2], parsed


def globs(data: bytes) -> None:
    """Match a path with a pattern that is refused or decides."""
    pattern, _, path = data.decode("utf-8", "surrogateescape").partition("\n")
    try:
        matched = GlobSet([pattern]).match(path)
        like_prefilter(pattern)
        like_subset(pattern)
    except BadGlob:
        return
    assert matched in {True, False}


def query(data: bytes) -> None:
    """Read a query, which any text is."""
    parse_query(data.decode("utf-8", "replace"))


def sse(data: bytes) -> None:
    """Read a stream, which says the same however it was cut, unless it is too much to hold."""
    stream, at = data[1:], data[0] if data else 0
    whole, parts = _events([stream]), _events([stream[:at], stream[at:]])
    assert whole is None or parts is None or whole == parts


def _events(pieces: list[bytes]) -> list[ServerEvent] | None:
    parser = SSEParser(MAX_EVENT_BYTES)
    try:
        return [event for piece in pieces for event in parser.feed(piece)] + parser.close()
    except Unavailable:
        return None


PARSERS = {parser.__name__: parser for parser in (chunker, citations, globs, query, sse)}


def main() -> None:
    if len(sys.argv) < 2 or sys.argv[1] not in PARSERS:
        raise SystemExit(f"name one of {', '.join(PARSERS)}")
    parser = PARSERS[sys.argv.pop(1)]
    for name in NAMES:
        load_grammar(name)
    atheris.Setup(sys.argv, parser)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
