"""``codeintel index``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from codeintel_rev.cli.options import DataDir, command_app
from codeintel_rev.cli.output import Output

if TYPE_CHECKING:
    from codeintel_rev.types import IndexReport

app = command_app()

Paths = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[PATH]...",
        help="Repositories, plain folders or git addresses. [default: .]",
        show_default=False,
    ),
]
IndexedRefs = Annotated[
    list[str] | None,
    typer.Option(
        "--ref",
        metavar="REF",
        help="Index this branch, tag or commit instead of the work tree; repeatable.",
    ),
]
DroppedRefs = Annotated[
    list[str] | None,
    typer.Option("--drop-ref", metavar="REF", help="Take this one out of the index; repeatable."),
]


@app.command()
def index(
    ctx: typer.Context,
    paths: Paths = None,
    name: Annotated[
        str | None,
        typer.Option("--name", metavar="NAME", help="Name of the repository in the index."),
    ] = None,
    ref: IndexedRefs = None,
    drop_ref: DroppedRefs = None,
    all_worktrees: Annotated[
        bool, typer.Option("--all-worktrees", help="Index every work tree of the repository.")
    ] = False,
    full: Annotated[bool, typer.Option("--full", help="Build the index anew.")] = False,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Fail when another process is indexing.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Index repositories, or bring their index up to date.

    Until it is done, and when it is interrupted, searches see the previous index.
    """
    from codeintel_rev.app.data_dir import data_dir_for_index
    from codeintel_rev.app.indexer import index_repositories
    from codeintel_rev.cli.progress import reporting
    from codeintel_rev.config.settings import load_settings
    from codeintel_rev.indexing import parse_limit

    parse_limit.arm()
    output: Output = ctx.obj
    settings = load_settings()
    named = data_dir or settings.data_dir
    folder = data_dir_for_index(paths or ["."], named, settings)
    with reporting(output) as reporter:
        report = index_repositories(
            paths or ["."],
            data_dir=folder,
            name=name,
            refs=ref or (),
            drop_refs=drop_ref or (),
            all_worktrees=all_worktrees,
            full=full,
            wait=not no_wait,
            settings=settings,
            progress=reporter,
            on_wait=reporter.waiting,
        )
    if named is None and folder.is_relative_to(settings.data_home):
        output.note(f"the index lies in {folder}")
    _show(output, report)


def _show(output: Output, report: IndexReport) -> None:
    if output.json:
        from codeintel_rev.app.documents import report_document

        output.document(report_document(report))
    else:
        from codeintel_rev.cli.blocks import index_text

        output.text(index_text(report))
