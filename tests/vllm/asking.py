"""What the tests ask of an index, and how it is configured for that."""

from __future__ import annotations

from collections.abc import Callable

from codeintel_rev.app.local import LocalIndex
from codeintel_rev.config.settings import Settings
from codeintel_rev.types import AnswerEvent

QUESTION = "where are the ranks of several channels fused into one score?"

Configure = Callable[..., Settings]


def answered(index: LocalIndex, limit: int = 10) -> list[AnswerEvent]:
    """Return every event of the answer to the question."""
    return list(index.ask_events(QUESTION, limit=limit))
