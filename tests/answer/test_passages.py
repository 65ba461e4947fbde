import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeintel_rev.answer.passages import cite, merge_touching, passage_of, without_repeats
from codeintel_rev.types import SearchHit

FILE = [f"line {n}" for n in range(1, 41)]
spans = st.lists(
    st.tuples(st.integers(1, 40), st.integers(0, 8)).map(lambda s: (s[0], min(40, s[0] + s[1]))),
    max_size=8,
)


def lines(start: int, end: int, doc_id: int = 1, uri: str = "a.py") -> SearchHit:
    code = "\n".join(FILE[start - 1 : end]) + "\n"
    return SearchHit(doc_id, 1.0, uri=uri, start_line=start, end_line=end, code=code)


def ranges(passages):
    return [(p.start_line, p.end_line) for p in passages]


def test_lines_that_overlap_or_adjoin_become_one_passage():
    merged = merge_touching(
        [lines(10, 20, 1), lines(15, 25, 2), lines(26, 30, 3), lines(32, 33, 4)]
    )

    assert ranges(merged) == [(10, 30), (32, 33)]
    assert merged[0].code == "\n".join(FILE[9:30])
    assert merged[0].best.doc_id == 1


def test_a_hit_that_closes_a_gap_joins_both_sides_under_the_best():
    merged = merge_touching([lines(1, 3, 1), lines(7, 9, 2), lines(4, 6, 3)])

    assert ranges(merged) == [(1, 9)]
    assert merged[0].best.doc_id == 1


def test_other_files_and_other_versions_stay_apart():
    hit = lines(1, 3)
    others = [lines(2, 4, 2, "b.py"), replace(hit, content_hash="x"), replace(hit, repo="r")]

    assert len(merge_touching([hit, *others])) == 4


def test_lines_that_disagree_are_not_joined():
    wrong = replace(lines(2, 4), code="line 2\nsomething else\nline 4\n")

    assert ranges(merge_touching([lines(1, 3), wrong])) == [(1, 3), (2, 4)]


def test_pieces_of_one_long_line_are_not_joined():
    left = SearchHit(1, 1.0, uri="min.js", start_line=1, end_line=1, code="aaa")
    right = SearchHit(2, 0.5, uri="min.js", start_line=1, end_line=1, code="bbb")

    assert len(merge_touching([left, right])) == 2


def test_a_hit_inside_a_better_one_is_left_out():
    assert ranges(without_repeats([lines(5, 20), lines(6, 9), lines(4, 9)])) == [(5, 20), (4, 9)]


@given(spans)
def test_merging_keeps_every_line_once_and_shows_the_file_as_it_is(found):
    merged = merge_touching([lines(a, b, n) for n, (a, b) in enumerate(found)])

    covered = [n for p in merged for n in range(p.start_line, p.end_line + 1)]
    assert sorted(covered) == sorted({n for a, b in found for n in range(a, b + 1)})
    assert all(list(p.lines) == FILE[p.start_line - 1 : p.end_line] for p in merged)
    assert all(
        a.end_line + 1 < b.start_line or b.end_line + 1 < a.start_line
        for a, b in itertools.combinations(merged, 2)
    )
    assert [p.best.doc_id for p in merged] == sorted(p.best.doc_id for p in merged)


@pytest.mark.parametrize("span", [(9, 12), (12, 21), (15, 14), (0, 3)])
def test_a_citation_outside_its_passage_is_not_verified(span):
    assert cite(1, passage_of(lines(10, 20))).verified
    assert not cite(1, passage_of(lines(10, 20)), span).verified


def test_a_citation_of_text_that_does_not_fill_its_lines_is_not_verified():
    assert not cite(1, passage_of(replace(lines(10, 20), code="two\nlines"))).verified
