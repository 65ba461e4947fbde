"""``codeintel search``."""

from __future__ import annotations

from collections.abc import Mapping
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
    exhaustive: Annotated[
        bool, typer.Option("--all", help="List every line that holds QUERY, and count them.")
    ] = False,
    regex: Annotated[
        bool, typer.Option("--regex", help="With --all: QUERY is a regular expression (RE2).")
    ] = False,
    symbol: Annotated[
        bool, typer.Option("--symbol", help="With --all: list definitions by their name.")
    ] = False,
    case_sensitive: Annotated[
        bool | None,
        typer.Option(
            "--case-sensitive/--ignore-case",
            help="With --all. [default: case counts when QUERY has a capital letter]",
            show_default=False,
        ),
    ] = None,
    data_dir: DataDir = None,
    repo: Repo = None,
) -> None:
    """Find code by words and by meaning.

    Indexes the repository first when there is no index, and brings it up to date.
    """
    from codeintel_rev.app.requests import checked_line, checked_query, scope_of
    from codeintel_rev.cli.hits import show_hits
    from codeintel_rev.cli.opening import fresh_index, roots_of
    from codeintel_rev.config.settings import load_settings

    _check_together(
        exhaustive,
        needing={"--regex": regex, "--symbol": symbol, "--ignore-case": case_sensitive is not None},
        opposed={"--explain": explain, f"--mode {mode}": mode != "hybrid"},
    )
    output: Output = ctx.obj
    settings = load_settings()
    check = checked_line if exhaustive else checked_query
    query = check(query, settings.search.max_query_chars)
    scope = scope_of(
        repos=repo_name or (),
        refs=ref or (),
        include=include or (),
        exclude=exclude or (),
        languages=lang or (),
    )
    with fresh_index(output, settings, repo, data_dir) as index:
        roots = roots_of(index)
        if exhaustive:
            from codeintel_rev.cli.matches import show_matches, tell_queries

            if settings.duckdb.log_queries:
                tell_queries()
            result = index.search_all(
                query,
                regex=regex,
                symbols=symbol,
                case_sensitive=case_sensitive,
                limit=limit,
                scope=scope,
            )
            show_matches(output, result, roots, "definition" if symbol else "line")
            return
        result = index.search(
            query, limit=limit or settings.search.limit, mode=mode, scope=scope, explain=explain
        )
    show_hits(output, result, roots)


def _check_together(
    exhaustive: bool, *, needing: Mapping[str, bool], opposed: Mapping[str, bool]
) -> None:
    """Refuse options that go only with, or not with, ``--all``."""
    for name, given in (opposed if exhaustive else needing).items():
        if given:
            raise typer.BadParameter(
                f"{name} is about a ranking, which --all has not"
                if exhaustive
                else f"{name} goes only with --all"
            )
