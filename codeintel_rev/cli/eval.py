"""``codeintel eval``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codeintel_rev.cli import exit_codes
from codeintel_rev.cli.options import DataDir, Repo, SearchMode, command_app
from codeintel_rev.cli.output import Output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from codeintel_rev.evaluation.plan import Plan
    from codeintel_rev.evaluation.runner import Report
    from codeintel_rev.evaluation.thresholds import Shortfall

app = command_app()

Sets = Annotated[
    Path, typer.Argument(metavar="SETS", help="A .jsonl query set, or a folder of them.")
]
Trees = Annotated[
    Path | None,
    typer.Option("--repos", metavar="DIR", help="Where the OWNER+NAME@COMMIT10 trees lie."),
]
Corpus = Annotated[
    Path | None,
    typer.Option("--corpus", metavar="FILE", help="Documents, for sets that judge those."),
]
RunOut = Annotated[
    Path | None,
    typer.Option(
        "--run", metavar="OUT", help="Keep the results: a file, or a folder for several sets."
    ),
]
Grouping = Annotated[
    str | None, typer.Option("--by", metavar="FIELD", help="Also score each value of this field.")
]
Least = Annotated[
    Path | None, typer.Option("--min", metavar="FILE", help="Exit with 1 below these scores.")
]


@app.command(name="eval")
def evaluate(
    ctx: typer.Context,
    sets: Sets,
    repos: Trees = None,
    corpus: Corpus = None,
    limit: Annotated[
        int, typer.Option(min=1, max=1000, metavar="N", help="Chunks asked for a query.")
    ] = 50,
    run: RunOut = None,
    query_field: Annotated[
        str, typer.Option(metavar="FIELD", help="Field of a row that holds the query.")
    ] = "query",
    by: Grouping = None,
    least: Least = None,
    mode: SearchMode = "hybrid",
    data_dir: DataDir = None,
    repo: Repo = None,
) -> None:
    """Score search on queries with known answers.

    Indexes are kept in the data directory, so that a second run only searches.
    """
    from codeintel_rev.app.evaluation import evaluation_folder, tree_opener
    from codeintel_rev.cli.progress import reporting
    from codeintel_rev.config.settings import load_settings
    from codeintel_rev.evaluation import runner, runs, thresholds

    output: Output = ctx.obj
    settings = load_settings()
    wanted = thresholds.read_thresholds(least) if least else {}
    folder = evaluation_folder(data_dir or settings.data_dir, settings, repo)
    plan = _plan(output, sets, query_field, repos, corpus, folder)
    files = runs.run_files(run, [query_set.name for query_set in plan.sets]) if run else {}
    with reporting(output) as reporter:
        report = runner.run(
            plan,
            tree_opener(folder, settings, mode),
            limit=limit,
            by=by,
            progress=lambda done, total, _: reporter("asking", done, total, 0),
        )
    for name, file in files.items():
        runs.write_run(report.runs[name], file)
    _show(output, report)
    _fail_below(output, thresholds.shortfalls(wanted, report.summaries))


def _fail_below(output: Output, missed: Sequence[Shortfall]) -> None:
    for miss in missed:
        score = "not measured" if miss.score is None else f"{miss.score:.4f}"
        output.note(f"{miss.set} {miss.group}: {miss.metric} is {score}, below {miss.least}")
    if missed:
        raise typer.Exit(exit_codes.BELOW)


def _plan(
    output: Output,
    sets: Path,
    query_field: str,
    repos: Path | None,
    corpus: Path | None,
    folder: Path,
) -> Plan:
    from codeintel_rev.evaluation.datasets import read_sets
    from codeintel_rev.evaluation.plan import make_plan
    from codeintel_rev.evaluation.sources import corpus_source, read_corpus

    query_sets = read_sets(sets, query_field)
    for query_set in query_sets:
        if query_set.skipped:
            output.note(f"{query_set.name}: {query_set.skipped:,} rows without judgements skipped")
    documents = None
    if corpus is not None:
        documents = corpus_source(
            corpus.stem, read_corpus(corpus), folder / "corpora" / corpus.stem
        )
    return make_plan(query_sets, trees=repos, corpus=documents)


def _show(output: Output, report: Report) -> None:
    if output.json:
        output.document(report.document())
        return
    from codeintel_rev.cli.score_table import score_table

    output.text(score_table(report.document()))
