"""How the other snippets of an answer stand to the one that leads (pure)."""

from __future__ import annotations

from collections.abc import Sequence

from codeintel_rev.answer.entries import Entry
from codeintel_rev.answer.question import Question

RELEVANT_SHARE = 0.5
"""An entry is left out that holds less of the question than this share of what the lead holds."""

_HEADINGS = (
    "It is extended by:",
    "It uses:",
    "It is used by:",
    "See also in the code:",
    "In the documentation:",
    "In the tests:",
)


def relevant(question: Question, lead: Entry, others: Sequence[Entry]) -> list[Entry]:
    """Return the entries that stand close to the lead, or say nearly as much of the question."""
    least = RELEVANT_SHARE * _share(question, lead)
    return [
        entry
        for entry in others
        if entry.mentions(lead.name)
        or (lead.is_type and entry.extends(lead.name))
        or lead.mentions(entry.name)
        or (entry.says_something and _share(question, entry) >= least)
    ]


def grouped(lead: Entry, others: Sequence[Entry]) -> dict[str, list[Entry]]:
    """Return the entries below the headings that say how they stand to the lead, best first."""
    groups: dict[str, list[Entry]] = {heading: [] for heading in _HEADINGS}
    for entry in others:
        groups[_heading(lead, entry)].append(entry)
    return {heading: members for heading, members in groups.items() if members}


def _heading(lead: Entry, entry: Entry) -> str:
    if entry.group == "docs":
        return "In the documentation:"
    if entry.group == "tests":
        return "In the tests:"
    if lead.is_type and entry.extends(lead.name):
        return "It is extended by:"
    if lead.group == "code" and entry.definition and lead.mentions(entry.name):
        return "It uses:"
    if lead.group == "code" and lead.definition and entry.mentions(lead.name):
        return "It is used by:"
    return "See also in the code:"


def _share(question: Question, entry: Entry) -> float:
    return question.share_in(entry.stems)
