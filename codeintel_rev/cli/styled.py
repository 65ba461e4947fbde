"""Results for a terminal: highlighted code, and places that can be clicked."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console, Group, RenderableType
from rich.syntax import Syntax
from rich.text import Text

from codeintel_rev.cli.blocks import facts, place
from codeintel_rev.cli.explained import explanation
from codeintel_rev.cli.printable import printable, printable_line
from codeintel_rev.cli.styled_text import link_style
from codeintel_rev.retrieval.query import parse_query
from codeintel_rev.types import SearchHit, SearchResult

CODE_LINES = 12
"""Lines of a hit's code that are shown; the place says where the rest is."""
_THEME = "ansi_dark"
_LONG_LINE = 160
_LEAD = 30
"""Characters before a match that are shown of a long line."""


def styled_hits(
    result: SearchResult, roots: Mapping[str, str], console: Console | None = None
) -> str:
    """Return the hits as terminal text; ``roots`` maps repository names to folders."""
    parts: list[RenderableType] = []
    location = parse_query(result.query).location
    asked = location[1] if location is not None else None
    for hit in result.hits:
        parts += [_head(hit, roots), *map(Text, map(printable_line, explanation(hit)))]
        parts.append(_code(hit, asked))
        parts.append(Text())
    return _rendered(Group(*parts), console)


def styled_matches(
    result: SearchResult, roots: Mapping[str, str], console: Console | None = None
) -> str:
    """Return a line a hit, its first match marked, under a heading a file."""
    parts: list[RenderableType] = []
    heading = None
    for hit in result.hits:
        if (hit.repo, hit.uri) != heading:
            parts += [Text()] if parts else []
            parts.append(_file_heading(hit, roots))
            heading = (hit.repo, hit.uri)
        parts.append(_match_line(hit, roots))
    return _rendered(Group(*parts), console) if parts else ""


def _head(hit: SearchHit, roots: Mapping[str, str]) -> Text:
    where = printable_line(place(hit, name_repos=len(roots) > 1))
    symbol, *rest = map(printable_line, facts(hit))
    link = link_style(roots.get(hit.repo), hit.uri, hit.start_line)
    return Text.assemble(
        (where, f"bold cyan{link}"),
        "  ",
        (symbol, "bold" if hit.symbol else "dim"),
        ("".join(f"  {fact}" for fact in rest), "dim"),
    )


def _file_heading(hit: SearchHit, roots: Mapping[str, str]) -> Text:
    where = f"{hit.repo}:{hit.uri}" if len(roots) > 1 else hit.uri
    stale = ("  [changed since]" if hit.stale else "", "dim")
    link = link_style(roots.get(hit.repo), hit.uri, hit.start_line)
    return Text.assemble((printable_line(where), f"bold cyan{link}"), stale)


def _match_line(hit: SearchHit, roots: Mapping[str, str]) -> Text:
    first, last = (hit.column or 1) - 1, hit.end_column or 0
    code = hit.code.replace("\t", " ")
    skipped = first - _LEAD if len(code) > _LONG_LINE and first > 2 * _LEAD else 0
    link = link_style(roots.get(hit.repo), hit.uri, hit.start_line)
    return Text.assemble(
        (f"{hit.start_line:>6}", f"dim{link}"),
        "  ",
        ("…" if skipped else "", "dim"),
        printable_line(code[skipped:first]),
        (printable_line(code[first:last]), "bold red"),
        printable_line(code[max(first, last) :]),
        no_wrap=True,
        overflow="ellipsis",
    )


def _code(hit: SearchHit, asked: int | None) -> Group:
    """Return the first lines of a hit, or those around the line that was asked for."""
    lines = printable(hit.code.rstrip()).split("\n")
    first = _first_shown(hit, asked, len(lines))
    shown = Syntax(
        "\n".join(lines),  # whole, or a comment that is cut would be highlighted as no comment
        Syntax.guess_lexer(hit.uri),
        theme=_THEME,
        line_numbers=True,
        start_line=hit.start_line,
        line_range=(first + 1, first + CODE_LINES),
        background_color="default",
    )
    rest = len(lines) - first - CODE_LINES
    return Group(*_left_out(first, "earlier"), shown, *_left_out(rest, "more"))


def _first_shown(hit: SearchHit, asked: int | None, count: int) -> int:
    if asked is None or not hit.start_line + CODE_LINES <= asked <= hit.end_line:
        return 0
    middle = asked - hit.start_line - CODE_LINES // 2
    return max(0, min(middle, count - CODE_LINES))


def _left_out(count: int, kind: str) -> list[Text]:
    line = f"     … {count} {kind} line{'s'[: count > 1]}"
    return [Text(line, style="dim")] if count > 0 else []


def _rendered(part: RenderableType, console: Console | None) -> str:
    console = console or Console()
    with console.capture() as capture:
        console.print(part)
    return capture.get()
