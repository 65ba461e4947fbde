"""What Lucene costs and finds beside tantivy; run by a Python with the extra `lucene`.

    python benchmarks/words.py cost DATA_DIR
    python benchmarks/words.py quality SETS --repos DIR [--corpus FILE] --data-dir DIR

`cost` builds a Lucene index of all chunks of an index of code, as `scripts/build_bm25_index.sh` does,
and asks both engines 500 first sentences of docstrings. `quality` asks judged queries of both, by
words alone and together with vectors; it builds each repository's Lucene index as compaction does.
Prints one JSON document.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from machine import machine
from ranking_cases import LIMIT, arguments, plan

from codeintel_rev.app.bm25_export import export
from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.app.local import open_index
from codeintel_rev.app.repository import OpenRepository, size_on_disk
from codeintel_rev.app.requests import plain_text
from codeintel_rev.config.settings import load_settings
from codeintel_rev.evaluation.metrics import score
from codeintel_rev.evaluation.plan import Task
from codeintel_rev.indexing.rebuilding import lexical_document
from codeintel_rev.indexing.store import RepositoryFolder
from codeintel_rev.io import own_process
from codeintel_rev.io.journal_compaction import JournalCompaction
from codeintel_rev.io.registry import Registry
from codeintel_rev.retrieval.bm25_searcher import BM25Searcher
from codeintel_rev.retrieval.hybrid import HybridSearcher
from codeintel_rev.retrieval.lucene_build import build_lucene
from codeintel_rev.retrieval.lucene_index import LuceneIndex
from codeintel_rev.retrieval.lucene_words import LuceneWords
from codeintel_rev.retrieval.query import parse_query
from codeintel_rev.retrieval.tantivy_searcher import TantivySearcher
from codeintel_rev.text.background_idf import background_idf

QUERIES = 500
HITS = 100
PARAMETERS = ((1.2, 0.75), (0.9, 0.4))
"""k1 and b: those of tantivy, and those that Anserini has for text."""


def cost(data_dir: Path) -> dict[str, object]:
    """Return what building takes and what searching does, for both engines."""
    with tempfile.TemporaryDirectory(dir=data_dir.parent) as scratch:
        folder = Path(scratch, "lucene")
        started = time.perf_counter()
        chunks = export(data_dir, folder)
        built_s = time.perf_counter() - started
        started = time.perf_counter()
        lucene = BM25Searcher(folder)
        opened_s = time.perf_counter() - started
        repository, queries = _largest(data_dir)
        _, state = repository.state()
        tantivy = TantivySearcher(repository.lexical(int(str(state["generation"]))), background_idf)
        everything = np.ones(int(str(state["reserved_rows"])), dtype=np.bool_)

        def by_tantivy(query: str) -> None:
            parsed = parse_query(query)
            tantivy.search(parsed.terms, HITS, everything, parsed.title)

        return {
            "chunks": chunks,
            "lucene": {
                "build_s": round(built_s, 1),
                "bytes": size_on_disk(folder),
                "open_s": round(opened_s, 1),
                "search_ms": _times(lambda query: lucene.search(query, HITS), queries),
            },
            "tantivy": {"search_ms": _times(by_tantivy, queries)},
        }


def _largest(data_dir: Path) -> tuple[RepositoryFolder, list[str]]:
    """Return the folder of the largest repository, and what to ask of it."""
    registry = Registry(data_dir)
    folders = [RepositoryFolder(registry.folder(one)) for one in registry.repositories()]
    registry.close()
    largest = max(folders, key=lambda folder: folder.journal.stat().st_size)
    journal = JournalCompaction(largest.journal)
    queries = journal.titles(QUERIES)
    journal.close()
    return largest, queries


def _times(search: Callable[[str], object], queries: Sequence[str]) -> dict[str, float]:
    spent = []
    for query in [*queries[:50], *queries]:  # Java compiles what it has run a while
        started = time.perf_counter()
        search(query)
        spent.append((time.perf_counter() - started) * 1000)
    found = np.percentile(spent[50:], (50, 95, 99))
    return dict(zip(("p50", "p95", "p99"), map(float, found.round(2)), strict=True))


def quality(options: argparse.Namespace) -> dict[str, object]:
    """Return the mean NDCG@10 of each set, engine and mode."""
    folder = options.data_dir / "evaluation"
    found: dict[str, dict[str, list[float]]] = {}
    for task in plan(options, folder).tasks:
        for set_name, variant, value in _scores(task, folder):
            found.setdefault(set_name, {}).setdefault(variant, []).append(value)
    return {
        name: {variant: round(float(np.mean(values)), 4) for variant, values in variants.items()}
        | {"n": len(next(iter(variants.values())))}
        for name, variants in found.items()
    }


def _scores(task: Task, folder: Path) -> Iterator[tuple[str, str, float]]:
    data_dir = folder / "trees" / task.source.name
    index_repositories([task.source.root], data_dir=data_dir, settings=load_settings())
    with (
        open_index(data_dir=data_dir, refresh=False) as index,
        tempfile.TemporaryDirectory() as scratch,
    ):
        (repository,) = index.selected(None)
        built = _build(repository, Path(scratch, "lucene"))
        with repository.view() as view:
            assert view is not None
            own = view.channels.words
            assert isinstance(own, TantivySearcher)
            engines = {"tantivy": own} | {
                f"lucene {k1} {b}": LuceneWords(
                    LuceneIndex(built, k1, b), len(view.live), own, background_idf
                )
                for k1, b in PARAMETERS
            }
            for name, query in task.queries:
                parsed = parse_query(plain_text(query.text))
                for engine, words in engines.items():
                    channels = view.channels._replace(words=words)
                    searcher = HybridSearcher(channels, index.embedder)
                    for mode in ("lexical", "hybrid"):
                        hits = searcher.search(parsed, LIMIT, mode)  # type: ignore[arg-type]
                        results = [task.source.result(hit) for hit in hits]
                        value = score(query.judgements, results)["ndcg@10"]
                        yield name, f"{engine}, {mode}", float(value)


def _build(repository: OpenRepository, folder: Path) -> Path:
    journal = JournalCompaction(repository.folder.journal)
    try:
        batches = journal.chunks(0, journal.meta("reserved_rows"))
        documents = ([lexical_document(chunk) for chunk in batch] for batch in batches)
        build_lucene(folder, documents, own_process.python(), own_process.environment())
    finally:
        journal.close()
    return folder


def main() -> None:
    if sys.argv[1:2] == ["quality"]:
        result = quality(arguments(__doc__).parse_args(sys.argv[2:]))
    else:
        parser = argparse.ArgumentParser(description=__doc__)
        parser.add_argument("what", choices=["cost"])
        parser.add_argument("data_dir", type=Path)
        result = cost(parser.parse_args().data_dir)
    print(json.dumps({"machine": machine(), **result}, indent=1))


if __name__ == "__main__":
    main()
