"""Whether a reply is right, whatever is broken while it is made."""

from __future__ import annotations

import json
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from targets import Target

LESS = ("_timeout", "_error", "_skipped", "_failed")
"""Ends of words in ``limits`` that say that a reply rests on less than usual."""

UNREAD = {"hydration_timeout", "hydration_error"}
"""Words that say that the code behind a reply was not read."""

Document = dict[str, Any]


@dataclass
class Verdicts:
    """Judges replies by those that were given before anything was hurt.

    A reply that names no limit has to be the same; one that does may rest on less, and is counted,
    but each of its places has to lead to text that it shows.
    """

    usual: dict[bytes, list[str]] = field(default_factory=dict)
    """For each request, the ids of its hits or snippets."""
    begun: float = 0.0
    limits: Counter[str] = field(default_factory=Counter)
    limited_by_second: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    traces: dict[str, float] = field(default_factory=dict)
    """When an answer came, in seconds, by the name of its trace."""
    wrong: list[str] = field(default_factory=list)

    def learn(self, target: Target, body: bytes) -> bool:
        """Take a reply as the usual one, unless it names a limit that has to do with time or failure."""
        document = json.loads(body)
        if not _is_less(document):
            self.usual[target.body] = _ids(document)
        return True

    def is_right(self, target: Target, body: bytes) -> bool:
        """Return whether a reply may be given."""
        document = json.loads(body)
        self.limits.update(document["limits"])
        now = time.perf_counter() - self.begun
        if trace := document.get("trace_id"):
            self.traces[trace] = now
        limited = _is_less(document)
        if limited:
            self.limited_by_second[int(now)] += 1
        why = _fault(document)
        if not limited and _ids(document) != self.usual[target.body]:
            why = "other results than before"
        if why:
            self.wrong.append(f"{why}: {document['query']}")
        return not why


def _is_less(document: Document) -> bool:
    return any(word.endswith(LESS) for word in document["limits"])


def _ids(document: Document) -> list[str]:
    return [found["id"] for found in document.get("hits", document.get("snippets"))]


def _fault(document: Document) -> str:
    """Return what no reply may have, empty where there is nothing."""
    if "hits" in document:
        return ""
    if not document["answer"].strip():
        return "an answer without a text"
    shown = {snippet["id"]: snippet for snippet in document["snippets"]}
    may_be_unverified = UNREAD & set(document["limits"])
    for citation in document["citations"]:
        snippet = shown.get(citation["snippet_id"])
        if snippet is None:
            return "a citation of nothing that is shown"
        if not (citation["verified"] or may_be_unverified):
            return "a citation that is not verified"
        if not snippet["start_line"] <= citation["start_line"] <= citation["end_line"]:
            return "a citation of other lines than are shown"
    return ""
