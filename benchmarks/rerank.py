"""What a reranker is worth, and what it costs.

    python benchmarks/rerank.py SETS... --repos DIR [--corpus FILE] --data-dir DIR [--every 1]
                                [--server URL --model NAME]

Orders the 50 best chunks of each query by ``TokenReranker``, or by the score model of a server, and
by the mean of its score and that of the search, each as a share of its best. Prints one JSON document
of what was measured until the server went away, if it does: for each set and order the mean NDCG@10
with its difference to the search alone (95% intervals, paired bootstrap), and the milliseconds that
reranking takes, of processor time here or until the server has replied. ``--every`` takes one query
of so many.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from statistics import quantiles

from machine import machine

from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.app.local import open_index
from codeintel_rev.app.requests import plain_text
from codeintel_rev.config.settings import load_settings
from codeintel_rev.errors import Unavailable
from codeintel_rev.evaluation.datasets import read_sets
from codeintel_rev.evaluation.metrics import FILE_METRICS, score
from codeintel_rev.evaluation.plan import Task, make_plan
from codeintel_rev.evaluation.sources import corpus_source, read_corpus
from codeintel_rev.evaluation.summary import bootstrap
from codeintel_rev.io.static_embedder import StaticEmbedder
from codeintel_rev.io.vllm_score_client import VLLMScoreClient
from codeintel_rev.retrieval.token_reranker import TokenReranker
from codeintel_rev.text.background_idf import background_idf
from codeintel_rev.types import SearchHit

LIMIT = 50
SHARES = {"search alone": 0.0, "a tenth": 0.1, "half": 0.5, "reranker alone": 1.0}
"""How much of the order is the reranker's."""

Scorer = Callable[[str, Sequence[str]], tuple[list[float], float]]
"""Scores texts against a query; tells the milliseconds that it took."""

Row = dict[str, float]
"""NDCG@10 of one query by order."""


def mixed(hits: Sequence[SearchHit], reranked: Sequence[float], share: float) -> list[SearchHit]:
    """Return the hits in the order of the mean of both scores."""
    most = max((hit.score for hit in hits), default=0.0) or 1.0
    most_reranked = max(reranked, default=0.0) or 1.0
    pairs = zip(hits, reranked, strict=True)
    scored = [((1 - share) * hit.score / most + share * s / most_reranked, hit) for hit, s in pairs]
    return [hit for _, hit in sorted(scored, key=lambda pair: -pair[0])]


def by_tokens(query: str, texts: Sequence[str]) -> tuple[list[float], float]:
    """Compare words by the embedded model."""
    started = time.process_time()
    scores = _tokens().scores(query, texts)
    return list(scores), (time.process_time() - started) * 1000


@cache
def _tokens() -> TokenReranker:
    return TokenReranker(StaticEmbedder(), background_idf)


@contextmanager
def by_server(url: str, model: str) -> Iterator[Scorer]:
    """Ask a score model, which cuts what is too long for it."""
    with asyncio.Runner() as runner:
        client = VLLMScoreClient(url, model, timeout=120.0, max_tokens=-1)

        def scored(query: str, texts: Sequence[str]) -> tuple[list[float], float]:
            started = time.perf_counter()
            scores = runner.run(client.rerank(query, texts))
            return scores, (time.perf_counter() - started) * 1000

        yield scored
        runner.run(client.close())


def rows(
    task: Task, data_dir: Path, every: int, scorer: Scorer
) -> Iterator[tuple[str, Row, float]]:
    """Yield the set, the scores and the milliseconds of each query."""
    index_repositories([task.source.root], data_dir=data_dir, settings=load_settings())
    with open_index(data_dir=data_dir, refresh=False) as index:
        for name, query in task.queries[::every]:
            text = plain_text(query.text)
            hits = index.search(text, limit=LIMIT).hits
            reranked, spent = scorer(text, [hit.code for hit in hits])
            orders = {order: mixed(hits, reranked, share) for order, share in SHARES.items()}
            found = {
                order: score(query.judgements, [task.source.result(hit) for hit in ordered])
                for order, ordered in orders.items()
            }
            yield name, {order: each[FILE_METRICS[0]] for order, each in found.items()}, spent


def table(found: Sequence[Row]) -> dict[str, object]:
    """Return the mean of each order, and its difference to the search alone."""
    alone, *_ = SHARES
    return {
        order: {
            "ndcg@10": round(bootstrap([row[order] for row in found]).mean, 4),
            "change": [
                round(value, 4) for value in bootstrap([row[order] - row[alone] for row in found])
            ][:3],
        }
        for order in SHARES
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("sets", type=Path, nargs="+")
    parser.add_argument("--repos", type=Path)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--data-dir", type=Path, required=True, help="as of `codeintel eval`")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--server", help="address of a server with a score model")
    parser.add_argument("--model", default="minilm")
    options = parser.parse_args()
    with ExitStack() as stack:
        server, model = options.server, options.model
        scorer = stack.enter_context(by_server(server, model)) if server else by_tokens
        print(json.dumps(measured(options, scorer), indent=1))


def measured(options: argparse.Namespace, scorer: Scorer) -> dict[str, object]:
    """Return the whole result."""
    folder = options.data_dir / "evaluation"
    corpus = None
    if options.corpus is not None:
        name = options.corpus.stem
        corpus = corpus_source(name, read_corpus(options.corpus), folder / "corpora" / name)
    sets = [query_set for path in options.sets for query_set in read_sets(path)]
    by_set: dict[str, list[Row]] = {}
    times: list[float] = []
    tasks = make_plan(sets, trees=options.repos, corpus=corpus).tasks
    found_rows = (
        row
        for task in tasks
        for row in rows(task, folder / "trees" / task.source.name, options.every, scorer)
    )
    with suppress(Unavailable):  # a server that is taken away: what was measured counts
        for name, row, spent in found_rows:
            by_set.setdefault(name, []).append(row)
            times.append(spent)
    cuts = quantiles(times, n=100)
    return {
        "machine": machine(),
        "reranker": options.model if options.server else "tokens",
        "every": options.every,
        "sets": {
            name: {"queries": len(found), "orders": table(found)} for name, found in by_set.items()
        },
        "rerank_ms": {"p50": round(cuts[49], 2), "p95": round(cuts[94], 2)},
    }


if __name__ == "__main__":
    main()
