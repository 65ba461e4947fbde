"""``codeintel backup``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from codeintel_rev.cli.options import DataDir, Repo, command_app
from codeintel_rev.cli.output import Output

app = command_app()


@app.command()
def backup(
    ctx: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="File to write; it must not be there yet.")
    ],
    data_dir: DataDir = None,
    repo: Repo = None,
) -> None:
    """Write a live index to one file.

    Searches go on meanwhile, and whoever writes to the index waits. Mirrors and traces are left out.
    """
    from codeintel_rev.app.backup import back_up
    from codeintel_rev.app.data_dir import data_dir_for_search
    from codeintel_rev.cli.progress import reporting
    from codeintel_rev.config.settings import load_settings

    output: Output = ctx.obj
    settings = load_settings()
    named = data_dir or settings.data_dir
    folder, _ = data_dir_for_search(named, repo, settings.data_home)
    with reporting(output) as reporter:
        report = back_up(folder, file, reporter.waiting)
    if output.json:
        import msgspec

        output.document(msgspec.to_builtins(report))
    else:
        from codeintel_rev.cli.blocks import backup_text

        output.text(backup_text(report))
