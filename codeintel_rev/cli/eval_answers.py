"""``codeintel eval-answers``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codeintel_rev.cli.options import DataDir, Repo, command_app
from codeintel_rev.cli.output import Output
from codeintel_rev.errors import InvalidArgument, NotFound

if TYPE_CHECKING:
    from codeintel_rev.evaluation.plan import Plan

app = command_app()


@app.command(name="eval-answers")
def evaluate_answers(
    ctx: typer.Context,
    sets: Annotated[
        list[Path],
        typer.Argument(metavar="SETS...", help="Query sets (.jsonl), or folders of them."),
    ],
    repos: Annotated[
        Path,
        typer.Option("--repos", metavar="DIR", help="Where the OWNER+NAME@COMMIT10 trees lie."),
    ],
    elsewhere: Annotated[
        int,
        typer.Option(
            min=0,
            max=50,
            metavar="N",
            help="Also ask each question of so many other repositories' trees.",
        ),
    ] = 0,
    prompt: Annotated[
        list[Path] | None,
        typer.Option(
            "--prompt",
            metavar="FILE",
            help="Compare prompts with this system text on the same snippets; repeatable.",
        ),
    ] = None,
    data_dir: DataDir = None,
    repo: Repo = None,
) -> None:
    """Score answers: citations, evidence, confidence, times.

    Indexes are kept in the data directory, so that a second run only asks.
    """
    from codeintel_rev.app.evaluation import answer_opener, evaluation_folder
    from codeintel_rev.cli.progress import reporting
    from codeintel_rev.config.settings import load_settings
    from codeintel_rev.evaluation import answer_runner

    output: Output = ctx.obj
    settings = load_settings()
    folder = evaluation_folder(data_dir or settings.data_dir, settings, repo)
    plan = _plan(sets, repos)
    with reporting(output) as reporter:
        report = answer_runner.run(
            plan,
            answer_opener(folder, settings),
            elsewhere=elsewhere,
            prompts=_prompts(prompt or ()),
            progress=lambda done, total, _: reporter("asking", done, total, 0),
        )
    if output.json:
        output.document(report.document())
    else:
        from codeintel_rev.cli.score_table import answer_tables

        output.text(answer_tables(report.document()))


def _plan(sets: list[Path], repos: Path) -> Plan:
    from codeintel_rev.evaluation.datasets import read_sets
    from codeintel_rev.evaluation.plan import make_plan

    found = [query_set for path in sets for query_set in read_sets(path, unjudged=True)]
    return make_plan(found, trees=repos)


def _prompts(files: tuple[()] | list[Path]) -> dict[str, str]:
    """Return the system texts to compare by the names of their files, the built-in one first."""
    from codeintel_rev.answer.prompt import SYSTEM

    texts = {"built-in": SYSTEM} if files else {}
    for file in files:
        if file.stem in texts:
            raise InvalidArgument(
                f"two prompts are called {file.stem!r}", hint="rename one", value=str(file)
            )
        try:
            texts[file.stem] = file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise NotFound(
                f"{file} cannot be read: {error}", hint="name a text file", value=str(file)
            ) from error
    return texts
