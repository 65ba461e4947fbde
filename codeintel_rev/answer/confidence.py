"""How far an answer is to be trusted, as one number."""

from __future__ import annotations

SYNTHESISED = 0.8
EXTRACTED = 0.5
PER_LIMIT = 0.1
UNCITED = 0.2
STRONG_HIT = 0.1
STRONG_SIGNAL = 0.7
TEXT_SCAN_CEILING = 0.3


def confidence(
    *,
    has_hits: bool,
    synthesised: bool,
    limits: tuple[str, ...] = (),
    best_signal: float | None = None,
    retrieval: str = "hybrid-rrf",
) -> float:
    """Return a confidence in [0, 1], rounded to two places.

    Nothing found is 0. Otherwise it starts at 0.8 for a synthesised answer and 0.5 for an extracted
    one, loses 0.1 a limit (0.2 for ``citation_missing``) and gains 0.1 when ``best_signal`` is above
    0.7. An answer from a text scan never passes 0.3.

    Args:
        has_hits: Whether retrieval found anything.
        synthesised: Whether a language model wrote the text.
        limits: What went wrong on the way, as limit words.
        best_signal: Best cosine or rerank score, both in [-1, 1]. A fused score is none of
            these: it never passes 0.05.
        retrieval: ``AnswerPlan.retrieval``.

    """
    if not has_hits:
        return 0.0
    value = SYNTHESISED if synthesised else EXTRACTED
    value -= sum(UNCITED if word == "citation_missing" else PER_LIMIT for word in limits)
    if best_signal is not None and best_signal > STRONG_SIGNAL:
        value += STRONG_HIT
    if retrieval == "text-scan":
        value = min(value, TEXT_SCAN_CEILING)
    # Rounded because 0.5 - 0.1 - 0.1 must not pass a threshold of 0.3.
    return round(min(1.0, max(0.0, value)), 2)
