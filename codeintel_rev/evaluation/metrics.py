"""Ranking metrics of one query, pure.

A file counts once, at its best rank; its grade is its best judgement. A span counts as found at
the first chunk that shares a line with it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from codeintel_rev.evaluation.datasets import Judgement
from codeintel_rev.evaluation.runs import Result

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

CUTOFF = 10
"""Rank down to which NDCG, MRR and the span metrics look."""

RECALL_CUTOFFS = (1, 5, 10, 20)

Scores = dict[str, float]
"""Metric name to its value in [0, 1]."""

FILE_METRICS = (f"ndcg@{CUTOFF}", f"mrr@{CUTOFF}", *(f"recall@{k}" for k in RECALL_CUTOFFS))
SPAN_METRICS = (f"span_recall@{CUTOFF}", f"span_hit@{CUTOFF}", f"span_mrr@{CUTOFF}")


def score(judgements: Sequence[Judgement], results: Sequence[Result]) -> Scores:
    """Return every file metric, and the span metrics when a judgement names lines.

    NDCG takes the grade as gain and ``1 / log2(rank + 1)`` as discount, against the ideal order
    (Järvelin and Kekäläinen, 2002).
    """
    spans = [judgement for judgement in judgements if judgement.start_line]
    files = _file_scores(_grades(judgements), _files(results))
    return files | _span_scores(spans, results[:CUTOFF]) if spans else files


def _grades(judgements: Iterable[Judgement]) -> dict[str, int]:
    grades: dict[str, int] = {}
    for judgement in judgements:
        grades[judgement.key] = max(judgement.grade, grades.get(judgement.key, 0))
    return grades


def _files(results: Iterable[Result]) -> list[str]:
    return list(dict.fromkeys(result.key for result in results))


def _file_scores(grades: dict[str, int], files: Sequence[str]) -> Scores:
    gains = [grades.get(file, 0) for file in files]
    ideal = sorted(grades.values(), reverse=True)
    values = [
        _dcg(gains[:CUTOFF]) / _dcg(ideal[:CUTOFF]),
        _reciprocal(next((i for i, gain in enumerate(gains[:CUTOFF], 1) if gain), None)),
        *(sum(gain > 0 for gain in gains[:k]) / len(grades) for k in RECALL_CUTOFFS),
    ]
    return dict(zip(FILE_METRICS, values, strict=True))


def _span_scores(spans: Sequence[Judgement], chunks: Sequence[Result]) -> Scores:
    ranks = [
        next((rank for rank, chunk in enumerate(chunks, 1) if _overlaps(span, chunk)), None)
        for span in spans
    ]
    found = [rank for rank in ranks if rank is not None]
    values = [len(found) / len(spans), float(bool(found)), _reciprocal(min(found, default=None))]
    return dict(zip(SPAN_METRICS, values, strict=True))


def _overlaps(span: Judgement, chunk: Result) -> bool:
    first, last = span.start_line or 0, span.end_line or 0
    return chunk.key == span.key and chunk.start_line <= last and first <= chunk.end_line


def _dcg(gains: Iterable[int]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, 1))


def _reciprocal(rank: int | None) -> float:
    return 1 / rank if rank else 0.0
