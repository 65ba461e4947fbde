"""``codeintel ask``."""

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
from codeintel_rev.types import AnswerEnvelope

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
        envelope = index.ask(
            question,
            limit=limit or settings.search.limit,
            scope=scope,
            mode=mode,
            budget_ms=budget_ms,
        )
        roots = roots_of(index)
    _show(output, envelope, roots)
    if explain and not output.json:
        from codeintel_rev.cli.blocks import plan_text

        output.note(plan_text(envelope))


def _show(output: Output, envelope: AnswerEnvelope, roots: dict[str, str]) -> None:
    if output.json:
        from codeintel_rev.app.documents import answer_document

        output.document(answer_document(envelope))
    elif output.is_terminal:
        from codeintel_rev.cli.styled import styled_answer

        output.styled(styled_answer(envelope, roots))
    else:
        output.text(envelope.answer)
    output.limits(envelope.limits)
    if envelope.low_confidence and not output.json:
        output.note(f"low confidence ({envelope.confidence:.2f})")
