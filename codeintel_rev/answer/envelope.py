"""The envelope: everything that one answer leaves behind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from codeintel_rev.types import Citation, Mode, SearchHit, Snippet

_DENSE_OUT = frozenset({"embedding_failed", "faiss_timeout", "faiss_error", "faiss_skipped"})
_LEXICAL_OUT = frozenset({"bm25_timeout", "bm25_error", "bm25_skipped"})


def retrieval_kind(mode: Mode, hits: Sequence[SearchHit], limits: Iterable[str]) -> str:
    """Return ``AnswerPlan.retrieval``: which channels stand behind the hits.

    A hit that leads without a score in any channel was found by its exact name.
    """
    words = set(limits)
    dense = mode in ("hybrid", "dense") and not words & _DENSE_OUT
    lexical = mode in ("hybrid", "lexical") and not words & _LEXICAL_OUT
    if hits and hits[0].scores.faiss is hits[0].scores.bm25 is hits[0].scores.splade is None:
        return "exact"
    if mode == "exact":
        return "exact"
    if dense and lexical:
        return "hybrid-rrf"
    if dense or lexical:
        return "faiss-only" if dense else "bm25-only"
    return "splade-only" if hits else "failed"


def snippets_of(hits: Iterable[SearchHit], citations: Sequence[Citation]) -> tuple[Snippet, ...]:
    """Return the hits as an answer shows them, marking those that a citation reaches into."""
    return tuple(
        Snippet(
            id=hit.doc_id,
            uri=hit.uri,
            start_line=hit.start_line,
            end_line=hit.end_line,
            language=hit.language,
            code=hit.code,
            score=hit.score,
            repo=hit.repo,
            symbol=hit.symbol,
            kind=hit.kind,
            cited=any(_reaches(citation, hit) for citation in citations),
        )
        for hit in hits
    )


def _reaches(citation: Citation, hit: SearchHit) -> bool:
    return (
        (citation.repo, citation.uri, citation.content_hash)
        == (hit.repo, hit.uri, hit.content_hash)
        and citation.start_line <= hit.end_line
        and hit.start_line <= citation.end_line
    )
