"""The JSON documents that every surface returns; ids are strings, for JavaScript rounds them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from codeintel_rev.errors import CodeIntelError
from codeintel_rev.types import (
    AnswerEnvelope,
    Citation,
    IndexReport,
    SearchHit,
    SearchResult,
    Snippet,
    StatusReport,
)

Document = dict[str, Any]


def search_document(result: SearchResult) -> Document:
    """Return the document of a search."""
    document: Document = {
        "query": result.query,
        "hits": [hit_document(hit) for hit in result.hits],
        "limits": list(result.limits),
        "took_ms": result.took_ms,
    }
    if result.total is not None:
        document["total"] = result.total
    return document


def hit_document(hit: SearchHit) -> Document:
    """Return the document of one hit; ``locations`` and ``explain`` only where there are any."""
    scores = hit.scores
    document: Document = {
        "id": str(hit.doc_id),
        "repo": hit.repo,
        "ref": hit.ref,
        "commit": hit.commit,
        "uri": hit.uri,
        "start_line": hit.start_line,
        "end_line": hit.end_line,
        "lang": hit.language,
        "symbol": hit.symbol,
        "kind": hit.kind,
        "score": hit.score,
        "scores": {
            "faiss": scores.faiss,
            "bm25": scores.bm25,
            "splade": scores.splade,
            "rrf": scores.rrf,
            "rerank": scores.rerank,
        },
        "stale": hit.stale,
        "content_hash": hit.content_hash,
        "content": hit.code,
    }
    if hit.column is not None:
        document |= {"column": hit.column, "end_column": hit.end_column}
    if hit.locations:
        document["locations"] = list(hit.locations)
    if hit.explain is not None:
        document["explain"] = hit.explain
    return document


def answer_document(envelope: AnswerEnvelope) -> Document:
    """Return the document of an answer."""
    return {
        "query": envelope.query,
        "answer": envelope.answer,
        "snippets": [snippet_document(snippet) for snippet in envelope.snippets],
        "citations": [citation_document(citation) for citation in envelope.citations],
        "plan": asdict(envelope.plan),
        "limits": list(envelope.limits),
        "confidence": envelope.confidence,
        "low_confidence": envelope.low_confidence,
        "trace_id": envelope.trace_id,
    }


def snippet_document(snippet: Snippet) -> Document:
    """Return the document of a snippet."""
    return {
        "id": str(snippet.id),
        "repo": snippet.repo,
        "uri": snippet.uri,
        "start_line": snippet.start_line,
        "end_line": snippet.end_line,
        "language": snippet.language,
        "code": snippet.code,
        "score": snippet.score,
        "cited": snippet.cited,
    }


def citation_document(citation: Citation) -> Document:
    """Return the document of a citation."""
    return {
        "n": citation.n,
        "repo": citation.repo,
        "uri": citation.uri,
        "start_line": citation.start_line,
        "end_line": citation.end_line,
        "language": citation.language,
        "commit": citation.commit,
        "content_hash": citation.content_hash,
        "snippet_id": str(citation.snippet_id),
        "verified": citation.verified,
    }


def report_document(report: IndexReport | StatusReport) -> Document:
    """Return the document of ``index`` or ``status``."""
    return {name: getattr(report, name) for name in report.__struct_fields__}


def error_document(error: CodeIntelError) -> Document:
    """Return the document of a failure."""
    return {
        "error": {
            "code": error.code,
            "message": error.message,
            "hint": error.hint,
            "value": error.value,
        }
    }
