from __future__ import annotations

import logging

import pytest

from codeintel_rev.observability.repeats import MOST, WINDOW_S, Repeats
from tests.fakes.clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def log(clock: FakeClock, caplog: pytest.LogCaptureFixture) -> logging.Logger:
    log = logging.getLogger("tests.repeats")
    log.filters[:] = [Repeats(clock)]
    return log


def fail(log: logging.Logger, number: int) -> None:
    log.warning("the disk is full, try %d", number)


def test_a_fault_that_goes_on_is_told_a_few_times_a_minute(
    log: logging.Logger, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(100):
        fail(log, number)
    assert len(caplog.messages) == MOST
    clock.now += WINDOW_S
    fail(log, 100)
    assert caplog.messages[-1] == (
        f"the disk is full, try 100 ({100 - MOST} more like it were left out)"
    )
    clock.now += WINDOW_S
    fail(log, 101)
    assert caplog.messages[-1] == "the disk is full, try 101"


def test_another_fault_is_told_beside_it(
    log: logging.Logger, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(100):
        fail(log, number)
    log.warning("the model is away")
    assert caplog.messages[-1] == "the model is away"
