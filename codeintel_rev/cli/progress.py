"""How far a long run is: a bar at a terminal, a short line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from codeintel_rev.cli.output import Output

QUIET_S: Final = 0.5
"""A run shorter than this shows nothing."""
LINE_EVERY_S: Final = 5.0
"""Pause between two lines where there is no terminal."""

_LABELS: Final = {
    "scan": "scanning",
    "index": "indexing",
    "commit": "saving the index",
    "compact": "compacting",
    "reembed": "re-embedding",
}
_UNITS: Final = {"compact": "chunks", "reembed": "chunks", "asking": "queries"}
"""What a stage counts where it is not files."""


class Step(NamedTuple):
    """How far one stage is."""

    stage: str
    done: int
    total: int
    lines: int
    seconds: float
    """Since the stage began."""

    @property
    def unit(self) -> str:
        """What is counted."""
        return _UNITS.get(self.stage, "files")

    @property
    def label(self) -> str:
        """What is being done, in a word."""
        return _LABELS.get(self.stage, self.stage)

    @property
    def rate(self) -> str:
        """Files and lines a second; empty for stages that read none."""
        if self.stage != "index" or not self.lines or self.seconds <= 0:
            return ""
        files, lines = self.done / self.seconds, self.lines / self.seconds
        return f"{files:,.0f} files/s, {lines:,.0f} lines/s"


class Display(Protocol):
    """What a person sees of a step."""

    def show(self, step: Step) -> None:
        """Show how far it is now."""
        ...

    def close(self) -> None:
        """Leave the terminal as it was."""
        ...


class LineDisplay:
    """Writes a short line every few seconds."""

    def __init__(
        self, write: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._write = write
        self._clock = clock
        self._next = 0.0

    def show(self, step: Step) -> None:
        """Write the step unless another was written a moment ago."""
        now = self._clock()
        if now < self._next:
            return
        self._next = now + LINE_EVERY_S
        count = f" {step.done:,} of {step.total:,} {step.unit}" if step.total > 1 else ""
        self._write(f"{step.label}{count}{f' ({step.rate})' if step.rate else ''}")

    def close(self) -> None:
        """Nothing is left to do."""


class Reporter:
    """Receives progress and shows it once the run has become long (``Progress``)."""

    def __init__(
        self,
        open_display: Callable[[], Display],
        note: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._open_display = open_display
        self._note = note
        self._clock = clock
        self._display: Display | None = None
        self._started = clock()
        self._stage = ("", self._started)

    def __call__(self, stage: str, done: int, total: int, lines: int) -> None:
        """Take note of ``done`` of ``total``; ``lines`` is the sum over the files so far."""
        now = self._clock()
        if stage != self._stage[0]:
            self._stage = (stage, now)
        if now - self._started < QUIET_S:
            return
        if self._display is None:
            self._display = self._open_display()
        self._display.show(Step(stage, done, total, lines, now - self._stage[1]))

    def waiting(self, holder: str) -> None:
        """Tell that another process has to finish first."""
        self._note(f"waiting for {holder} to finish indexing")

    def close(self) -> None:
        """Take the display away."""
        if self._display is not None:
            self._display.close()
            self._display = None


@contextmanager
def reporting(output: Output) -> Iterator[Reporter]:
    """Open a reporter that fits standard error."""

    def open_display() -> Display:
        if not sys.stderr.isatty():
            return LineDisplay(output.note)
        from codeintel_rev.cli.progress_bar import BarDisplay

        return BarDisplay()

    reporter = Reporter(open_display, output.note)
    try:
        yield reporter
    finally:
        reporter.close()
