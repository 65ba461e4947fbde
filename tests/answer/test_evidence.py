"""How strongly hits speak for an answer, and where the weights of that come from."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from codeintel_rev.answer.evidence import (
    BY_WORDS_ALONE,
    NO_EVIDENCE,
    NO_HITS,
    WITH_MEANING,
    evidence_of,
)
from codeintel_rev.answer.question import question_of
from codeintel_rev.types import ChannelScores
from tests.fakes.retriever import make_hit

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"
HIT = make_hit(1, "def parse_voucher(text):\n    return text\n", symbol="parse_voucher")


def test_the_weights_are_those_of_the_committed_fit():
    (result,) = RESULTS.glob("answers-*.json")
    signals = json.loads(result.read_text())["signals"]

    assert list(WITH_MEANING) == signals["fitted"]
    bias, *weights = signals["fitted_without_cosine"]
    assert list(BY_WORDS_ALONE) == [bias, 0.0, *weights]


def test_a_strength_is_computed_by_hand():
    hit = replace(HIT, scores=ChannelScores(faiss=0.5))
    found = evidence_of(question_of("parse voucher"), [hit])

    assert found[:3] == (0.5, 1.0, 0.0)
    bias, cosine, held, _ = WITH_MEANING
    assert found.score == pytest.approx(1 / (1 + math.exp(-(bias + cosine * 0.5 + held))))


def test_a_name_that_is_defined_speaks_for_itself_without_meaning():
    named = evidence_of(question_of("what is parse_voucher?"), [HIT])
    other = evidence_of(question_of("what is the price of salt?"), [HIT])

    assert named.named == 1.0
    assert named.score > NO_EVIDENCE > other.score
    assert evidence_of(question_of("anything"), []) == NO_HITS


def test_a_constant_among_others_is_named_when_nothing_else_is_asked_for():
    lines = make_hit(1, "from a import b\n\nMAX_SIZE = 3\nMIN_SIZE = 1\n", symbol="")
    assert evidence_of(question_of("where is MAX_SIZE defined?"), [lines]).named == 1.0
    assert evidence_of(question_of("where is MAX_PATH defined?"), [lines]).named == 0.0
    assert evidence_of(question_of("who compares MAX_SIZE with paths?"), [lines]).named == 0.0
