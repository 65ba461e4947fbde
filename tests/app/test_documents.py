"""The documents hold exactly the promised fields, and survive JSON as they are."""

from __future__ import annotations

import json

import msgspec

from codeintel_rev.app.documents import (
    answer_document,
    error_document,
    report_document,
    search_document,
)
from codeintel_rev.errors import BadGlob
from codeintel_rev.types import (
    AnswerEnvelope,
    ChannelScores,
    Citation,
    IndexReport,
    SearchHit,
    SearchResult,
    Snippet,
)

BIG = 2**63 - 1
HIT = SearchHit(
    doc_id=BIG,
    score=0.5,
    repo="web",
    ref="main",
    commit="c0ffee",
    uri="src/a.py",
    start_line=1,
    end_line=2,
    language="python",
    symbol="f",
    kind="function",
    code="def f():\n    pass",
    content_hash="ab",
    scores=ChannelScores(bm25=7.0, rrf=0.016),
)


def test_a_search_document_has_the_promised_fields() -> None:
    document = search_document(SearchResult("f", (HIT,), took_ms=1.5))
    assert document == {
        "query": "f",
        "hits": [
            {
                "id": "9223372036854775807",
                "repo": "web",
                "ref": "main",
                "commit": "c0ffee",
                "uri": "src/a.py",
                "start_line": 1,
                "end_line": 2,
                "lang": "python",
                "symbol": "f",
                "kind": "function",
                "score": 0.5,
                "scores": {
                    "faiss": None,
                    "bm25": 7.0,
                    "splade": None,
                    "rrf": 0.016,
                    "rerank": None,
                },
                "stale": False,
                "content_hash": "ab",
                "content": "def f():\n    pass",
            }
        ],
        "limits": [],
        "took_ms": 1.5,
    }
    assert json.loads(msgspec.json.encode(document)) == document


def test_optional_fields_appear_only_when_there_is_something_in_them() -> None:
    explained = SearchHit(doc_id=1, score=1.0, explain={"exact": True}, locations=({"ref": "dev"},))
    document = search_document(SearchResult("f", (explained,), total=12))
    assert document["total"] == 12
    assert document["hits"][0]["explain"] == {"exact": True}
    assert document["hits"][0]["locations"] == [{"ref": "dev"}]


def test_an_answer_document_has_the_promised_fields() -> None:
    envelope = AnswerEnvelope(
        query="what is f?",
        answer="f does nothing (src/a.py:1-2).",
        snippets=(Snippet(BIG, "src/a.py", 1, 2, "python", "def f(): ...", 0.5, cited=True),),
        citations=(Citation(1, "src/a.py", 1, 2, snippet_id=BIG, verified=True),),
        limits=("stale_index",),
        confidence=0.5,
    )
    document = answer_document(envelope)
    assert set(document) == {
        *("query", "answer", "snippets", "citations", "plan", "limits"),
        *("confidence", "low_confidence", "trace_id"),
    }
    assert set(document["snippets"][0]) == {
        *("id", "repo", "uri", "start_line", "end_line", "language", "code", "score", "cited"),
    }
    assert set(document["citations"][0]) == {
        *("n", "repo", "uri", "start_line", "end_line", "language", "commit", "content_hash"),
        *("snippet_id", "verified"),
    }
    assert set(document["plan"]) == {
        *("retrieval", "synthesizer", "k_faiss", "k_bm25", "nprobe", "rerank_k", "synth_tokens"),
    }
    assert document["snippets"][0]["id"] == document["citations"][0]["snippet_id"] == str(BIG)
    assert json.loads(msgspec.json.encode(document)) == document


def test_a_report_document_has_the_fields_of_the_report() -> None:
    document = report_document(IndexReport(repos=[{"name": "web", "sequence": 3}], added=2))
    assert document["repos"] == [{"name": "web", "sequence": 3}]
    assert document["added"] == 2
    assert {"changed", "removed", "unchanged", "skipped", "seconds"} <= set(document)


def test_an_error_document_says_what_which_and_what_to_do() -> None:
    error = BadGlob("the glob '[' cannot be read", hint="close the bracket", value="[")
    assert error_document(error) == {
        "error": {
            "code": "bad_glob",
            "message": "the glob '[' cannot be read",
            "hint": "close the bracket",
            "value": "[",
        }
    }
