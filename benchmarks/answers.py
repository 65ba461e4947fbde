"""Whether the confidence of answers can be believed, and what their citations are worth.

    python benchmarks/answers.py SETS... --repos DIR --pairs COSQA_PAIRS --data-dir DIR

Prints one JSON document. ``answers`` is what ``codeintel eval-answers`` tells.
``signals`` are those of ``codeintel_rev.answer.evidence`` on every question, asked of its own
repository and of two others: how well each tells right from wrong alone (AUC), the weights that a
logistic regression gives them, how these do on questions they were not fitted on (five folds), and
what each threshold would refuse. ``pairs`` judges the same score on (query, function) pairs that
people labelled.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from machine import machine
from numpy.typing import NDArray

from codeintel_rev.answer.evidence import BY_WORDS_ALONE, WITH_MEANING, Evidence, evidence_of
from codeintel_rev.answer.question import question_of
from codeintel_rev.app.components import load_embedder
from codeintel_rev.app.evaluation import answer_opener, evaluation_folder, tree_opener
from codeintel_rev.config.settings import Settings, load_settings
from codeintel_rev.evaluation import answer_runner
from codeintel_rev.evaluation.calibration import auc, reliability
from codeintel_rev.evaluation.datasets import Query, read_sets
from codeintel_rev.evaluation.plan import Plan, Task, make_plan
from codeintel_rev.types import ChannelScores, SearchHit

ELSEWHERE = 2
FOLDS = 5
SIGNALS = ("cosine", "held", "named")
THRESHOLDS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)


class Measured(NamedTuple):
    """The evidence for one question in one repository."""

    evidence: Evidence
    own: bool
    """Whether the question is about this repository."""
    right: bool
    """Whether one of the best three hits is of a gold file."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("sets", nargs="+", type=Path)
    parser.add_argument("--repos", type=Path, required=True)
    parser.add_argument("--pairs", type=Path, required=True)
    parser.add_argument("--data-dir", type=Path, required=True)
    asked = parser.parse_args()
    settings = load_settings()
    folder = evaluation_folder(asked.data_dir, settings)
    sets = [found for path in asked.sets for found in read_sets(path)]
    plan = make_plan(sets, trees=asked.repos)
    document = {"machine": machine(), "sets": [str(path.name) for path in asked.sets]}
    measured = list(_measured(plan, folder, settings))
    document["signals"] = _signals(measured)
    document["pairs"] = _pairs(asked.pairs, settings)
    report = answer_runner.run(plan, answer_opener(folder, settings))
    document["answers"] = report.document()
    print(json.dumps(document, indent=2))


def _measured(plan: Plan, folder: Path, settings: Settings) -> Iterator[Measured]:
    limit = settings.answer.max_query_chars
    opened = tree_opener(folder, settings, "hybrid")
    for at, task in enumerate(plan.tasks):
        strangers = answer_runner.strangers(plan.tasks, at, ELSEWHERE)
        asked = [*((query, True) for _, query in task.queries), *((q, False) for q in strangers)]
        with opened(task.source.root, task.source.name) as searcher:
            for query, own in asked:
                text = query.text[:limit]
                hits = searcher.search(text, limit=10).hits
                right = own and _is_right(query, task, hits)
                yield Measured(evidence_of(question_of(text), hits), own, right)


def _is_right(query: Query, task: Task, hits: Sequence[SearchHit]) -> bool:
    files = {judgement.path for judgement in query.judgements}
    return any(task.source.prefix + hit.uri in files for hit in hits[:3])


def _signals(measured: Sequence[Measured]) -> dict[str, object]:
    values = np.array([m.evidence[: len(SIGNALS)] for m in measured])
    right = np.array([m.right for m in measured])
    own = np.array([m.own for m in measured])
    scores = np.array([m.evidence.score for m in measured])
    outcomes = list(zip(scores.tolist(), right.tolist(), strict=True))
    return {
        "questions": int(own.sum()),
        "asked_elsewhere": int((~own).sum()),
        "auc_alone": {name: _auc(values[:, at], right) for at, name in enumerate(SIGNALS)},
        "auc": _auc(scores, right),
        "auc_own": _auc(scores[own], right[own]),
        "auc_cross_validated": _auc(_cross_validated(values, right), right),
        "reliability": [found._asdict() for found in reliability(outcomes)],
        "fitted": _rounded(_fit(values, right)),
        "in_use": WITH_MEANING._asdict(),
        "fitted_without_cosine": _rounded(_fit(values[:, 1:], right)),
        "in_use_without_cosine": BY_WORDS_ALONE._asdict(),
        "thresholds": [
            {
                "threshold": threshold,
                "answered_elsewhere": round(float((scores[~own] >= threshold).mean()), 4),
                "refused_though_right": round(float((scores[right] < threshold).mean()), 4),
                "refused_own": round(float((scores[own] < threshold).mean()), 4),
            }
            for threshold in THRESHOLDS
        ],
    }


def _pairs(path: Path, settings: Settings) -> dict[str, object]:
    embedder = load_embedder(settings)
    scores, labels = [], []
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        query = embedder.embed_query(row["query"])
        code = embedder.embed_documents([("", "", row["code"])])[0]
        shown = ChannelScores(faiss=float(query @ code))
        hit = SearchHit(doc_id=1, score=1.0, code=row["code"], scores=shown)
        scores.append(evidence_of(question_of(row["query"]), [hit]).score)
        labels.append(bool(row["label"]))
    return {"n": len(labels), "auc": _auc(np.array(scores), np.array(labels))}


def _cross_validated(values: NDArray[np.float64], right: NDArray[np.bool_]) -> NDArray[np.float64]:
    fold = np.random.default_rng(0).integers(0, FOLDS, len(values))
    scores = np.zeros(len(values))
    for at in range(FOLDS):
        bias, *weights = _fit(values[fold != at], right[fold != at])
        scores[fold == at] = bias + values[fold == at] @ np.array(weights)
    return scores


def _fit(values: NDArray[np.float64], right: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return bias and weights of a logistic regression, by Newton's method with a little ridge."""
    inputs = np.column_stack([np.ones(len(values)), values])
    ridge = 1e-5 * len(values) * np.diag([0.0, *([1.0] * values.shape[1])])
    weights = np.zeros(inputs.shape[1])
    for _ in range(50):
        chance = 1 / (1 + np.exp(-inputs @ weights))
        slope = inputs.T @ (chance - right) + ridge @ weights
        curve = (inputs * (chance * (1 - chance))[:, None]).T @ inputs + ridge
        weights = weights - np.linalg.solve(curve, slope)
    return weights


def _auc(scores: NDArray[np.float64], right: NDArray[np.bool_]) -> float | None:
    found = auc(list(zip(scores.tolist(), right.tolist(), strict=True)))
    return None if found is None else round(found, 4)


def _rounded(weights: NDArray[np.float64]) -> list[float]:
    return [round(float(weight), 2) for weight in weights]


if __name__ == "__main__":
    main()
