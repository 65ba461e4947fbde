"""``codeintel traces``."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from math import isnan
from typing import TYPE_CHECKING, Annotated

import typer

from codeintel_rev.cli.options import DataDir, Repo, command_app
from codeintel_rev.cli.output import Output
from codeintel_rev.errors import InvalidArgument

if TYPE_CHECKING:
    from pathlib import Path

    from codeintel_rev.app.trace_reader import Row, TraceReader

app = command_app()

_AGE = re.compile(r"(\d{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@app.command()
def traces(
    ctx: typer.Context,
    show: Annotated[
        list[str] | None,
        typer.Argument(metavar="[show ID]", help="Tell everything about one trace."),
    ] = None,
    slow: Annotated[
        float, typer.Option("--slow", min=0, metavar="MS", help="At least this slow.")
    ] = 0.0,
    word: Annotated[
        str, typer.Option("--with", metavar="LIMIT_WORD", help="With this word in `limits`.")
    ] = "",
    low_confidence: Annotated[
        bool, typer.Option("--low-confidence", help="Only answers that were marked so.")
    ] = False,
    since: Annotated[
        str, typer.Option(metavar="WHEN", help="Not older: 30m, 24h, 7d, or 2026-03-01.")
    ] = "",
    searches: Annotated[
        bool, typer.Option("--searches", help="Searches instead of answers: a sample of them.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, metavar="N", help="Most traces.")] = 20,
    data_dir: DataDir = None,
    repo: Repo = None,
) -> None:
    """List the answers that were given, newest first.

    Each with the time that it took, its confidence, and what held it back.
    """
    from codeintel_rev.app.trace_reader import TraceFilter
    from codeintel_rev.config.settings import load_settings

    if searches and low_confidence:
        raise typer.BadParameter("--low-confidence is about answers, searches have no confidence")
    if isnan(slow):
        raise typer.BadParameter("nan is no number of milliseconds", param_hint="--slow")
    output: Output = ctx.obj
    reader = _reader(data_dir, repo)
    if show:
        _show(output, reader.row(_id_in(show)))
    else:
        threshold = load_settings().answer.confidence_threshold if low_confidence else 1.0
        wanted = TraceFilter(slow, word, threshold, _moment(since), limit)
        rows = reader.searches(wanted) if searches else reader.answers(wanted)
        _list(output, rows)
        if word and not rows:
            output.note(_words_told(reader.words(searches=searches)))
    for path in reader.damaged:
        output.note(f"passed over {path}: it is damaged, or of a later version")


def _list(output: Output, rows: list[Row]) -> None:
    if output.json:
        output.document({"traces": rows})
    elif not rows:
        output.note("no such trace")
    else:
        output.text("\n".join(map(_line, rows)))


def _words_told(words: list[str]) -> str:
    return (
        f"words in the traces: {', '.join(words)}" if words else "no trace has a word in `limits`"
    )


def _reader(data_dir: Path | None, repo: Path | None) -> TraceReader:
    from codeintel_rev.app.data_dir import data_dir_for_search
    from codeintel_rev.app.trace_reader import TraceReader
    from codeintel_rev.app.traces import trace_folder
    from codeintel_rev.config.settings import load_settings

    settings = load_settings()
    folder, _ = data_dir_for_search(data_dir or settings.data_dir, repo, settings.data_home)
    return TraceReader(trace_folder(folder), settings.trace.keep_days)


def _id_in(words: list[str]) -> str:
    if len(words) != 2 or words[0] != "show" or not words[1]:
        raise typer.BadParameter("expected `traces` or `traces show ID`")
    return words[1]


def _moment(text: str) -> datetime:
    """Return the moment that an age or a date names."""
    if not text:
        from codeintel_rev.app.trace_reader import LONG_AGO

        return LONG_AGO
    age = _AGE.fullmatch(text)
    try:
        if age:
            return datetime.now(UTC) - timedelta(**{_UNITS[age[2]]: int(age[1])})
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidArgument(
            f"{text!r} is no moment", hint="use 30m, 24h, 7d, or a date", value=text
        ) from None


def _line(row: Row) -> str:
    rated = f"{row['confidence']:.2f}" if "confidence" in row else f"hits {row['hits']:<4}"
    status = "error " if row.get("status") == "error" else ""
    words = f"{row['query']!r}  {status}{','.join(row['limits'] or ())}"
    took = f"{row['total_latency_ms']:8.1f} ms"
    return f"{row['trace_id'][:12]}  {row['timestamp']}  {took}  {rated}  {words}".rstrip()


def _show(output: Output, row: Row) -> None:
    if output.json:
        output.document(row)
        return
    from codeintel_rev.cli.waterfall import waterfall

    told = ((name, value) for name, value in row.items() if value not in (None, [], ""))
    facts = "\n".join(f"{name:<22}{_plain(value)}" for name, value in told)
    output.text(f"{waterfall(row)}\n\n{facts}")


def _plain(value: object) -> object:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return round(value, 3) if isinstance(value, float) else value
