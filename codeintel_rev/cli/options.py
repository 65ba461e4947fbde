"""Options that several commands take."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from codeintel_rev.app.requests import MAX_LIMIT
from codeintel_rev.types import Mode

EPILOG = (
    "Every command takes --json (one JSON document on standard output) and --debug "
    "(a traceback with an error)."
)

_SEVERAL_REPOSITORIES = "; several repositories share an index, which `codeintel index PATH PATH --data-dir FOLDER` makes"

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        metavar="PATH",
        help="Folder of the index. [default: CODEINTEL_DATA_DIR, else .codeintel in the "
        "repository]",
        show_default=False,
    ),
]
Repo = Annotated[
    Path | None,
    typer.Option(
        "--repo",
        metavar="PATH",
        help="Repository to use. [default: the one around the current folder]",
        show_default=False,
    ),
]
Limit = Annotated[
    int | None,
    typer.Option(
        "--limit",
        min=1,
        max=MAX_LIMIT,
        metavar="N",
        help="Most hits. [default: 10]",
        show_default=False,
    ),
]
Include = Annotated[
    list[str] | None,
    typer.Option("--include", metavar="GLOB", help="Only files like this; repeatable."),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option("--exclude", metavar="GLOB", help="No files like this; repeatable."),
]
Lang = Annotated[
    list[str] | None,
    typer.Option("--lang", metavar="NAME", help="Only this language; repeatable."),
]
RepoName = Annotated[
    list[str] | None,
    typer.Option(
        "--repo-name", metavar="NAME", help="Only this repository of the index; repeatable."
    ),
]
Refs = Annotated[
    list[str] | None,
    typer.Option(
        "--ref",
        metavar="REF",
        help="Only this branch, tag or commit, as indexed; repeatable. [default: the work tree]",
        show_default=False,
    ),
]
SearchMode = Annotated[
    Mode,
    typer.Option(
        "--mode",
        metavar="MODE",
        help="By meaning (dense), by words (lexical), by name (exact), or all of it (hybrid).",
    ),
]
Exhaustive = Annotated[
    bool, typer.Option("--all", help="List every line that holds QUERY, and count them.")
]
AsRegex = Annotated[
    bool, typer.Option("--regex", help="With --all: QUERY is a regular expression (RE2).")
]
AsSymbol = Annotated[
    bool, typer.Option("--symbol", help="With --all: list definitions by their name.")
]
CaseSensitive = Annotated[
    bool | None,
    typer.Option(
        "--case-sensitive/--ignore-case",
        help="With --all. [default: case counts when QUERY has a capital letter]",
        show_default=False,
    ),
]


class _Command(TyperCommand):
    """A command whose help page has the usual signs, and the flags that every command takes."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Refuse an option that is given again; the parser would take the last one silently."""
        if not ctx.resilient_parsing:  # as when a shell completes it
            words = args[: args.index("--")] if "--" in args else args
            _require_once(self.params, [word.partition("=")[0] for word in words])
        return super().parse_args(ctx, args)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return what stands behind the command's name: a word that is needed has no brackets."""
        return [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)]

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the last lines of the help page."""
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(EPILOG)


def _require_once(parameters: Sequence[Any], names: Sequence[str]) -> None:
    for option in parameters:
        is_single = option.param_type_name == "option" and not option.multiple
        if is_single and sum(name in option.opts for name in names) > 1:
            name = option.opts[0]
            way_out = _SEVERAL_REPOSITORIES if name == "--repo" else ""
            raise typer.BadParameter(f"{name} is given more than once{way_out}")


class _App(typer.Typer):
    """An application whose commands are ``_Command``."""

    def command(self, name: str | None = None, **options: Any) -> Any:
        """Return what makes a function the command of this application."""
        return super().command(name, **{"cls": _Command, **options})


def command_app(**options: Any) -> typer.Typer:
    """Return an empty Typer application as every command has one."""
    return _App(
        add_completion=False,
        rich_markup_mode=None,  # or typer imports rich
        pretty_exceptions_enable=False,
        **options,
    )
