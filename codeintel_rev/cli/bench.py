"""``codeintel bench``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from codeintel_rev.cli.options import EPILOG, command_app
from codeintel_rev.cli.output import Output

app = command_app(epilog=EPILOG)


@app.callback()
def bench() -> None:
    """Measure on this machine."""


@app.command()
def stages(
    ctx: typer.Context,
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="Repository to index and search.")
    ] = Path(),
) -> None:
    """Print what each stage of indexing and of a search takes.

    The repository is indexed in a temporary folder, in one process and stage by stage.
    """
    import tempfile

    from codeintel_rev.app.bench import profile
    from codeintel_rev.app.data_dir import checked_root
    from codeintel_rev.cli.progress import reporting
    from codeintel_rev.cli.stage_table import stage_document, stage_table
    from codeintel_rev.config.settings import load_settings

    output: Output = ctx.obj
    root = checked_root(path)
    with (
        reporting(output) as reporter,
        tempfile.TemporaryDirectory(prefix="codeintel-bench-") as scratch,
    ):
        measured = profile(root, Path(scratch), load_settings(), reporter)
    if output.json:
        output.document(stage_document(measured))
    else:
        output.text(stage_table(measured))
