"""Dense search over fp16 vectors: by scans, and in large repositories by an index of candidates."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.ports import CandidateIndex, CandidateSource
from codeintel_rev.retrieval.flat_searcher import FlatSearcher, best, half_products
from codeintel_rev.retrieval.large_searcher import LargeSearcher

FAISS_AFTER = 32
"""So many searches of one view are plain scans: importing and copying costs FAISS 140 ms, and each
commit makes a new view, and a new copy."""


class DenseSearcher:
    """Nearest neighbours of a query (``VectorIndex``); safe to share between threads.

    The first searches scan with numpy, so that a process that searches once, or an index that is
    edited all the time, never pays for FAISS; later ones use it. Both find candidates only: scores are
    computed anew in one way, so that the order never depends on which of them ran. Where compaction
    has built an index of candidates, all searches use that, and none scans what it covers; likewise
    once a source has one, which outlives this view.
    """

    def __init__(
        self,
        blocks: Sequence[tuple[int, NDArray[np.float16]]],
        rows: NDArray[np.int64],
        faiss_after: int = FAISS_AFTER,
        nearest: CandidateIndex | None = None,
        source: CandidateSource | None = None,
    ) -> None:
        """Search over ``blocks``: (first position, vectors); ``rows`` are theirs, ascending.

        A ``source`` is asked for an index at each search, until it has one.
        """
        # no memory maps, whose every slice runs Python
        self._blocks = [(first, np.asarray(block)) for first, block in blocks]
        self._rows = rows
        self._has_gaps = len(rows) > 0 and int(rows[-1]) >= len(rows)
        self._scans_left = faiss_after
        self._faiss: FaissFlat | None = None
        self._large: LargeSearcher | None = None
        if nearest is not None:
            self._large = LargeSearcher(nearest, self._blocks, self._gather)
        self._source = source
        self._translated: tuple[NDArray[np.bool_], NDArray[np.bool_]] | None = None
        """The last mask of rows, and what it is by position: searches of one scope share it."""
        self._lock = Lock()

    def search(
        self, query: NDArray[np.float32], k: int, mask: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return up to ``k`` rows with ``mask[row]`` and their scores, best first, ties by row."""
        if self._has_gaps:
            mask = self._by_position(mask)
        found = self._propose(query, k, mask)
        found, scores = best(found, self._scores(found, query), k)
        return self._rows[found], scores

    def _propose(
        self, query: NDArray[np.float32], k: int, mask: NDArray[np.bool_]
    ) -> NDArray[np.int64]:
        """Return positions among which the ``k`` nearest are."""
        large = self._large or self._offered()
        if large is not None:
            return large.propose(query, k, mask)
        if self._source is not None or self._scans_left > 0:
            self._scans_left -= 1
            return FlatSearcher(self._blocks).search(query, k, mask)[0]
        return self._open_faiss().search(query, k, mask)

    def _offered(self) -> LargeSearcher | None:
        """Return what searches by the source's index, if there is one by now."""
        index = None if self._source is None else self._source.asked()
        if index is not None:
            self._large = LargeSearcher(index, self._blocks, self._gather)
        return self._large

    def similarities(
        self, query: NDArray[np.float32], rows: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Return the score of each of ``rows``, which are all stored."""
        return self._scores(np.searchsorted(self._rows, rows), query)

    def _by_position(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        translated = self._translated
        if translated is None or translated[0] is not mask:
            known = self._rows[: np.searchsorted(self._rows, len(mask))]
            translated = self._translated = (mask, mask[known])
        return translated[1]

    def _open_faiss(self) -> FaissFlat:
        with self._lock:
            if self._faiss is None:
                self._faiss = FaissFlat(self._blocks, len(self._rows))
            return self._faiss

    def _scores(
        self, positions: NDArray[np.int64], query: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        order = np.argsort(positions, kind="stable")
        scores = np.empty(len(positions), dtype=np.float32)
        scores[order] = half_products(self._gather(positions[order]), query)
        return scores

    def _gather(self, positions: NDArray[np.int64]) -> NDArray[np.float16]:
        """Return the vectors at ``positions``, which ascend."""
        dim = self._blocks[0][1].shape[1] if self._blocks else 0
        out = np.empty((len(positions), dim), dtype=np.float16)
        # as bytes, for numpy takes from a whole copy of numbers that lie at odd addresses of a file;
        # and "clip", for otherwise it takes into a copy of ``out``: no position is out of range
        raw = out.view(np.uint8)
        ends = np.searchsorted(positions, [first for first, _ in self._blocks[1:]]).tolist()
        cuts = pairwise([0, *ends, len(positions)])
        for (first, block), (start, end) in zip(self._blocks, cuts, strict=False):
            if start < end:
                inside = positions[start:end] - first
                np.take(block.view(np.uint8), inside, axis=0, out=raw[start:end], mode="clip")
        return out


class FaissFlat:
    """An in-memory FAISS scan over a copy of the fp16 vectors."""

    def __init__(self, blocks: Sequence[tuple[int, NDArray[np.float16]]], rows: int) -> None:
        import faiss

        # one query on two threads is no faster, and idle OpenMP threads spin: on a busy machine a
        # search took 26 ms instead of 1
        faiss.omp_set_num_threads(1)
        dim = blocks[0][1].shape[1]
        index = faiss.IndexScalarQuantizer(
            dim, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
        )
        codes = np.zeros((rows, dim), dtype=np.float16)
        for first, block in blocks:
            codes[first : first + len(block)] = block
        faiss.copy_array_to_vector(codes.view(np.uint8).ravel(), index.codes)
        index.ntotal = rows
        index.is_trained = True
        self._index = index

    def search(
        self, query: NDArray[np.float32], k: int, mask: NDArray[np.bool_]
    ) -> NDArray[np.int64]:
        """Return up to ``k`` of the nearest rows with ``mask[row]``."""
        import faiss

        arguments: dict[str, Any] = {}
        if not mask.all() or len(mask) < self._index.ntotal:
            bits = np.zeros(self._index.ntotal, dtype=np.bool_)
            bits[: len(mask)] = mask
            packed = np.packbits(bits, bitorder="little")
            selector = faiss.IDSelectorBitmap(len(packed), faiss.swig_ptr(packed))
            arguments["params"] = faiss.SearchParameters(sel=selector)  # type: ignore[call-arg]
        _, found = self._index.search(query[np.newaxis], min(k, self._index.ntotal), **arguments)
        rows: NDArray[np.int64] = found[0]
        return rows[rows >= 0]
