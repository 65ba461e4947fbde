import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeintel_rev.answer.citations import CitationParser, Mention, place, rendered
from codeintel_rev.types import Citation

texts = st.text(alphabet="[]()0123456789,- \u2013`\na_.", max_size=80)


def parse(*pieces: str, count: int = 5) -> tuple[list[str | Mention], list[int]]:
    parser = CitationParser(count)
    out = [part for piece in pieces for part in parser.feed(piece)] + parser.close()
    return joined(out), parser.invalid


def joined(parts: list[str | Mention]) -> list[str | Mention]:
    result: list[str | Mention] = []
    for part in parts:
        if isinstance(part, str) and result and isinstance(result[-1], str):
            result[-1] += part
        else:
            result.append(part)
    return result


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A [1].", ["A ", Mention((1,)), "."]),
        ("A [1][2]", ["A ", Mention((1,)), Mention((2,))]),
        ("A [1, 3]", ["A ", Mention((1, 3))]),
        ("A [1-3]", ["A ", Mention((1, 2, 3))]),
        ("A [1\u20132]", ["A ", Mention((1, 2))]),
        ("A [3-1, 2]", ["A ", Mention((1, 2, 3))]),
        ("[2] opens", [Mention((2,)), " opens"]),
        ("after `code`[1]", ["after `code`", Mention((1,))]),
        ("A [[1]]", ["A [", Mention((1,)), "]"]),
    ],
)
def test_mentions_are_found(text, expected):
    assert parse(text) == (expected, [])


@pytest.mark.parametrize(
    "text",
    [
        "rows[1] and grid[0][1]",
        "inline `a [1]` code",
        "double ``a ` [1]`` ticks",
        "```python\nx = [1]\n```",
        "````\n```\n[1]\n````",
        "- [ ] a task, [link], [a1], []",
        "an open [1",
        "[1" + " " * 100 + "]",
    ],
)
def test_what_is_no_mention_stays_as_written(text):
    assert parse(text) == ([text], [])


def test_prose_goes_on_after_a_fence_and_after_a_stray_backtick():
    assert parse("```\n[1]\n```\nA [2]") == (["```\n[1]\n```\nA ", Mention((2,))], [])
    assert parse("a ` stray [1]\nB [2]") == (["a ` stray [1]\nB ", Mention((2,))], [])


def test_numbers_that_name_nothing_leave_the_text_and_are_noted():
    assert parse("A [9]. B [0, 2] C [4-1000000000000].") == (
        ["A. B ", Mention((2,)), " C ", Mention((4, 5)), "."],
        [9, 0, 1000000000000],
    )


def test_without_snippets_no_number_is_valid():
    assert parse("A [1].", count=0) == (["A."], [1])


@given(texts, st.lists(st.integers(0, 80), max_size=6))
def test_the_cut_of_the_stream_does_not_matter(text, cuts):
    bounds = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[a:b] for a, b in itertools.pairwise(bounds)]

    assert parse(*pieces) == parse(text)
    assert parse(*text) == parse(text)


@given(texts)
def test_only_mentions_leave_the_text(text):
    parts, invalid = parse(text)

    if not invalid and not any(isinstance(part, Mention) for part in parts):
        assert "".join(part for part in parts if isinstance(part, str)) == text


def test_a_place_reads_uri_and_lines():
    citation = Citation(n=1, uri="src/a b.py", start_line=3, end_line=3, repo="web")

    assert place(citation) == "src/a b.py:3-3"
    assert place(citation, with_repo=True) == "web:src/a b.py:3-3"
    assert rendered([citation, citation]) == "(src/a b.py:3-3, src/a b.py:3-3)"
