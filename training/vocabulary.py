"""Document frequencies of terms over chunks of 30 lines, and the vocabulary drawn from them.

python -m training.vocabulary SOURCES OUT.json --exclude-repos FILE... --exclude-snippets FILE
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

from codeintel_rev.text.chunk_terms import document_terms
from training import exclusions
from training.corpus import source_files

CHUNK_LINES = 30
CHUNKS_A_PACKAGE = 6000
"""So that no single package decides what is common."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the steps that read sources."""
    parser.add_argument("sources", type=Path)
    parser.add_argument("out", type=Path)
    add_exclusions(parser)


def add_exclusions(parser: argparse.ArgumentParser) -> None:
    """Add the files that name what must stay out."""
    parser.add_argument("--exclude-repos", type=Path, nargs="+", required=True)
    parser.add_argument("--exclude-snippets", type=Path, required=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    options = parser.parse_args()
    names, _ = exclusions.load(options.exclude_repos, options.exclude_snippets)
    frequencies: Counter[str] = Counter()
    packages: Counter[str] = Counter()
    spread: Counter[str] = Counter()
    last_package, in_package = "", set[str]()
    for file in source_files(options.sources, names):
        if file.package != last_package:
            spread.update(in_package)
            last_package, in_package = file.package, set()
        lines = file.text.split("\n")
        for start in range(0, len(lines), CHUNK_LINES):
            if packages[file.package] >= CHUNKS_A_PACKAGE:
                break
            packages[file.package] += 1
            text = "\n".join(lines[start : start + CHUNK_LINES])
            terms = set(document_terms(file.path, "", text).terms)
            frequencies.update(terms)
            in_package |= terms
    spread.update(in_package)
    kept = {
        term: [n, spread[term]] for term, n in frequencies.items() if n >= 5 and spread[term] >= 2
    }
    options.out.write_text(json.dumps({"chunks": packages.total(), "terms": kept}))
    print(packages.total(), len(packages), len(frequencies), len(kept))


if __name__ == "__main__":
    main()
