"""``codeintel search``."""

from __future__ import annotations

from typing import Annotated

import typer

from codeintel_rev.cli.options import (
    DataDir,
    Exclude,
    Include,
    Lang,
    Limit,
    Refs,
    Repo,
    RepoName,
    SearchMode,
    command_app,
)
from codeintel_rev.cli.output import Output

app = command_app()


@app.command()
def search(
    ctx: typer.Context,
    query: Annotated[
        str, typer.Argument(metavar="QUERY", help="Words, a question, a name, or path:line.")
    ],
    limit: Limit = None,
    include: Include = None,
    exclude: Exclude = None,
    lang: Lang = None,
    repo_name: RepoName = None,
    ref: Refs = None,
    mode: SearchMode = "hybrid",
    explain: Annotated[bool, typer.Option("--explain", help="Say why each hit is there.")] = False,
    data_dir: DataDir = None,
    repo: Repo = None,
) -> None:
    """Find code by words and by meaning.

    Indexes the repository first when there is no index, and brings it up to date.
    """
    from codeintel_rev.app.requests import checked_query, scope_of
    from codeintel_rev.cli.hits import show_hits
    from codeintel_rev.cli.opening import fresh_index, roots_of
    from codeintel_rev.config.settings import load_settings

    output: Output = ctx.obj
    settings = load_settings()
    query = checked_query(query, settings.search.max_query_chars)
    scope = scope_of(
        repos=repo_name or (),
        refs=ref or (),
        include=include or (),
        exclude=exclude or (),
        languages=lang or (),
    )
    with fresh_index(output, settings, repo, data_dir) as index:
        result = index.search(
            query, limit=limit or settings.search.limit, mode=mode, scope=scope, explain=explain
        )
        roots = roots_of(index)
    show_hits(output, result, roots)
