"""What counts as a heading, and how sections become chunks."""

from __future__ import annotations

import pytest

from codeintel_rev.indexing.chunker import chunk_source
from codeintel_rev.indexing.headings import markdown_headings, rst_headings
from codeintel_rev.indexing.pieces import ChunkSize


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("# One\n### Two ##\n#Three\n####### Four", [(1, "One"), (3, "Two")]),
        ("One\n===\nTwo\n-\n", [(1, "One"), (2, "Two")]),
        ("- item\n---\n\n***\n> quote\n---\n", []),
        ("````\n# code\n```\n# still code\n~~~\n`````\n# After", [(1, "After")]),
        ("---\ntitle: x\n---\n# After", [(1, "After")]),
        ("---\nno end", []),
        ("#\n", [(1, "")]),
        ("", []),
    ],
)
def test_markdown_headings(text: str, titles: list[tuple[int, str]]) -> None:
    assert [(h.level, h.title) for h in markdown_headings(text.split("\n"))] == titles


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("===\nTop\n===\n\nPart\n====\n\nPiece\n-----\n", [(1, "Top"), (2, "Part"), (3, "Piece")]),
        ("Too long a title\n----\n", []),
        ("A paragraph\nof two lines\n------------\n", []),
        ("=====  =====\ncell   cell\n=====  =====\n", []),
        ("", []),
    ],
)
def test_rst_headings(text: str, titles: list[tuple[int, str]]) -> None:
    assert [(h.level, h.title) for h in rst_headings(text.split("\n"))] == titles


def test_a_large_section_is_a_chunk_of_its_own_and_small_ones_share() -> None:
    text = (
        "# Guide\n\n"
        + "Many words here.\n" * 5
        + "\n## A\nx\n\n## B\ny\n\n## C\n"
        + "Long words.\n" * 7
    )
    chunks = chunk_source(text.encode(), "markdown", size=ChunkSize(140, 40, 10)).chunks
    assert [(c.symbol, c.start_line, c.end_line) for c in chunks] == [
        ("Guide", 1, 7),
        ("Guide > A", 9, 13),
        ("Guide > C", 15, 22),
    ]
    assert {c.kind for c in chunks} == {"section"}


def test_a_setting_is_known_by_its_name_without_ticks() -> None:
    text = "Settings\n========\n\n``task_acks_late``\n~~~~~~~~~~~~~~~~~~\nDefault: no.\n"
    symbols = chunk_source(text.encode(), "restructuredtext").symbols
    assert [symbol.name for symbol in symbols] == ["Settings", "task_acks_late"]
    assert symbols[1].qualname == "Settings > ``task_acks_late``"
