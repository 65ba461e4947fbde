"""Progress is silent for short runs, and says rates and what is left for long ones."""

from __future__ import annotations

import io

from rich.console import Console

from codeintel_rev.cli.output import Output
from codeintel_rev.cli.progress import LINE_EVERY_S, LineDisplay, Reporter, Step, reporting
from codeintel_rev.cli.progress_bar import BarDisplay


class HandClock:
    """A clock that a test moves by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Shown:
    """A display that remembers what it was told."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.closed = False

    def show(self, step: Step) -> None:
        self.steps.append(step)

    def close(self) -> None:
        self.closed = True


def test_a_short_run_shows_nothing() -> None:
    clock, display = HandClock(), Shown()
    with_nothing = Reporter(lambda: display, print, clock)
    with_nothing("scan", 0, 0, 0)
    clock.now += 0.1
    with_nothing("index", 5, 5, 500)
    with_nothing.close()
    assert (display.steps, display.closed) == ([], False)


def test_a_long_run_shows_rates_of_the_stage_at_hand() -> None:
    clock, display = HandClock(), Shown()
    reporter = Reporter(lambda: display, print, clock)
    reporter("scan", 0, 0, 0)
    clock.now += 3
    reporter("index", 0, 100, 0)
    clock.now += 2
    reporter("index", 50, 100, 9000)
    reporter.close()
    assert display.steps[-1].rate == "25 files/s, 4,500 lines/s"
    assert display.steps[-1].label == "indexing"
    assert display.closed


def test_without_a_terminal_a_line_is_written_now_and_then() -> None:
    clock = HandClock()
    lines: list[str] = []
    display = LineDisplay(lines.append, clock)
    step = Step("index", 1200, 8000, 90_000, 2.0)
    for _ in range(3):
        display.show(step)
    clock.now += LINE_EVERY_S
    display.show(Step("commit", 0, 1, 90_000, 0.0))
    assert lines == [
        "indexing 1,200 of 8,000 files (600 files/s, 45,000 lines/s)",
        "saving the index",
    ]


def test_a_bar_tells_count_rate_and_time_left_and_goes_away() -> None:
    drawn = io.StringIO()
    bar = BarDisplay(Console(file=drawn, force_terminal=True, width=100))
    bar.show(Step("index", 1200, 8000, 90_000, 2.0))
    bar.close()
    assert "1200/8000" in drawn.getvalue()
    assert "45,000 lines/s" in drawn.getvalue()
    assert drawn.getvalue().endswith("\x1b[2K")


def test_who_is_waited_for_is_told_on_standard_error(capsys: object) -> None:
    notes: list[str] = []
    Reporter(Shown, notes.append).waiting("process 7 on laptop")
    assert notes == ["waiting for process 7 on laptop to finish indexing"]
    with reporting(Output()) as reporter:
        reporter("scan", 0, 0, 0)
