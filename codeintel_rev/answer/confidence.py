"""How far an answer is to be trusted, as one number."""

from __future__ import annotations

PER_LIMIT = 0.1
UNCITED = 0.2
UNSUPPORTED_CEILING = 0.2
TEXT_SCAN_CEILING = 0.3
SYNTHESISED = 0.1
"""What a language model that cites adds: it read the snippets and found something to say."""


def confidence(
    *,
    evidence: float,
    synthesised: bool = False,
    limits: tuple[str, ...] = (),
    retrieval: str = "hybrid-rrf",
) -> float:
    """Return a confidence in [0, 1], rounded to two places.

    It starts at the strength of the evidence, gains 0.1 when a language model answered from it, and
    loses 0.1 a limit (0.2 for ``citation_missing``). With ``no_evidence`` it never passes 0.2, from
    a text scan never 0.3.

    Args:
        evidence: ``Evidence.score``: about the share of questions with hits like these that they
            answer; 0 without hits.
        synthesised: Whether a language model wrote the text.
        limits: What went wrong on the way, as limit words.
        retrieval: ``AnswerPlan.retrieval``.

    """
    if evidence <= 0:
        return 0.0
    value = evidence + SYNTHESISED * synthesised
    for word in limits:
        if word != "no_evidence":
            value -= UNCITED if word == "citation_missing" else PER_LIMIT
    if "no_evidence" in limits:
        value = min(value, UNSUPPORTED_CEILING)
    if retrieval == "text-scan":
        value = min(value, TEXT_SCAN_CEILING)
    return round(min(1.0, max(0.0, value)), 2)
