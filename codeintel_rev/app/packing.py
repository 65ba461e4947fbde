"""When vectors are packed: once, in the background, after many searches have asked for them."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock, Thread

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.io.vector_store import Segment
from codeintel_rev.ports import CandidateIndex

PACKED_FROM = 20_000
"""Fewer vectors are compared as quickly as they are."""

PACKED_AFTER = 32
"""Searches of one process before vectors are packed: 0.7 s of a processor for 100,000 of them."""


class Packing:
    """The packed vectors of some segments (``CandidateSource``); safe to share between threads.

    They stay right while segments are only added to, whose vectors others compare.
    """

    def __init__(
        self,
        generation: int,
        segments: Sequence[Segment],
        blocks: Sequence[tuple[int, NDArray[np.float16]]],
        after: int = PACKED_AFTER,
    ) -> None:
        """Pack ``blocks``, the vectors of a generation's ``segments``, after that many searches."""
        self._generation = generation
        self._segments = _identities(segments)
        self._blocks = [block for _, block in blocks]
        self._left = after
        self._packed: CandidateIndex | None = None
        self._thread: Thread | None = None
        self._lock = Lock()

    def covers(self, generation: int, segments: Sequence[Segment]) -> bool:
        """Return whether the vectors of a view begin with those that are packed."""
        if generation != self._generation:
            return False
        return _identities(segments[: len(self._segments)]) == self._segments

    def asked(self) -> CandidateIndex | None:
        """Return the packed vectors if they are ready, and count that they were asked for."""
        if self._packed is None and self._thread is None:
            with self._lock:
                self._left -= 1
                if self._left <= 0 and self._thread is None:
                    self._thread = Thread(target=self._pack, name="packing", daemon=True)
                    self._thread.start()
        return self._packed

    def close(self) -> None:
        """Wait until nothing is packed any more."""
        if self._thread is not None:
            self._thread.join()

    def _pack(self) -> None:
        from codeintel_rev.retrieval.packed_scan import PackedScan

        self._packed = PackedScan(self._blocks)
        self._blocks = []


def _identities(segments: Sequence[Segment]) -> list[tuple[str, int]]:
    """Return what stays the same of segments while vectors are appended to the last."""
    return [(segment.file, segment.first_row) for segment in segments]
