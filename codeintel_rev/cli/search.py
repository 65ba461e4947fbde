"""``codeintel search``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from codeintel_rev.cli.options import (
    AsRegex,
    AsSymbol,
    CaseSensitive,
    DataDir,
    Exclude,
    Exhaustive,
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

if TYPE_CHECKING:
    from codeintel_rev.app.local import LocalIndex
    from codeintel_rev.types import SearchResult

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
    exhaustive: Exhaustive = False,
    regex: AsRegex = False,
    symbol: AsSymbol = False,
    case_sensitive: CaseSensitive = None,
    data_dir: DataDir = None,
    repo: Repo = None,
) -> None:
    """Find code by words and by meaning.

    Indexes the repository first when there is no index, and brings it up to date.
    """
    from codeintel_rev.app import traces
    from codeintel_rev.app.requests import checked_line, checked_query, scope_of
    from codeintel_rev.cli.opening import fresh_index
    from codeintel_rev.config.settings import load_settings

    ranking = {"--explain": explain, f"--mode {mode}": mode != "hybrid"}
    listing = {"--regex": regex, "--symbol": symbol, "--ignore-case": case_sensitive is not None}
    _check_together(exhaustive, ranking, listing)
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
    with fresh_index(ctx.obj, settings, repo, data_dir) as index:
        if exhaustive:
            find = partial(index.search_all, query, regex=regex, symbols=symbol)
            find = partial(find, case_sensitive=case_sensitive, limit=limit, scope=scope)
            _list_all(ctx.obj, index, find, "definition" if symbol else "line")
        else:
            limit = limit or settings.search.limit
            sink = partial(traces.journal_of, index)
            result = traces.search(
                index, sink, query, limit=limit, mode=mode, scope=scope, explain=explain
            )
            _show_best(ctx.obj, index, result)


def _check_together(
    exhaustive: bool, ranking: Mapping[str, bool], listing: Mapping[str, bool]
) -> None:
    """Refuse options that do not go with, or go only with, ``--all``."""
    for name, given in (ranking if exhaustive else listing).items():
        if given:
            raise typer.BadParameter(
                f"{name} is about a ranking, which --all has not"
                if exhaustive
                else f"{name} goes only with --all"
            )


def _list_all(
    output: Output, index: LocalIndex, find: Callable[[], SearchResult], what: str
) -> None:
    from codeintel_rev.cli.matches import cancellable, queries_told, show_matches
    from codeintel_rev.cli.opening import roots_of

    with queries_told(output, wanted=index.settings.duckdb.log_queries):
        result = cancellable(find)
    show_matches(output, result, roots_of(index), what)


def _show_best(output: Output, index: LocalIndex, result: SearchResult) -> None:
    from codeintel_rev.cli.hits import show_hits
    from codeintel_rev.cli.opening import roots_of

    show_hits(output, result, roots_of(index))
