"""What happened is told later, in its order, and by whoever comes to it."""

from __future__ import annotations

import pytest

from codeintel_rev.observability.backlog import MOST, Backlog


def test_nothing_is_told_before_somebody_settles() -> None:
    told: list[int] = []
    backlog = Backlog()
    backlog.put(told.append, 1)
    backlog.put(told.append, 2)
    assert told == []
    backlog.settle()
    backlog.settle()
    assert told == [1, 2]


def test_where_nobody_settles_what_waits_stays_small() -> None:
    told: list[int] = []
    backlog = Backlog()
    for number in range(MOST + 1):
        backlog.put(told.append, number)
    assert told == list(range(MOST))


def test_what_cannot_be_told_is_logged_and_keeps_back_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told: list[int] = []
    backlog = Backlog()
    backlog.put([].pop)
    backlog.put(told.append, 1)
    backlog.settle()
    assert told == [1]
    assert "pop from empty list" in caplog.text
