"""Scores of sets, intervals and latencies."""

import math

import pytest

from codeintel_rev.evaluation.datasets import Judgement, Query
from codeintel_rev.evaluation.runs import Result
from codeintel_rev.evaluation.summary import bootstrap, compare, latency_percentiles, summarize


def query(name: str, *judgements: Judgement, **fields: str) -> Query:
    return Query(name, f"where is {name}?", judgements, None, fields)


SMALL_SET = (
    query("first", Judgement(path="a.py", grade=2), Judgement(path="b.py"), kind="easy"),
    query("span", Judgement(path="c.py", start_line=20, end_line=25, grade=2), kind="hard"),
    query("lost", Judgement(path="d.py", start_line=1, end_line=3), kind="hard"),
)
SMALL_RUN = {
    "first": [Result(path="a.py"), Result(path="x.py"), Result(path="b.py")],
    "span": [
        Result(path="x.py", start_line=1, end_line=40),
        Result(path="c.py", start_line=1, end_line=19),
        Result(path="c.py", start_line=19, end_line=20),
    ],
}


def test_a_small_set_has_the_scores_worked_out_by_hand() -> None:
    assert summarize(SMALL_SET, SMALL_RUN, by="kind") == {
        "all": {
            "ndcg@10": 0.5271,
            "mrr@10": 0.5,
            "recall@1": 0.1667,
            "recall@5": 0.6667,
            "recall@10": 0.6667,
            "recall@20": 0.6667,
            "span_recall@10": 0.5,
            "span_hit@10": 0.5,
            "span_mrr@10": 0.1667,
            "n": 3,
            "n_with_spans": 2,
        },
        "kind=easy": {
            "ndcg@10": 0.9502,
            "mrr@10": 1.0,
            "recall@1": 0.5,
            "recall@5": 1.0,
            "recall@10": 1.0,
            "recall@20": 1.0,
            "n": 1,
            "n_with_spans": 0,
        },
        "kind=hard": {
            "ndcg@10": 0.3155,
            "mrr@10": 0.25,
            "recall@1": 0.0,
            "recall@5": 0.5,
            "recall@10": 0.5,
            "recall@20": 0.5,
            "span_recall@10": 0.5,
            "span_hit@10": 0.5,
            "span_mrr@10": 0.1667,
            "n": 2,
            "n_with_spans": 2,
        },
    }


def test_rows_without_the_field_form_a_group_of_their_own() -> None:
    assert summarize([query("q", Judgement(path="a.py"))], {}, by="kind")["kind=None"]["n"] == 1


def test_a_run_gains_on_another_by_the_mean_of_the_differences() -> None:
    better = SMALL_RUN | {"lost": [Result(path="d.py")]}

    gain = compare(SMALL_SET, SMALL_RUN, better, "mrr@10")

    assert gain.mean == pytest.approx(1 / 3)
    assert (gain.low, gain.high, gain.n) == (0.0, 1.0, 3)


def test_a_comparison_leaves_out_queries_without_the_metric() -> None:
    assert compare(SMALL_SET, SMALL_RUN, SMALL_RUN, "span_hit@10") == (0.0, 0.0, 0.0, 2)


def test_the_interval_of_many_values_is_that_of_the_normal_distribution() -> None:
    values = [0.0, 1.0] * 200

    interval = bootstrap(values)

    half_width = 1.96 * 0.5 / math.sqrt(len(values))
    assert interval.mean == 0.5
    assert interval.low == pytest.approx(0.5 - half_width, abs=0.005)
    assert interval.high == pytest.approx(0.5 + half_width, abs=0.005)
    assert interval == bootstrap(values)


def test_nothing_to_compare_is_no_gain() -> None:
    assert bootstrap([]) == (0.0, 0.0, 0.0, 0)


def test_percentiles_are_measured_values() -> None:
    milliseconds = [n / 1000 for n in range(100, 0, -1)]

    assert latency_percentiles(milliseconds) == {"p50": 50.0, "p95": 95.0, "p99": 99.0}


@pytest.mark.parametrize(("seconds", "expected"), [([], 0.0), ([0.004], 4.0)])
def test_percentiles_of_hardly_anything(seconds: list[float], expected: float) -> None:
    assert latency_percentiles(seconds) == dict.fromkeys(("p50", "p95", "p99"), expected)
