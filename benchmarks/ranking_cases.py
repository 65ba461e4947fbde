"""Judged queries with what the channels found for them, so that only the ranking is left to do."""

from __future__ import annotations

import argparse
import pickle
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.app.local import LocalIndex, open_index
from codeintel_rev.app.requests import plain_text
from codeintel_rev.config.settings import load_settings
from codeintel_rev.evaluation.datasets import Query, read_sets
from codeintel_rev.evaluation.plan import Plan, Task, make_plan
from codeintel_rev.evaluation.runs import Result
from codeintel_rev.evaluation.sources import corpus_source, read_corpus
from codeintel_rev.retrieval.candidate import Candidates
from codeintel_rev.retrieval.hybrid import HybridSearcher, called, hit_of_record
from codeintel_rev.retrieval.query import parse_query
from codeintel_rev.retrieval.ranking import Weights, rank
from codeintel_rev.retrieval.signals import QueryFacts, query_facts

LIMIT = 50
"""Chunks that a run keeps of each query, as ``codeintel eval`` does."""


class Case(NamedTuple):
    """One query before ranking."""

    set: str
    repo: str
    query: Query
    facts: QueryFacts
    meant: list[int] | None
    """Rows that stand first, when they are all that the query asks for."""
    candidates: Candidates
    results: dict[int, Result]
    """By row."""

    def run(self, weights: Weights | None = None) -> list[Result]:
        """Return what a search with these weights returns."""
        ranking = rank(self.facts, self.candidates, weights)
        if self.meant is not None:
            ranking = ranking.lifting(self.meant, by_kind=True)
        return self.results_of([item.row for item in ranking.best(LIMIT)])

    def results_of(self, rows: Sequence[int]) -> list[Result]:
        """Return chunks as a run names them."""
        return [self.results[row] for row in rows[:LIMIT] if row in self.results]


def arguments(description: str | None) -> argparse.ArgumentParser:
    """Return a parser of what every script on cases is told."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("sets", type=Path, help="a .jsonl query set, or a folder of them")
    parser.add_argument("--repos", type=Path, help="where the OWNER+NAME@COMMIT10 trees lie")
    parser.add_argument("--corpus", type=Path, help="documents, for sets that judge those")
    parser.add_argument("--data-dir", type=Path, required=True, help="as of `codeintel eval`")
    parser.add_argument("--keep", type=Path, help="a file that keeps the cases for the next run")
    return parser


def cases(options: argparse.Namespace) -> list[Case]:
    """Return the cases of all sets, read from ``--keep`` when they are kept there."""
    if options.keep is not None and options.keep.exists():
        kept: list[Case] = pickle.loads(options.keep.read_bytes())
        return kept
    folder = options.data_dir / "evaluation"
    found = [case for task in plan(options, folder).tasks for case in _cases_of(task, folder)]
    if options.keep is not None:
        options.keep.write_bytes(pickle.dumps(found))
    return found


def plan(options: argparse.Namespace, folder: Path) -> Plan:
    """Return what is to be asked of which trees."""
    corpus = None
    if options.corpus is not None:
        name = options.corpus.stem
        corpus = corpus_source(name, read_corpus(options.corpus), folder / "corpora" / name)
    return make_plan(read_sets(options.sets), trees=options.repos, corpus=corpus)


def _cases_of(task: Task, folder: Path) -> Iterator[Case]:
    data_dir = folder / "trees" / task.source.name
    index_repositories([task.source.root], data_dir=data_dir, settings=load_settings())
    with open_index(data_dir=data_dir, refresh=False) as index:
        for name, query in task.queries:
            yield _case(index, task, name, query)


def _case(index: LocalIndex, task: Task, name: str, query: Query) -> Case:
    parsed = parse_query(plain_text(query.text))
    (repository,) = index.selected(None)
    with repository.view() as view:
        assert view is not None
        searcher = HybridSearcher(view.channels, index.embedder)
        retrieved = searcher.retrieve(parsed, "hybrid", LIMIT)
        candidates = searcher.candidates(parsed, retrieved, LIMIT)
        records = view.catalog.hydrate(candidates.rows.tolist())
        meant = list(retrieved.leading) or None
        if parsed.is_identifier:
            exact = view.catalog.heads(retrieved.exact).values()
            meant = called(exact, parsed.names[0].rpartition(".")[2])
    return Case(
        set=name,
        repo=query.tree.repo if query.tree is not None else query.id,
        query=query,
        facts=query_facts(parsed.terms, parsed.title, is_how_to=parsed.is_how_to),
        meant=meant,
        candidates=candidates,
        results={record.row: task.source.result(hit_of_record(record, 0.0)) for record in records},
    )
