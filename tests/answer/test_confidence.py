import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeintel_rev.answer.confidence import confidence


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"evidence": 0.0, "synthesised": True}, 0.0),
        ({"evidence": 0.6}, 0.6),
        ({"evidence": 0.6, "synthesised": True}, 0.7),
        ({"evidence": 0.6, "limits": ("a", "b")}, 0.4),
        ({"evidence": 0.6, "synthesised": True, "limits": ("citation_missing",)}, 0.5),
        ({"evidence": 0.6, "limits": ("no_evidence",)}, 0.2),
        ({"evidence": 0.1, "limits": ("no_evidence",)}, 0.1),
        ({"evidence": 0.9, "retrieval": "text-scan"}, 0.3),
        ({"evidence": 0.6, "limits": tuple("abcdefgh")}, 0.0),
        ({"evidence": 1.0, "synthesised": True}, 1.0),
    ],
)
def test_what_counts(facts, expected):
    assert confidence(**facts) == expected


@given(st.floats(0, 1), st.booleans(), st.lists(st.text(), max_size=12))
def test_it_stays_between_zero_and_one(evidence, synthesised, limits):
    value = confidence(evidence=evidence, synthesised=synthesised, limits=tuple(limits))

    assert 0 <= value <= 1
