"""``codeintel token``."""

from __future__ import annotations

from typing import Annotated

import typer

from codeintel_rev.cli.options import RepoName, command_app
from codeintel_rev.cli.output import Output

app = command_app()


@app.command()
def token(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Who will hold it.")],
    repo_name: RepoName = None,
) -> None:
    """Issue a token for callers of a server.

    Writes the entry for the server's tokens file. The token is shown once and kept nowhere. With
    --repo-name its holder sees these repositories only.
    """
    from codeintel_rev.app.auth import new_entry, new_token

    output: Output = ctx.obj
    made = new_token()
    entry = new_entry(name, made, repo_name)
    if output.json:
        output.document({"token": made, "entry": entry})
    else:
        output.text(entry)
        output.note(f"the token of {name}, shown this once: {made}")
