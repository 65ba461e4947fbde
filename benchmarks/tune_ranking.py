"""Searches the weights of the ranking, and says how they do on repositories they were not tuned on.

    python benchmarks/tune_ranking.py SETS --repos DIR [--corpus FILE] --data-dir DIR

One weight at a time is moved over its grid as long as that helps. The objective is the mean over the
sets of NDCG@10, and of span recall where lines are judged, so that a large set counts no more than
a small one. Folds are repositories, never queries: queries of one repository share its names.
Prints the present and the best weights, with their scores in sample, and the score of each fold
under the weights tuned on the others.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from ranking_cases import Case, arguments, cases

from codeintel_rev.evaluation.metrics import FILE_METRICS, SPAN_METRICS, score
from codeintel_rev.retrieval.ranking import Weights

FOLDS = 5
STEPS = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
LEAST_GAIN = 0.0005
"""A smaller gain is noise, and not worth moving a weight for."""
METRICS = (FILE_METRICS[0], SPAN_METRICS[0])

Numbers = tuple[float, ...]
"""Weights laid flat: dense shares, bonuses, penalties, file share, file decay."""


class Objective:
    """The score of weights on some of the cases."""

    def __init__(self, found: Sequence[Case]) -> None:
        self._cases = found
        self._sets = sorted({case.set for case in found})
        self.folds = np.array([crc32(case.repo.encode()) % FOLDS for case in found])
        self._of_set = {name: np.array([c.set == name for c in found]) for name in self._sets}
        self._scores = cache(self._score_all)

    def __call__(self, numbers: Numbers, chosen: NDArray[np.bool_]) -> float:
        """Return the mean over sets and metrics on the ``chosen`` cases."""
        scores = self._scores(numbers)
        means = [
            np.nanmean(column[chosen & of_set])
            for of_set in self._of_set.values()
            for column in scores
            if np.isfinite(column[chosen & of_set]).any()
        ]
        return float(np.mean(means))

    def _score_all(self, numbers: Numbers) -> list[NDArray[np.float64]]:
        weights = unflatten(numbers)
        rows = [score(case.query.judgements, case.run(weights)) for case in self._cases]
        return [np.array([row.get(metric, np.nan) for row in rows]) for metric in METRICS]


def flatten(weights: Weights) -> Numbers:
    """Return the weights as numbers."""
    bonuses, penalties = weights.bonuses.values(), weights.penalties.values()
    return (*weights.dense_shares, *bonuses, *penalties, weights.file_share, weights.file_decay)


def unflatten(numbers: Numbers) -> Weights:
    """Return the numbers as weights."""
    present = Weights()
    short, long, *rest, share, decay = numbers
    bonuses = dict(zip(present.bonuses, rest, strict=False))
    penalties = dict(zip(present.penalties, rest[len(bonuses) :], strict=True))
    return Weights((short, long), bonuses, penalties, share, decay)


def tuned(objective: Objective, start: Numbers, chosen: NDArray[np.bool_]) -> Numbers:
    """Return the weights from which no single step helps any more."""
    best, value = start, objective(start, chosen)
    moved = True
    while moved:
        moved = False
        for at in range(len(best)):
            step = max(_steps(best, at), key=lambda numbers: objective(numbers, chosen))
            reached = objective(step, chosen)
            if reached > value + LEAST_GAIN:
                best, value, moved = step, reached, True
    return best


def _steps(numbers: Numbers, at: int) -> Iterator[Numbers]:
    """Yield the neighbours of ``numbers`` on the grid, along one weight."""
    nearest = min(range(len(STEPS)), key=lambda i: abs(STEPS[i] - numbers[at]))
    for value in STEPS[max(0, nearest - 1) : nearest + 2]:
        yield (*numbers[:at], value, *numbers[at + 1 :])


def main() -> None:
    found = cases(arguments(__doc__).parse_args())
    objective = Objective(found)
    start = flatten(Weights())
    everything = np.ones(len(found), dtype=np.bool_)
    best = tuned(objective, start, everything)
    folds = []
    for fold in range(FOLDS):
        held_out = objective.folds == fold
        own = tuned(objective, start, ~held_out)
        scores = {"present": objective(start, held_out), "tuned": objective(own, held_out)}
        folds.append({"weights": unflatten(own)._asdict(), **scores})
    document = {
        "present": {"weights": Weights()._asdict(), "score": objective(start, everything)},
        "best": {"weights": unflatten(best)._asdict(), "score": objective(best, everything)},
        "held_out": folds,
    }
    print(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
