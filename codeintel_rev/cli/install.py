"""``codeintel install``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from codeintel_rev.cli.options import DataDir, Repo, command_app
from codeintel_rev.cli.output import Output

if TYPE_CHECKING:
    from codeintel_rev.app.agent_setup import Change

app = command_app()


@app.command()
def install(
    ctx: typer.Context,
    clients: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[AGENT]...",
            help="claude-code, cursor, vscode, gemini or opencode. [default: those that are found]",
            show_default=False,
        ),
    ] = None,
    url: Annotated[
        str,
        typer.Option(
            "--url", metavar="URL", help="A server that runs elsewhere, as in https://.../mcp."
        ),
    ] = "",
    undo: Annotated[bool, typer.Option("--undo", help="Take the entry out again.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Write without asking.")] = False,
    data_dir: DataDir = None,
    repo: Repo = None,
) -> None:
    """Tell the coding agents of a repository about this program.

    Shows what changes in the project's files (.mcp.json, .cursor/mcp.json, .vscode/mcp.json,
    .gemini/settings.json, opencode.json) and asks before writing. With --json nothing is asked, and
    nothing written without --yes.
    """
    from codeintel_rev.app.agent_setup import chosen, own_command, planned
    from codeintel_rev.cli.serving import place_of

    output: Output = ctx.obj
    if url and not url.startswith(("https://", "http://")):
        raise typer.BadParameter(f"{url!r} is no http:// or https:// address")
    root = place_of(data_dir, repo).root
    extra = [] if data_dir is None else ["--data-dir", str(data_dir.absolute())]
    changes = []
    for client in chosen(clients or [], root, Path.home()):
        entry = client.entry_of_url(url) if url else client.entry(own_command(), extra)
        changes.append(planned(client, root, None if undo else entry))
    wanted = yes or _agreed(output, changes)
    if wanted:
        for change in changes:
            change.apply()
    _tell(output, changes, written=wanted)


def _agreed(output: Output, changes: list[Change]) -> bool:
    """Show what would change, and return whether that is wanted."""
    if output.json or not any(change.diff for change in changes):
        return False
    for change in changes:
        output.text(change.diff)
    return sys.stdin.isatty() and typer.confirm("Write this?", default=True, err=True)


def _tell(output: Output, changes: list[Change], *, written: bool) -> None:
    if output.json:
        output.document({"changes": [_document(change, written=written) for change in changes]})
        return
    for change in changes:
        if not change.diff:
            output.text(f"{change.client.title}: nothing to change in {change.client.file}")
        elif written:
            verb = "removed" if change.after is None else "wrote"
            output.text(f"{change.client.title}: {verb} {change.client.file}")
    if not written and any(change.diff for change in changes):
        output.note("nothing was written; --yes writes without asking")


def _document(change: Change, *, written: bool) -> dict[str, Any]:
    return {
        "client": change.client.name,
        "file": change.client.file,
        "entry": change.entry,
        "diff": change.diff,
        "written": written and bool(change.diff),
    }
