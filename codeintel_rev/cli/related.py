"""``codeintel related``."""

from __future__ import annotations

from typing import Annotated

import typer

from codeintel_rev.cli.options import (
    DataDir,
    Exclude,
    Include,
    Lang,
    Limit,
    Repo,
    RepoName,
    command_app,
)
from codeintel_rev.cli.output import Output

app = command_app()


@app.command()
def related(
    ctx: typer.Context,
    place: Annotated[
        str, typer.Argument(metavar="PATH:LINE", help="A line of the code whose like is sought.")
    ],
    limit: Limit = None,
    include: Include = None,
    exclude: Exclude = None,
    lang: Lang = None,
    repo_name: RepoName = None,
    data_dir: DataDir = None,
    repo: Repo = None,
) -> None:
    """Find code like that at a line.

    Like is what is near in meaning, or holds the same rare words. Copies of one text are one hit,
    which names their places.
    """
    from codeintel_rev.app.requests import scope_of
    from codeintel_rev.cli.hits import show_hits
    from codeintel_rev.cli.opening import fresh_index, roots_of
    from codeintel_rev.config.settings import load_settings

    output: Output = ctx.obj
    path, line = path_and_line(place)
    settings = load_settings()
    scope = scope_of(
        repos=repo_name or (), include=include or (), exclude=exclude or (), languages=lang or ()
    )
    with fresh_index(output, settings, repo, data_dir) as index:
        result = index.related(path, line, limit=limit or settings.search.limit, scope=scope)
        roots = roots_of(index)
    show_hits(output, result, roots)


def path_and_line(place: str) -> tuple[str, int]:
    """Split ``PATH:LINE``, or ``PATH:START-END`` as hits are told.

    Raises ``typer.BadParameter`` for anything else.
    """
    path, _, lines = place.rpartition(":")
    line = lines.partition("-")[0]
    if not path or not (line.isascii() and line.isdigit()):
        raise typer.BadParameter(
            f"{place!r} is not PATH:LINE, such as src/app.py:12", param_hint="PATH:LINE"
        )
    return path, int(line[:9])
