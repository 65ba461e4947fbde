"""``codeintel ask``."""

from __future__ import annotations

from collections.abc import Iterator
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
from codeintel_rev.types import AnswerEnvelope, AnswerEvent, Citation

app = command_app()


@app.command()
def ask(
    ctx: typer.Context,
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="A question about the code.")],
    limit: Limit = None,
    include: Include = None,
    exclude: Exclude = None,
    lang: Lang = None,
    repo_name: RepoName = None,
    ref: Refs = None,
    mode: SearchMode = "hybrid",
    explain: Annotated[
        bool, typer.Option("--explain", help="Say how the answer came to be.")
    ] = False,
    budget_ms: Annotated[
        int | None,
        typer.Option(
            "--budget-ms",
            min=1,
            metavar="N",
            help="Time for the answer. [default: 2000]",
            show_default=False,
        ),
    ] = None,
    data_dir: DataDir = None,
    repo: Repo = None,
) -> None:
    """Answer a question; every claim cites path:start-end.

    Indexes the repository first when there is no index, and brings it up to date.
    """
    from codeintel_rev.app.requests import checked_query, scope_of
    from codeintel_rev.cli.opening import fresh_index, roots_of
    from codeintel_rev.config.settings import load_settings

    output: Output = ctx.obj
    settings = load_settings()
    question = checked_query(question, settings.answer.max_query_chars)
    scope = scope_of(
        repos=repo_name or (),
        refs=ref or (),
        include=include or (),
        exclude=exclude or (),
        languages=lang or (),
    )
    with fresh_index(output, settings, repo, data_dir) as index:
        roots = roots_of(index)
        events = index.ask_events(
            question,
            limit=limit or settings.search.limit,
            scope=scope,
            mode=mode,
            budget_ms=budget_ms,
        )
        envelope = _streamed(output, events, roots)
    if output.json:
        from codeintel_rev.app.documents import answer_document

        output.document(answer_document(envelope))
    else:
        _after(output, envelope, roots, explain=explain)


def _streamed(
    output: Output, events: Iterator[AnswerEvent], roots: dict[str, str]
) -> AnswerEnvelope:
    """Write the text as it comes, with links on a terminal, and return the whole answer."""
    cited: list[Citation] = []
    for event in events:
        if event.envelope is not None:
            return event.envelope
        if event.citation is not None:
            cited.append(event.citation)
        elif event.type == "token" and output.is_terminal:
            from codeintel_rev.cli.styled_text import styled_text

            output.styled(styled_text(event.content, cited, roots))
        elif event.type == "token" and not output.json:
            output.piece(event.content)
    raise AssertionError("an answer ends with its envelope")


def _after(
    output: Output, envelope: AnswerEnvelope, roots: dict[str, str], *, explain: bool
) -> None:
    """Write what follows the text: its sources, and how far it is to be trusted."""
    from codeintel_rev.cli.blocks import plan_text, sources_text

    sources = sources_text(envelope, name_repos=len(roots) > 1)
    output.piece(f"\n\n{sources}\n" if sources else "\n")
    output.limits(envelope.limits)
    if envelope.low_confidence:
        output.note(f"low confidence ({envelope.confidence:.2f})")
    if explain:
        output.note(plan_text(envelope))
