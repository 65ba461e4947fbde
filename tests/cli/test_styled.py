"""What a terminal shows: colours, links, and nothing that foreign text could command."""

from __future__ import annotations

import re

from rich.console import Console

from codeintel_rev.cli.styled import CODE_LINES, styled_hits
from codeintel_rev.types import SearchHit, SearchResult

LINK = re.compile(r"\x1b\]8;[^;]*;([^\x1b]+)\x1b\\")
STYLE = re.compile(r"\x1b\[[\d;]*m|\x1b\]8;[^\x1b]*\x1b\\")


def terminal(**options: object) -> Console:
    return Console(force_terminal=True, color_system="standard", width=80, **options)  # type: ignore[arg-type]


def result(code: str, uri: str = "src/a b.py") -> SearchResult:
    hit = SearchHit(
        doc_id=1, score=0.5, repo="web", uri=uri, start_line=7, end_line=9, symbol="f", code=code
    )
    return SearchResult("f", (hit,))


def test_a_place_is_a_link_to_the_file() -> None:
    text = styled_hits(result("def f(): ..."), {"web": "/home/me/web"}, terminal())
    assert LINK.findall(text) == ["file:///home/me/web/src/a%20b.py#7"]


def test_code_is_highlighted_and_numbered_from_its_first_line() -> None:
    text = styled_hits(result("def f():\n    return 1\n"), {}, terminal())
    assert "\x1b[" in text
    lines = STYLE.sub("", text).splitlines()
    assert [line.split()[:2] for line in lines[1:3]] == [["7", "def"], ["8", "return"]]


def test_long_code_is_cut_and_says_so() -> None:
    code = "\n".join(f"x = {number}" for number in range(CODE_LINES + 3))
    text = STYLE.sub("", styled_hits(result(code), {}, terminal()))
    assert "… 3 more lines" in text
    assert f"x = {CODE_LINES}" not in text


def test_a_comment_that_is_cut_is_highlighted_as_one() -> None:
    code = "\n".join(["/**", *(f" * `line` {number}" for number in range(20)), " */", "f()"])
    text = styled_hits(result(code, "a.js"), {}, terminal())
    comment = [line for line in text.splitlines() if "*" in line]
    assert len(comment) == CODE_LINES
    assert not any("\x1b[4;31" in line for line in comment)  # as what is no code is shown
    assert len({tuple(re.findall(r"\x1b\[[\d;]*m", line)) for line in comment}) == 1


def test_the_line_that_was_asked_for_is_shown() -> None:
    code = "\n".join(f"x = {number}" for number in range(40))
    hit = SearchHit(doc_id=1, score=1.0, uri="a.py", start_line=7, end_line=46, code=code)
    for line, first in ((8, 7), (18, 7), (19, 13), (30, 24), (46, 35)):
        asked = SearchResult(f"a.py:{line}", (hit,))
        text = STYLE.sub("", styled_hits(asked, {}, terminal()))
        numbers = [
            int(row.split()[0])
            for row in text.splitlines()
            if row.split()[0:1] and row.split()[0].isdigit()
        ]
        assert numbers == list(range(first, first + CODE_LINES))
        assert ("earlier lines" in text) == (first > 7)


def test_without_colours_there_are_none() -> None:
    text = styled_hits(result("def f(): ..."), {}, Console(force_terminal=True, no_color=True))
    assert not re.search(r"\x1b\[(?:3[0-7]|9[0-7]|[\d;]*;3[0-7])m", text)


def test_escapes_in_code_and_names_are_not_obeyed() -> None:
    evil = "\x1b]0;owned\x07"
    shown = styled_hits(result(f"x = '{evil}'", uri=f"{evil}.py"), {"web": "/r"}, terminal())
    assert "\x1b]0" not in shown
    assert "\x07" not in shown
