"""Why a hit stands where it does, as every surface shows it (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from codeintel_rev.retrieval.ranking import BONUSES, PENALTIES, Ranked


def explained(
    item: Ranked, dense: Mapping[int, float], words: Mapping[int, float]
) -> dict[str, Any]:
    """Return what each channel and each signal says of a hit.

    ``dense`` and ``words`` are the channels' rows, best first. ``rank`` is ``None`` where a channel
    did not return the row. ``effects`` are what signals add to the match, or multiply it with.
    """
    row = item.row
    signals = item.signals
    told: dict[str, Any] = {
        "exact": item.is_named,
        "meaning": {"cosine": item.dense, "rank": _rank(dense, row)},
        "words": {"bm25": item.words, "rank": _rank(words, row)},
        "match": item.match,
        "signals": signals,
        "effects": {name: effect for name in signals if (effect := _effect(name, signals[name]))},
    }
    return told if item.strength == 1.0 else told | {"repository": item.strength}


def _rank(channel: Mapping[int, float], row: int) -> int | None:
    return next((rank for rank, found in enumerate(channel, start=1) if found == row), None)


def _effect(name: str, value: float) -> str:
    if not value:
        return ""
    if name in PENALTIES:
        return f"x{1.0 - PENALTIES[name] * value:.2f}"
    return f"+{BONUSES.get(name, 1.0) * value:.3f}"
