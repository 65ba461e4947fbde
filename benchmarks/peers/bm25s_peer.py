"""Plain BM25 by bm25s over windows of 50 lines, with identifiers split; in the peers' environment."""

from __future__ import annotations

import re
from pathlib import Path

import bm25s
import numpy as np
from jobs import LIMIT, Place, Search, folder_bytes, run

WINDOW, STEP, MAX_BYTES = 50, 40, 1_000_000
_SOURCE_WORDS = (
    ".bash .bats .c .cc .cjs .cpp .cs .cxx .ex .exs .go .h .hh .hpp .java .js .jsx .kt .kts .lua .mjs .php"
    " .py .rb .rs .scala .sh .sql .swift .ts .tsx .vue"
)
SOURCE = frozenset(_SOURCE_WORDS.split())
_WORD = re.compile(r"[A-Za-z_]\w*|\d+", re.ASCII)
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def terms(text: str) -> list[str]:
    """Return the words of ``text`` and their parts, in lower case."""
    found = []
    for word in _WORD.findall(text):
        parts = [part.lower() for part in _PART.findall(word)]
        found += [word.lower(), *parts] if len(parts) > 1 else parts
    return found


def windows(root: Path) -> tuple[list[Place], list[list[str]]]:
    """Return the windows of all source files, and the terms of each with those of its path."""
    places: list[Place] = []
    texts: list[list[str]] = []
    for file in sorted(root.rglob("*")):
        if file.suffix not in SOURCE or not file.is_file() or file.stat().st_size > MAX_BYTES:
            continue
        path = file.relative_to(root).as_posix()
        lines = file.read_text(encoding="utf-8", errors="replace").split("\n")
        for start in range(0, max(1, len(lines) - (WINDOW - STEP)), STEP):
            part = lines[start : start + WINDOW]
            places.append((path, start + 1, start + len(part)))
            texts.append(terms(path) + terms("\n".join(part)))
    return places, texts


def open_root(root: str, scratch: Path) -> tuple[Search, object]:
    """Index a root in memory; its size is that of what ``save`` writes."""
    places, texts = windows(Path(root))
    index = bm25s.BM25(method="lucene", k1=1.5, b=0.75)
    index.index(texts, show_progress=False)

    def search(query: str) -> list[Place]:
        known = [term for term in terms(query) if term in index.vocab_dict]
        if not known:
            return []
        scores = index.get_scores(known)
        best = np.argsort(-scores, kind="stable")[:LIMIT]
        return [places[at] for at in best if scores[at] > 0]

    def size() -> int:
        index.save(str(scratch))
        return folder_bytes(scratch)

    return search, size


if __name__ == "__main__":
    run(open_root)
