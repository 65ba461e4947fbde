"""ripgrep as people use it: each word of the query is looked for, files with most of them come first."""

from __future__ import annotations

import math
import re
import subprocess
from collections import Counter
from pathlib import Path

from jobs import LIMIT, Place, Search, run

_STOP_WORDS = (
    "a an and are as at be by can do does for from has have how i in into is it its not of on or that the"
    " this to used using was what when where which why with"
)
STOP = frozenset(_STOP_WORDS.split())
MAX_WORDS = 12
"""Words looked for; a pasted issue has hundreds."""


def counts(word: str, root: str) -> dict[str, int]:
    """Return how many lines of each file hold ``word``, whatever its case."""
    command = [
        "rg",
        "--count",
        "--ignore-case",
        "--fixed-strings",
        "--no-messages",
        "--",
        word,
        ".",
    ]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    rows = (line.rpartition(":") for line in done.stdout.splitlines())
    return {path.removeprefix("./"): int(count) for path, _, count in rows}


def open_root(root: str, _: Path) -> tuple[Search, object]:
    """There is no index: every search reads every file."""

    def search(query: str) -> list[Place]:
        words = dict.fromkeys(word.lower() for word in re.findall(r"\w{2,}", query))
        telling = [word for word in words if word not in STOP]
        found = [counts(word, root) for word in telling[:MAX_WORDS]]
        scores: Counter[str] = Counter()
        files = 1 + len(set().union(*found))
        for by_file in found:
            rarity = math.log(1 + files / (1 + len(by_file)))
            for path, count in by_file.items():
                scores[path] += rarity * (1 + math.log(count))
        return [(path, 1, 1) for path, _ in scores.most_common(LIMIT)]

    return search, lambda: 0


if __name__ == "__main__":
    run(open_root)
