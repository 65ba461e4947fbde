"""A progress bar with rate and time left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from codeintel_rev.cli.progress import Step


class BarDisplay:
    """Draws on standard error, and takes the bar away when closed."""

    def __init__(self, console: Console | None = None) -> None:
        self._progress = Progress(
            TextColumn("{task.description:<9}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]} {task.fields[rate]}"),
            TimeRemainingColumn(compact=True),
            console=console or Console(stderr=True),
            transient=True,
        )
        self._stage = ""
        self._task = self._progress.add_task("", total=None, unit="", rate="")
        self._progress.start()

    def show(self, step: Step) -> None:
        """Move the bar; a new stage starts a new one."""
        if step.stage != self._stage:
            self._stage = step.stage
            self._progress.reset(self._task, description=step.label, total=step.total or None)
        self._progress.update(
            self._task,
            completed=step.done,
            total=step.total or None,
            unit=step.unit,
            rate=step.rate,
        )

    def close(self) -> None:
        """Take the bar away."""
        self._progress.stop()
