import pytest

from codeintel_rev.evaluation.calibration import auc, reliability


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([(0.1, False), (0.9, True)], 1.0),
        ([(0.9, False), (0.1, True)], 0.0),
        ([(0.5, False), (0.5, True)], 0.5),
        ([(0.2, False), (0.4, True), (0.6, False), (0.8, True)], 0.75),
        ([(0.2, True), (0.4, True)], None),
        ([], None),
    ],
)
def test_auc_counts_how_often_right_stands_above_wrong(outcomes, expected):
    assert auc(outcomes) == expected


def test_reliability_compares_what_was_foretold_with_what_came():
    low, high = reliability([(0.12, False), (0.18, True), (1.0, True)])

    assert low == (0.1, 2, pytest.approx(0.15), 0.5)
    assert high == (0.9, 1, 1.0, 1.0)
