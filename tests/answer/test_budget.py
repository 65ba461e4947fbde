from codeintel_rev.answer.budget import Deadline, RetrievalBudget
from tests.fakes.clock import FakeClock


def test_channels_run_side_by_side():
    assert RetrievalBudget(faiss=300, bm25=500, splade=100).total_retrieval == 500


def test_a_stage_gets_its_budget_or_what_is_left():
    clock = FakeClock()
    deadline = Deadline.after(1000, clock)

    assert deadline.slice_ms(400) == 400
    clock.advance(800)
    assert round(deadline.slice_ms(400)) == 200
    clock.advance(800)
    assert deadline.slice_ms(400) == 0
