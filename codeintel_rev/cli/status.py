"""``codeintel status``."""

from __future__ import annotations

import typer

from codeintel_rev.cli.options import DataDir, Repo, command_app
from codeintel_rev.cli.output import Output

app = command_app()


@app.command()
def status(ctx: typer.Context, data_dir: DataDir = None, repo: Repo = None) -> None:
    """Show what an index holds."""
    from codeintel_rev.app.local import open_index
    from codeintel_rev.config.settings import load_settings

    output: Output = ctx.obj
    with open_index(repo, data_dir=data_dir, settings=load_settings(), refresh=False) as index:
        report = index.status()
    if output.json:
        from codeintel_rev.app.documents import report_document

        output.document(report_document(report))
    else:
        from codeintel_rev.cli.blocks import status_text

        output.text(status_text(report))
