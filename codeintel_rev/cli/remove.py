"""``codeintel remove``."""

from __future__ import annotations

from typing import Annotated

import typer

from codeintel_rev.cli.options import DataDir, Repo, command_app
from codeintel_rev.cli.output import Output

app = command_app()


@app.command()
def remove(
    ctx: typer.Context,
    names: Annotated[
        list[str],
        typer.Argument(metavar="NAME...", help="Repositories, as `codeintel status` calls them."),
    ],
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Fail when another process is indexing.")
    ] = False,
    data_dir: DataDir = None,
    repo: Repo = None,
) -> None:
    """Take whole repositories out of an index.

    Only what the index holds of them is deleted. `codeintel index --drop-ref` takes out a branch.
    """
    from codeintel_rev.app.data_dir import data_dir_for_search
    from codeintel_rev.app.removal import remove_repositories
    from codeintel_rev.cli.progress import reporting
    from codeintel_rev.config.settings import load_settings

    output: Output = ctx.obj
    settings = load_settings()
    named = data_dir or settings.data_dir
    folder, _ = data_dir_for_search(named, repo, settings.data_home)
    with reporting(output) as reporter:
        report = remove_repositories(folder, names, wait=not no_wait, on_wait=reporter.waiting)
    if output.json:
        import msgspec

        output.document(msgspec.to_builtins(report))
    else:
        from codeintel_rev.cli.blocks import removal_text

        output.text(removal_text(report))
