"""Which query is put to which source, so that each source is indexed once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from codeintel_rev.errors import InvalidArgument, NotFound
from codeintel_rev.evaluation.datasets import Query, QuerySet, Tree
from codeintel_rev.evaluation.sources import Source, tree_source

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence, Set
    from pathlib import Path


class Task(NamedTuple):
    """Everything that is asked of one source."""

    source: Source
    queries: tuple[tuple[str, Query], ...]
    """(name of the set, query) pairs."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is evaluated."""

    sets: tuple[QuerySet, ...]
    """The sets with the queries that can be asked; none is empty."""
    tasks: tuple[Task, ...]
    """In the order of the sources' names."""
    missing: tuple[str, ...] = ()
    """Trees that are not there and were passed over with their queries."""


def make_plan(
    sets: Iterable[QuerySet],
    *,
    trees: Path | None = None,
    corpus: Source | None = None,
    skip_missing: bool = False,
) -> Plan:
    """Return the plan for ``sets``, with ``OWNER+NAME@COMMIT10`` folders in ``trees``.

    Raises ``InvalidArgument`` when trees or a corpus are needed and not given or when no query is
    left, ``NotFound`` naming every missing tree unless those are to be skipped.
    """
    sets = tuple(sets)
    wanted = {query.tree for query_set in sets for query in query_set.queries}
    sources = {tree: _source(tree, trees, corpus) for tree in wanted}
    missing = {tree for tree, source in sources.items() if not source.root.is_dir()}
    names = tuple(sorted(sources[tree].name for tree in missing))
    if missing and not skip_missing:
        raise NotFound(
            f"{len(missing)} of {len(wanted)} trees are not in {trees}: {', '.join(names)}",
            hint="put each there as a folder OWNER+NAME@COMMIT10",
            value=names[0],
        )
    kept = tuple(_without(query_set, missing) for query_set in sets)
    kept = tuple(query_set for query_set in kept if query_set.queries)
    if not kept:
        raise InvalidArgument(
            f"no query to ask in {', '.join(query_set.name for query_set in sets)}",
            hint="rows need a `relevant` list that is not empty",
        )
    return Plan(kept, _tasks(kept, sources), names)


def _source(tree: Tree | None, trees: Path | None, corpus: Source | None) -> Source:
    if tree is not None and trees is not None:
        return tree_source(trees, tree)
    if tree is not None:
        raise InvalidArgument(
            f"the judgements name files of {tree.repo}, but no folder of trees is given",
            hint="name it with --repos",
            value=tree.repo,
        )
    if corpus is None:
        raise InvalidArgument(
            "the judgements name documents, but no corpus is given",
            hint="name the file of documents with --corpus",
        )
    return corpus


def _without(query_set: QuerySet, missing: Set[Tree | None]) -> QuerySet:
    queries = tuple(query for query in query_set.queries if query.tree not in missing)
    return replace(query_set, queries=queries)


def _tasks(sets: Sequence[QuerySet], sources: dict[Tree | None, Source]) -> tuple[Task, ...]:
    asked: dict[Tree | None, list[tuple[str, Query]]] = {}
    for query_set in sets:
        for query in query_set.queries:
            asked.setdefault(query.tree, []).append((query_set.name, query))
    tasks = (Task(sources[tree], tuple(queries)) for tree, queries in asked.items())
    return tuple(sorted(tasks, key=lambda task: task.source.name))
