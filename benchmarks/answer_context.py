"""What an answer's context holds of the judged places, chosen in other ways than by rank.

    python benchmarks/answer_context.py SETS... --repos DIR --data-dir DIR

Prints one JSON document: for each way the share of judged places among the snippets (recall), of
questions with one of them (found), and how many snippets there are. ``rank N`` are the best N hits;
``at most N a file`` takes the next file's instead of more from the same one; ``calls of N`` adds up
to three definitions that the best N hits call, by how much of the question their names hold: a
second retrieval from what the first one found.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from machine import machine

from codeintel_rev.answer.question import Question, question_of, stems_of
from codeintel_rev.app.evaluation import evaluation_folder, tree_opener
from codeintel_rev.config.settings import load_settings
from codeintel_rev.evaluation.answer_scores import score_answer
from codeintel_rev.evaluation.datasets import read_sets
from codeintel_rev.evaluation.plan import make_plan
from codeintel_rev.evaluation.runner import Searcher
from codeintel_rev.types import AnswerEnvelope, SearchHit

CONTEXT = 10
LOOKED_AT = 30
ADDED = 3
_CALL = re.compile(r"\b([A-Za-z_]\w{3,})\s*(?:::<[^>]*>)?\(")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("sets", nargs="+", type=Path)
    parser.add_argument("--repos", type=Path, required=True)
    parser.add_argument("--data-dir", type=Path, required=True)
    asked = parser.parse_args()
    settings = load_settings()
    folder = evaluation_folder(asked.data_dir, settings)
    plan = make_plan([s for path in asked.sets for s in read_sets(path)], trees=asked.repos)
    hybrid, exact = (tree_opener(folder, settings, mode) for mode in ("hybrid", "exact"))
    rows = defaultdict[str, list[tuple[float, float, int]]](list)
    for task in plan.tasks:
        root, name = task.source.root, task.source.name
        with hybrid(root, name) as searcher, exact(root, name) as names:
            for set_name, query in task.queries:
                text = query.text[: settings.answer.max_query_chars]
                hits = list(searcher.search(text, limit=LOOKED_AT).hits)
                for way, chosen in contexts(question_of(text), hits, names):
                    shown = AnswerEnvelope(query=text, answer="", snippets=tuple(chosen))  # type: ignore[arg-type]
                    scores = score_answer(query, shown, task.source.prefix)
                    found = scores["context_recall"], scores["found_in_context"], len(chosen)
                    rows[f"{set_name}: {way}"].append(found)
    print(
        json.dumps({"machine": machine(), "ways": {k: means(v) for k, v in rows.items()}}, indent=2)
    )


def contexts(
    question: Question, hits: list[SearchHit], names: Searcher
) -> Iterator[tuple[str, list[SearchHit]]]:
    """Yield each way of choosing a context, and what it chooses."""
    best = hits[:CONTEXT]
    yield f"rank {CONTEXT}", best
    yield f"rank {CONTEXT + ADDED}", hits[: CONTEXT + ADDED]
    for most in (3, 5):
        yield f"at most {most} a file", at_most(hits, most)[:CONTEXT]
    for callers in (1, 3):
        added = called(question, best, callers, names)
        yield f"calls of {callers}, added", best + added
        yield f"calls of {callers}, in place of the last", best[: CONTEXT - len(added)] + added


def at_most(hits: Sequence[SearchHit], most: int) -> list[SearchHit]:
    seen = Counter[str]()
    kept = []
    for hit in hits:
        seen[hit.uri] += 1
        if seen[hit.uri] <= most:
            kept.append(hit)
    return kept


def called(
    question: Question, best: list[SearchHit], callers: int, names: Searcher
) -> list[SearchHit]:
    weights = Counter[str]()
    for hit in best[:callers]:
        for name in set(_CALL.findall(hit.code)) - {hit.symbol.rpartition(".")[2]}:
            weights[name] += question.share_in(stems_of(name))  # type: ignore[assignment]
    known = {(hit.uri, hit.start_line) for hit in best}
    found: list[SearchHit] = []
    for name, weight in weights.most_common(8):
        definitions = names.search(name, limit=3).hits if weight > 0 else ()
        new = (
            hit
            for hit in definitions
            if hit.symbol.rpartition(".")[2] == name and (hit.uri, hit.start_line) not in known
        )
        found += list(new)[:1]
    return found[:ADDED]


def means(rows: Sequence[tuple[float, float, int]]) -> dict[str, float]:
    names = ("recall", "found", "snippets")
    return {
        name: round(sum(column) / len(rows), 4)
        for name, column in zip(names, zip(*rows, strict=True), strict=True)
    }


if __name__ == "__main__":
    main()
