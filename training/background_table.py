"""The table of background word statistics that ships with the package."""

from __future__ import annotations

import json
from pathlib import Path

from codeintel_rev.text.background_idf import pack_table

TERMS = 60_000


def write_table(words: Path, path: Path) -> None:
    """Write the table of the most frequent terms that ``training.vocabulary`` counted to ``path``."""
    counted = json.loads(words.read_text())
    frequency = {term: pair[0] for term, pair in counted["terms"].items()}
    kept = sorted(frequency, key=lambda term: (-frequency[term], term))[:TERMS]
    data = pack_table({term: frequency[term] for term in kept}, counted["chunks"])
    path.write_bytes(data)
    print(f"{len(kept)} terms, {len(data)} bytes, rarest df {frequency[kept[-1]]}")
