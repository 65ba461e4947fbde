from __future__ import annotations

import asyncio

import pytest

from codeintel_rev.io.static_embedder import StaticEmbedder
from codeintel_rev.retrieval.token_reranker import TokenReranker

CANDIDATES = (
    "def parse_header(line):\n    return line.split(':')",
    "def draw_circle(radius):\n    canvas.arc(radius)",
    "",
)


@pytest.fixture(scope="module")
def reranker() -> TokenReranker:
    return TokenReranker(StaticEmbedder(), lambda term: 1.0)


def test_the_candidate_with_the_nearest_words_scores_highest(reranker: TokenReranker) -> None:
    parse, draw, nothing = asyncio.run(reranker.rerank("read the header of a message", CANDIDATES))
    assert 1.0 >= parse > draw > nothing == 0.0


def test_the_same_words_score_one_and_unknown_ones_nothing(reranker: TokenReranker) -> None:
    assert reranker.scores("parse header", CANDIDATES)[0] == pytest.approx(1.0, abs=0.001)
    assert reranker.scores("zzqqxxy", CANDIDATES) == [0.0, 0.0, 0.0]
    assert reranker.scores("parse", []) == []
