import asyncio
import threading

import pytest

from codeintel_rev.answer.stages import Lane, Saturated, run_stage
from codeintel_rev.cancellation import interruptible, is_cancelled
from codeintel_rev.errors import BadGlob
from tests.fakes.clock import FakeClock


async def returning(value):
    return value


async def raising(error):
    raise error


@pytest.mark.parametrize(
    ("work", "status", "word"),
    [
        (lambda: returning([1]), "ok", None),
        (lambda: returning([]), "empty", None),
        (lambda: raising(OSError("gone")), "failed", "faiss_error"),
        (lambda: raising(TimeoutError("of its own")), "failed", "faiss_error"),
        (lambda: raising(Saturated("faiss")), "skipped", "faiss_skipped"),
        (lambda: asyncio.Event().wait(), "timed_out", "faiss_timeout"),
    ],
)
async def test_a_stage_ends_in_one_of_five_ways(work, status, word):
    outcome = await run_stage("faiss", work, 20, FakeClock())

    assert outcome.status == status
    assert outcome.limit_word("faiss") == word
    assert (outcome.latency_ms is None) == (status not in ("ok", "empty"))


async def test_a_stage_without_time_is_not_begun():
    def work():
        raise AssertionError

    assert (await run_stage("faiss", work, 0, FakeClock())).status == "timed_out"


async def test_the_callers_mistake_is_kept_to_be_raised_again():
    error = BadGlob("bad glob")

    assert (await run_stage("faiss", lambda: raising(error), 20, FakeClock())).error is error


async def test_only_a_channel_can_be_skipped_without_fault():
    outcome = await run_stage("hydration", lambda: raising(Saturated("x")), 20, FakeClock())

    assert outcome.limit_word("hydration") == "hydration_error"


async def test_a_lane_refuses_while_abandoned_calls_hold_its_threads():
    lane, release = Lane("test", width=1), threading.Event()
    try:
        late = await run_stage("faiss", lambda: lane.run(release.wait), 20, FakeClock())
        assert late.status == "timed_out"
        with pytest.raises(Saturated):
            await lane.run(int)

        release.set()
        # The lane's one thread gets here only after the abandoned call has come back.
        await asyncio.wrap_future(lane._threads.submit(int))
        assert await lane.run(lambda: "back") == "back"
    finally:
        release.set()
        lane.close()


async def test_a_call_learns_that_it_came_too_late():
    lane, told = Lane("test", width=1), threading.Event()

    def wait_for_word():
        with interruptible(told.set):
            return told.wait(60) and is_cancelled()

    try:
        outcome = await run_stage("faiss", lambda: lane.run(wait_for_word), 20, FakeClock())
        assert outcome.status == "timed_out"
        assert await asyncio.to_thread(told.wait, 60)
        assert not is_cancelled()
    finally:
        lane.close()


async def test_a_busy_lane_lets_calls_wait():
    lane = Lane("test", width=1)
    try:
        answers = await asyncio.gather(*(lane.run(lambda n=n: n) for n in range(20)))
    finally:
        lane.close()

    assert answers == list(range(20))


async def test_a_lane_with_a_full_backlog_refuses():
    lane, release = Lane("test", width=1, backlog=1), threading.Event()
    try:
        waiting = [asyncio.create_task(lane.run(release.wait)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Saturated):
            await lane.run(int)
        release.set()
        assert await asyncio.gather(*waiting) == [True, True]
    finally:
        release.set()
        lane.close()
