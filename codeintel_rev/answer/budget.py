"""Time: what each stage of an answer may take, and when the whole must be done."""

from __future__ import annotations

from dataclasses import dataclass

from codeintel_rev.ports import Clock


@dataclass(frozen=True, slots=True)
class RetrievalBudget:
    """The most that each stage may take, in milliseconds."""

    embedding: float = 150
    faiss: float = 400
    bm25: float = 400
    splade: float = 400
    fusion: float = 50
    hydration: float = 200
    reranking: float = 300
    synthesis: float = 1000
    """Until the first token."""
    synthesis_gap: float = 5000
    """Between two tokens."""
    synthesis_total: float = 30_000
    """From the request for a completion to its last token."""
    request: float = 2000
    """Everything but the synthesis, for a caller who names no limit."""

    @property
    def total_retrieval(self) -> float:
        """What the channels may take together, as they run side by side."""
        return max(self.faiss, self.bm25, self.splade)


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment after which work is pointless, in seconds on ``clock``."""

    at: float
    clock: Clock

    @classmethod
    def after(cls, milliseconds: float, clock: Clock) -> Deadline:
        """Return the deadline that lies so many milliseconds ahead."""
        return cls(clock() + milliseconds / 1000, clock)

    @property
    def left_ms(self) -> float:
        """Milliseconds that are left, never negative."""
        return max(0.0, (self.at - self.clock()) * 1000)

    def slice_ms(self, budget_ms: float) -> float:
        """Return how long a stage with this budget may run now, in milliseconds."""
        return min(budget_ms, self.left_ms)
