"""Why a hit stands where it does, in lines for people (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from codeintel_rev.types import SearchHit

_SIGNALS = {
    "named": "defines a name in the query",
    "file_name": "words of the file's name are in the query",
    "guide": "is a document, and the query asks how to do something",
    "definition": "is a definition",
    "test_path": "is a test or an example",
    "prose": "is documentation",
    "file": "its whole file",
}
"""What each signal means."""


def explanation(hit: SearchHit) -> list[str]:
    """Return the reasons for a hit, one a line; none when they were not asked for."""
    return [f"  {line}" for line in _lines(hit.explain)] if hit.explain else []


def _lines(told: dict[str, Any]) -> Iterator[str]:
    if told["exact"]:
        yield "exact      defines what is asked for, or holds it verbatim"
    meaning, words = told["meaning"], told["words"]
    yield f"meaning    cosine {meaning['cosine']:.3f}, {_rank(meaning['rank'])}"
    yield f"words      BM25 {words['bm25']:.1f}, {_rank(words['rank'])}"
    yield f"match      {told['match']:.3f} of 1, from both"
    for name, effect in told["effects"].items():
        yield f"{effect:<10} {name}: {_SIGNALS.get(name, name)}"
    if "repository" in told:
        yield f"x{told['repository']:<9.2f} repository: how well it fits beside the others"


def _rank(rank: int | None) -> str:
    return "not among the best of this channel" if rank is None else f"rank {rank}"
