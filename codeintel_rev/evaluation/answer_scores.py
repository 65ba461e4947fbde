"""Scores of one answer against what is known of the question (pure)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

from codeintel_rev.evaluation.datasets import Judgement, Query
from codeintel_rev.types import AnswerEnvelope

_QUOTED = re.compile(r"`([^`\n]{2,80})`")
_NAME = re.compile(r"[A-Za-z_]\w{2,}")


class Place(Protocol):
    """Lines of a file: a citation or a snippet."""

    @property
    def uri(self) -> str:
        """The file's path."""
        ...

    @property
    def start_line(self) -> int:
        """The first line."""
        ...

    @property
    def end_line(self) -> int:
        """The last line."""
        ...


def score_answer(query: Query, envelope: AnswerEnvelope, prefix: str = "") -> dict[str, float]:
    """Return the scores of an answer, by name; a score that cannot be told is left out.

    ``citation_precision``: share of citations that touch a gold place; ``citation_recall``: share of
    gold places that a citation touches; ``context_recall`` and ``found_in_context``: the share that
    a snippet touches, and whether one does; ``lead_precision``: whether the first citation touches
    one; ``_file`` the same for files alone. ``names_in_context``
    and ``names_in_answer``: share of the names of code in a reference answer that the snippets, or
    the text, hold. ``unverified``: share of citations that did not stand the check.
    """
    cited, snippets = envelope.citations, envelope.snippets
    scores: dict[str, float] = {
        "citations": float(len(cited)),
        "unverified": _share([not citation.verified for citation in cited]),
        "no_evidence": float("no_evidence" in envelope.limits),
        "confidence": envelope.confidence,
    }
    gold = query.judgements
    if gold:
        in_context = [_touched(one, snippets, prefix) for one in gold]
        scores |= {
            "citation_recall": _share([_touched(one, cited, prefix) for one in gold]),
            "context_recall": _share(in_context),
            "found_in_context": float(any(in_context)),
        }
        files = {one.path for one in gold}
        if cited:
            scores |= {
                "citation_precision": _share([_touches(c, gold, prefix) for c in cited]),
                "file_precision": _share([prefix + c.uri in files for c in cited]),
                "lead_precision": float(_touches(cited[0], gold, prefix)),
                "lead_file": float(prefix + cited[0].uri in files),
            }
    return scores | _name_scores(query, envelope)


def is_supported(query: Query, envelope: AnswerEnvelope, best: int = 3, prefix: str = "") -> bool:
    """Return whether one of the best snippets is of a gold file."""
    files = {judgement.path for judgement in query.judgements}
    return any(prefix + snippet.uri in files for snippet in envelope.snippets[:best])


def _touches(place: Place, gold: Sequence[Judgement], prefix: str) -> bool:
    return any(_touched(one, [place], prefix) for one in gold)


def _touched(one: Judgement, places: Sequence[Place], prefix: str) -> bool:
    """Return whether a place shares a line with the gold one, or its file where no lines are named."""
    for place in places:
        if prefix + place.uri != one.path:
            continue
        if one.start_line is None or one.end_line is None:
            return True
        if place.start_line <= one.end_line and one.start_line <= place.end_line:
            return True
    return False


def _name_scores(query: Query, envelope: AnswerEnvelope) -> dict[str, float]:
    reference = query.fields.get("reference_answer")
    quoted = _QUOTED.findall(reference) if isinstance(reference, str) else []
    names = {name for text in quoted for name in _NAME.findall(text)}
    if not names:
        return {}
    context = set(_NAME.findall("\n".join(snippet.code for snippet in envelope.snippets)))
    said = set(_NAME.findall(envelope.answer))
    return {
        "names_in_context": len(names & context) / len(names),
        "names_in_answer": len(names & said) / len(names),
    }


def _share(facts: Sequence[bool]) -> float:
    return sum(facts) / len(facts) if facts else 0.0
