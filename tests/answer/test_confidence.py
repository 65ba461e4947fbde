import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeintel_rev.answer.confidence import confidence


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"has_hits": False, "synthesised": True, "best_signal": 1.0}, 0.0),
        ({"has_hits": True, "synthesised": True}, 0.8),
        ({"has_hits": True, "synthesised": False}, 0.5),
        ({"has_hits": True, "synthesised": False, "limits": ("a", "b")}, 0.3),
        ({"has_hits": True, "synthesised": True, "limits": ("citation_missing",)}, 0.6),
        ({"has_hits": True, "synthesised": True, "best_signal": 0.71}, 0.9),
        ({"has_hits": True, "synthesised": True, "best_signal": 0.7}, 0.8),
        ({"has_hits": True, "synthesised": True, "retrieval": "text-scan"}, 0.3),
        ({"has_hits": True, "synthesised": False, "limits": tuple("abcdefgh")}, 0.0),
    ],
)
def test_what_counts(facts, expected):
    assert confidence(**facts) == expected


@given(st.booleans(), st.booleans(), st.lists(st.text(), max_size=12), st.floats(-1, 1))
def test_it_stays_between_zero_and_one(has_hits, synthesised, limits, signal):
    value = confidence(
        has_hits=has_hits, synthesised=synthesised, limits=tuple(limits), best_signal=signal
    )

    assert 0 <= value <= 1
