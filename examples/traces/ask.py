"""Asks an index questions about itself, so that there are traces to look at.

    python examples/traces/ask.py REPOSITORY DATA_DIR [--questions 200]

The questions are made of what is defined in the repository; every tenth is about something else, and
every seventh gets so little time that stages are late.
"""

from __future__ import annotations

import argparse
import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import codeintel_rev
from codeintel_rev.answer.orchestrator import AnswerOrchestrator
from codeintel_rev.app.local import LocalIndex
from codeintel_rev.app.local_answers import LocalAnswerContext
from codeintel_rev.app.traces import tracer_of

FORMS = ("where is {} defined?", "what does {} do?", "how is {} used?")
ELSEWHERE = (
    "which soil suits blueberries on a north slope?",
    "how long does a sourdough starter keep in the fridge?",
    "who repairs the brakes of a cargo bicycle?",
)
SHORT_MS = 0.5


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("repository", type=Path)
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--questions", type=int, default=200)
    asked = parser.parse_args()
    with codeintel_rev.open(asked.repository, data_dir=asked.data_dir) as index:
        asyncio.run(ask(index, list(questions(index, asked.questions))))


def questions(index: LocalIndex, count: int) -> Iterator[str]:
    """Yield questions about definitions of the index, and a few about nothing in it."""
    draw = random.Random(0)
    found = index.search_all(r"\w{6,}", regex=True, symbols=True, limit=1000).hits
    names = sorted({hit.symbol.rpartition(".")[2] for hit in found})
    for number in range(count):
        if number % 10 == 9:
            yield draw.choice(ELSEWHERE)
        else:
            yield draw.choice(FORMS).format(draw.choice(names))


async def ask(index: LocalIndex, asked: list[str]) -> None:
    """Put each question, and leave the traces with the index."""
    tracer = tracer_of(index.data_dir, index.settings.trace)
    orchestrator = AnswerOrchestrator(LocalAnswerContext.of(index, tracer))
    try:
        for number, question in enumerate(asked):
            budget = SHORT_MS if number % 7 == 6 else None
            async for _ in orchestrator.answer(question, time_budget_ms=budget):
                pass
    finally:
        orchestrator.close()
        if tracer is not None:
            tracer.close()


if __name__ == "__main__":
    main()
