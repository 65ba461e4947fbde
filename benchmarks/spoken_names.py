"""How often a question that says a name in words finds what is called so.

    python benchmarks/spoken_names.py --data-dir DIR [--each 6]

The questions come from the code: of each tree that ``codeintel eval`` has indexed into ``--data-dir``, up
to ``--each`` constants with ``default`` in their name (``what is the default pool
timeout?`` for ``DEFAULT_POOL_TIMEOUT``) and as many functions and types (``match url`` for
``match_url``), drawn with a fixed seed among the names of two to four words that are defined once and in
no test. Found is what covers the line of the definition. Prints one JSON document with the share that
is first, and among the first three and ten.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from machine import machine

from codeintel_rev.app.local import LocalIndex, open_index
from codeintel_rev.retrieval.path_signs import is_in_test_module, is_test
from codeintel_rev.text.code_tokenizer import tokenize
from codeintel_rev.types import Symbol

CONSTANTS = frozenset(["constant", "field", "macro", "property", "variable"])
DEPTHS = (1, 3, 10)


class Question(NamedTuple):
    """A question, and where what it asks for is defined."""

    kind: str
    text: str
    path: str
    line: int


def main() -> None:
    """Ask the questions of every tree, and print how many found their definition."""
    options = _options()
    ranks: dict[str, list[int | None]] = defaultdict(list)
    trees = _one_each(options.data_dir / "evaluation" / "trees")
    for tree in trees:
        with open_index(data_dir=tree, refresh=False) as index:
            for question in _questions(index, options.each, random.Random(tree.name)):
                ranks[question.kind].append(_rank(index, question))
    found = {kind: _shares(places) for kind, places in sorted(ranks.items())}
    print(json.dumps({"machine": machine(), "trees": len(trees), **found}, indent=1))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True, help="as of `codeintel eval`")
    parser.add_argument("--each", type=int, default=6, help="questions of a kind and a tree")
    return parser.parse_args()


def _one_each(folder: Path) -> list[Path]:
    """Return an index of each repository: trees of several commits differ little."""
    return sorted({tree.name.partition("@")[0]: tree for tree in folder.iterdir()}.values())


def _questions(index: LocalIndex, each: int, draw: random.Random) -> Iterator[Question]:
    named: dict[str, list[tuple[str, Symbol]]] = defaultdict(list)
    (repository,) = index.selected(None)
    with repository.view() as view:
        assert view is not None
        for path, _, symbol in view.catalog.symbols_like(view.snapshots[0], ""):
            named[symbol.name.lower().replace("_", "")].append((path, symbol))
    kinds: dict[str, list[Question]] = {"default": [], "definition": []}
    for places in named.values():
        path, symbol = places[0]
        words = tokenize(symbol.name)[1:]
        if len(places) > 1 or is_test(path) or is_in_test_module(symbol.qualname):
            continue
        if "default" in words and symbol.kind in CONSTANTS and 3 <= len(words) <= 5:
            rest = " ".join(word for word in words if word != "default")
            text = f"what is the default {rest}?"
            kinds["default"].append(Question("default", text, path, symbol.line))
        elif symbol.kind not in CONSTANTS and 2 <= len(words) <= 4:
            kinds["definition"].append(Question("definition", " ".join(words), path, symbol.line))
    for questions in kinds.values():
        questions.sort()
        yield from draw.sample(questions, min(each, len(questions)))


def _rank(index: LocalIndex, question: Question) -> int | None:
    hits = index.search(question.text, limit=max(DEPTHS)).hits
    places = (
        at
        for at, hit in enumerate(hits, start=1)
        if hit.uri == question.path and hit.start_line <= question.line <= hit.end_line
    )
    return next(places, None)


def _shares(ranks: list[int | None]) -> dict[str, float]:
    shares = {
        f"first_{depth}": round(sum(r is not None and r <= depth for r in ranks) / len(ranks), 3)
        for depth in DEPTHS
    }
    return {"questions": len(ranks), **shares}


if __name__ == "__main__":
    main()
