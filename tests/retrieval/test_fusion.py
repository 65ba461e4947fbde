import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeintel_rev.errors import InvalidArgument
from codeintel_rev.retrieval.fusion import fuse_hits, reciprocal_rank_fusion
from codeintel_rev.types import SearchHit

rankings = st.dictionaries(
    st.sampled_from(["faiss", "bm25", "splade"]), st.lists(st.integers(0, 30), max_size=20)
)


def test_a_score_is_the_sum_of_reciprocal_ranks():
    fused = dict(reciprocal_rank_fusion({"faiss": [1, 2], "bm25": [2, 3]}))

    assert fused[1] == pytest.approx(1 / 61)
    assert fused[2] == pytest.approx(1 / 62 + 1 / 61)
    assert fused[3] == pytest.approx(1 / 62)


def test_what_two_channels_agree_on_comes_first():
    assert reciprocal_rank_fusion({"faiss": [1, 2], "bm25": [2, 3]})[0][0] == 2


def test_equal_scores_are_ordered_by_id():
    assert [doc_id for doc_id, _ in reciprocal_rank_fusion({"faiss": [9], "bm25": [4]})] == [4, 9]


def test_equal_scores_prefer_the_better_single_rank():
    # With k = 0: 7 scores 1/2, and 3 scores 1/4 + 1/4.
    channels = {"faiss": [1, 7, 8, 3], "bm25": [2, 5, 6, 3]}

    order = [doc_id for doc_id, _ in reciprocal_rank_fusion(channels, k=0)]

    assert order.index(7) < order.index(3)


def test_a_repeated_id_counts_once_with_its_best_rank():
    assert reciprocal_rank_fusion({"faiss": [5, 5, 6]}) == [(5, 1 / 61), (6, 1 / 62)]


@pytest.mark.parametrize("channels", [{}, {"faiss": []}])
def test_nothing_in_nothing_out(channels):
    assert reciprocal_rank_fusion(channels) == []


def test_a_negative_k_is_refused():
    with pytest.raises(InvalidArgument, match="-1"):
        reciprocal_rank_fusion({"faiss": [1]}, k=-1)


@given(rankings)
def test_the_order_of_the_channels_does_not_matter(channels):
    backwards = dict(reversed(channels.items()))

    assert reciprocal_rank_fusion(channels) == reciprocal_rank_fusion(backwards)


@given(rankings)
def test_every_id_appears_once_and_scores_never_rise(channels):
    fused = reciprocal_rank_fusion(channels)

    assert sorted(doc_id for doc_id, _ in fused) == sorted(
        {doc_id for ids in channels.values() for doc_id in ids}
    )
    scores = [score for _, score in fused]
    assert scores == sorted(scores, reverse=True)


def test_a_fused_hit_keeps_the_scores_of_its_channels():
    dense = [SearchHit(1, 0.9, uri="a.py"), SearchHit(2, 0.8)]
    words = [SearchHit(2, 15.0, source="bm25"), SearchHit(2, 16.0, source="bm25")]

    both, one = fuse_hits({"faiss": dense, "bm25": words})

    assert (both.doc_id, both.scores.faiss, both.scores.bm25) == (2, 0.8, 16.0)
    assert both.score == both.scores.rrf == pytest.approx(1 / 61 + 1 / 62)
    assert (one.uri, one.scores.bm25, one.scores.splade) == ("a.py", None, None)
