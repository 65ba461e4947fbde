"""``codeintel compact``."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from codeintel_rev.cli.options import DataDir, Repo, command_app
from codeintel_rev.cli.output import Output

NICENESS = 10
"""Compaction gives way to whatever else the machine does."""

app = command_app()


@app.command()
def compact(
    ctx: typer.Context,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Fail when another process is compacting.")
    ] = False,
    data_dir: DataDir = None,
    repo: Repo = None,
) -> None:
    """Make an index small again, and build its catalog for SQL.

    Searches and indexing go on meanwhile; interrupted, the previous index serves on.
    """
    from codeintel_rev.app.compaction import compact_data_dir
    from codeintel_rev.app.data_dir import data_dir_for_search
    from codeintel_rev.app.further_indexes import further_indexes
    from codeintel_rev.cli.progress import reporting
    from codeintel_rev.config.settings import load_settings

    output: Output = ctx.obj
    settings = load_settings()
    named = data_dir or settings.data_dir
    folder, _ = data_dir_for_search(named, repo, settings.data_home)
    os.nice(NICENESS)
    with reporting(output) as reporter:
        report = compact_data_dir(
            folder,
            wait=not no_wait,
            progress=reporter,
            on_wait=reporter.waiting,
            materialize=settings.duckdb.materialize,
            further=further_indexes(settings),
        )
    if output.json:
        import msgspec

        output.document(msgspec.to_builtins(report))
    else:
        from codeintel_rev.cli.blocks import compaction_text

        output.text(compaction_text(report))
