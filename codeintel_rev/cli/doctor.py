"""``codeintel doctor``."""

from __future__ import annotations

from typing import Annotated

import typer

from codeintel_rev.cli import exit_codes
from codeintel_rev.cli.options import DataDir, Repo, command_app
from codeintel_rev.cli.output import Output

app = command_app()


@app.command()
def doctor(
    ctx: typer.Context,
    vllm: Annotated[
        str | None,
        typer.Option("--vllm", metavar="URL", help="Examine a model server instead of an index."),
    ] = None,
    mend: Annotated[bool, typer.Option("--repair", help="Mend what is found.")] = False,
    data_dir: DataDir = None,
    repo: Repo = None,
) -> None:
    """Check that an index is whole, or that a model server works.

    Each fault names the command that mends it. The exit code is 1 when there is one.
    """
    if vllm is not None and mend:
        raise typer.BadParameter("--repair mends an index, not a model server")
    if vllm is not None:
        _examine_models(ctx.obj, vllm)
        return
    from codeintel_rev.app.data_dir import data_dir_for_search
    from codeintel_rev.app.doctor import examine, repair
    from codeintel_rev.cli.progress import reporting
    from codeintel_rev.config.settings import load_settings

    output: Output = ctx.obj
    settings = load_settings()
    named = data_dir or settings.data_dir
    folder, _ = data_dir_for_search(named, repo, settings.data_home)
    if mend:
        with reporting(output) as reporter:
            report = repair(folder, settings, reporter)
    else:
        report = examine(folder, settings)
    if output.json:
        import msgspec

        output.document(msgspec.to_builtins(report))
    else:
        from codeintel_rev.cli.blocks import doctor_text

        output.text(doctor_text(report))
    if not report.ok:
        raise typer.Exit(exit_codes.BELOW)


def _examine_models(output: Output, url: str) -> None:
    from codeintel_rev.app.model_doctor import examine_models
    from codeintel_rev.config.settings import load_settings

    report = examine_models(url, load_settings())
    if output.json:
        import msgspec

        output.document(msgspec.to_builtins(report))
    else:
        from codeintel_rev.cli.blocks import models_text

        output.text(models_text(report))
    if not report.ok:
        raise typer.Exit(exit_codes.BELOW)
