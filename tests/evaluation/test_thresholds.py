"""Least scores."""

import json
from pathlib import Path
from typing import Any

import pytest

from codeintel_rev.errors import InvalidArgument, NotFound
from codeintel_rev.evaluation.thresholds import Shortfall, read_thresholds, shortfalls

SUMMARIES = {
    "web": {
        "all": {"ndcg@10": 0.7, "mrr@10": 0.6, "n": 9.0},
        "kind=hard": {"ndcg@10": 0.4},
    }
}


def test_a_score_that_equals_its_threshold_is_enough() -> None:
    assert shortfalls({"web": {"ndcg@10": 0.7, "kind=hard": {"ndcg@10": 0.4}}}, SUMMARIES) == []


def test_every_lower_score_is_listed() -> None:
    least = {"web": {"ndcg@10": 0.71, "mrr@10": 0.5, "kind=hard": {"ndcg@10": 0.5}}}

    assert shortfalls(least, SUMMARIES) == [
        Shortfall("web", "all", "ndcg@10", 0.71, 0.7),
        Shortfall("web", "kind=hard", "ndcg@10", 0.5, 0.4),
    ]


def test_what_was_not_measured_falls_short() -> None:
    least = {"shop": {"ndcg@10": 0.0}, "web": {"span_hit@10": 0.0}}

    assert [(found.set, found.score) for found in shortfalls(least, SUMMARIES)] == [
        ("shop", None),
        ("web", None),
    ]


def test_thresholds_are_read_from_json(tmp_path: Path) -> None:
    path = tmp_path / "least.json"
    least = {"web": {"ndcg@10": 0.5, "kind=hard": {"recall@5": 0.25}}}
    path.write_text(json.dumps(least), encoding="utf-8")

    assert read_thresholds(path) == least


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ({"web": 0.5}, "holds no thresholds"),
        ({"web": {"ndcg@10": "high"}}, "holds no thresholds"),
        ({"web": {"ndcg": 0.5}}, "'ndcg' of web is no metric"),
    ],
)
def test_thresholds_that_could_never_be_checked_are_refused(
    tmp_path: Path, content: Any, complaint: str
) -> None:
    path = tmp_path / "least.json"
    path.write_text(json.dumps(content), encoding="utf-8")

    with pytest.raises(InvalidArgument, match=complaint):
        read_thresholds(path)


def test_an_absent_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="cannot read"):
        read_thresholds(tmp_path / "least.json")
