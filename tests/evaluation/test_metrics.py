"""Scores of single queries, worked out by hand."""

import math

import pytest

from codeintel_rev.evaluation.datasets import Judgement
from codeintel_rev.evaluation.metrics import FILE_METRICS, SPAN_METRICS, score
from codeintel_rev.evaluation.runs import Result


def files(*paths: str) -> list[Result]:
    return [Result(path=path) for path in paths]


def chunk(path: str, start: int, end: int) -> Result:
    return Result(path=path, start_line=start, end_line=end)


def test_two_graded_files_at_ranks_two_and_four() -> None:
    judged = [Judgement(path="best.py", grade=2), Judgement(path="good.py", grade=1)]

    scores = score(judged, files("a.py", "good.py", "b.py", "best.py"))

    gained = 1 / math.log2(3) + 2 / math.log2(5)
    ideal = 2 / math.log2(2) + 1 / math.log2(3)
    assert scores == {
        "ndcg@10": pytest.approx(gained / ideal),
        "mrr@10": 1 / 2,
        "recall@1": 0.0,
        "recall@5": 1.0,
        "recall@10": 1.0,
        "recall@20": 1.0,
    }


def test_a_file_counts_once_at_its_best_rank() -> None:
    judged = [Judgement(path="right.py")]

    assert score(judged, files("a.py", "a.py", "right.py", "a.py", "right.py"))["mrr@10"] == 1 / 2


def test_a_file_judged_twice_has_its_best_grade_and_is_one_file_to_find() -> None:
    judged = [Judgement(path="x.py", grade=1), Judgement(path="x.py", grade=2)]

    scores = score(judged, files("x.py"))

    assert scores["ndcg@10"] == 1.0
    assert scores["recall@1"] == 1.0


def test_only_recall_at_20_looks_beyond_the_tenth_file() -> None:
    ranked = files(*(f"{i}.py" for i in range(10)), "late.py")

    scores = score([Judgement(path="late.py")], ranked)

    assert {metric for metric, value in scores.items() if value} == {"recall@20"}


def test_more_right_files_than_ranks_can_still_be_perfect() -> None:
    paths = [f"{i}.py" for i in range(15)]

    scores = score([Judgement(path=path) for path in paths], files(*paths))

    assert scores["ndcg@10"] == pytest.approx(1.0)
    assert scores["recall@10"] == pytest.approx(10 / 15)


def test_documents_are_scored_by_their_ids() -> None:
    judged = [Judgement(doc_id="d7")]

    assert score(judged, [Result(doc_id="d1"), Result(doc_id="d7")])["mrr@10"] == 1 / 2


def test_nothing_returned_scores_zero_everywhere() -> None:
    judged = [Judgement(path="x.py", start_line=1, end_line=2)]

    assert score(judged, []) == dict.fromkeys((*FILE_METRICS, *SPAN_METRICS), 0.0)


def test_a_span_is_found_by_the_first_chunk_that_shares_a_line() -> None:
    judged = [
        Judgement(path="x.py", start_line=10, end_line=12),
        Judgement(path="x.py", start_line=90, end_line=99),
    ]
    returned = [
        chunk("x.py", 1, 9),
        chunk("y.py", 10, 12),
        chunk("x.py", 12, 30),
        chunk("x.py", 5, 11),
    ]

    scores = score(judged, returned)

    assert scores["span_recall@10"] == 1 / 2
    assert scores["span_hit@10"] == 1.0
    assert scores["span_mrr@10"] == 1 / 3


def test_spans_look_at_ten_chunks_though_files_look_at_ten_files() -> None:
    judged = [Judgement(path="x.py", start_line=1, end_line=1)]

    scores = score(judged, [*([chunk("a.py", 1, 1)] * 10), chunk("x.py", 1, 1)])

    assert scores["mrr@10"] == 1 / 2
    assert scores["span_hit@10"] == 0.0


def test_whole_files_find_no_span() -> None:
    judged = [Judgement(path="x.py", start_line=1, end_line=9)]

    assert score(judged, files("x.py"))["span_hit@10"] == 0.0


def test_span_scores_are_absent_where_no_judgement_names_lines() -> None:
    assert not set(SPAN_METRICS) & set(score([Judgement(path="x.py")], files("x.py")))
