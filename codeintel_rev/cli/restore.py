"""``codeintel restore``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from codeintel_rev.cli.options import DataDir, Repo, command_app
from codeintel_rev.cli.output import Output

app = command_app()


@app.command()
def restore(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="File to read.")],
    data_dir: DataDir = None,
    repo: Repo = None,
) -> None:
    """Make an index of a file that `codeintel backup` wrote.

    There must not be one in the folder of the index. Files that changed since are indexed by the
    next search.
    """
    from codeintel_rev.app.backup import restore as make_index
    from codeintel_rev.app.data_dir import data_dir_for_search
    from codeintel_rev.config.settings import load_settings

    output: Output = ctx.obj
    settings = load_settings()
    named = data_dir or settings.data_dir
    folder, _ = data_dir_for_search(named, repo, settings.data_home)
    report = make_index(file, folder)
    if output.json:
        import msgspec

        output.document(msgspec.to_builtins(report))
    else:
        from codeintel_rev.cli.blocks import restored_text

        output.text(restored_text(report))
