"""``codeintel watch``."""

from __future__ import annotations

import signal
from threading import Event
from typing import TYPE_CHECKING, Any

import typer

from codeintel_rev.cli.options import DataDir, Repo, command_app
from codeintel_rev.cli.output import Output

if TYPE_CHECKING:
    from codeintel_rev.app.watch import Update
    from codeintel_rev.errors import CodeIntelError

app = command_app()


@app.command()
def watch(ctx: typer.Context, data_dir: DataDir = None, repo: Repo = None) -> None:
    """Keep an index up to date while its files are edited.

    Indexes the repository first when there is no index, and ends at Ctrl-C. Each update is one
    line; with --json the lines go to standard error, and the document at the end, after SIGTERM,
    counts them.
    """
    from codeintel_rev.app.local import open_index
    from codeintel_rev.app.watch import Watcher
    from codeintel_rev.cli.progress import reporting
    from codeintel_rev.config.settings import load_settings

    output: Output = ctx.obj
    settings = load_settings()
    with reporting(output) as reporter:
        index = open_index(
            repo,
            data_dir=data_dir,
            settings=settings,
            progress=reporter,
            on_wait=reporter.waiting,
        )
        index.close()
    stop = Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    watcher = Watcher(index.data_dir, settings)
    told = _Told(output)
    try:
        names = ", ".join(repository.name for repository in index.repositories)
        output.note(f"watching {names}; Ctrl-C ends it")
        watcher.run(stop, told.update, told.problem)
    finally:
        watcher.close()
    if output.json:
        output.document(told.summary)


class _Told:
    """Tells updates as they come, and counts them."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self.summary: dict[str, Any] = {"updates": 0, "added": 0, "changed": 0, "removed": 0}

    def update(self, update: Update) -> None:
        report = update.report
        self.summary["updates"] += 1
        counts = []
        for name in ("added", "changed", "removed"):
            count = getattr(report, name)
            self.summary[name] += count
            counts += [f"{count:,} {name}"] if count else []
        line = f"{update.repo}: {', '.join(counts)} in {update.seconds * 1000:,.0f} ms"
        (self._output.note if self._output.json else self._output.text)(line)

    def problem(self, repo: str, error: CodeIntelError) -> None:
        hint = f" ({error.hint})" if error.hint else ""
        self._output.note(f"{repo} stays as it was: {error.message}{hint}")
