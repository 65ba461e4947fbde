"""A Lucene index that stands alone; `make test-lucene` runs these."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from codeintel_rev.app.local import LocalIndex
from codeintel_rev.errors import IndexMissing, InvalidArgument
from codeintel_rev.retrieval.bm25_searcher import BM25Searcher

pytestmark = [pytest.mark.lucene, pytest.mark.timeout(600)]  # Java starts late on a busy machine

SCRIPT = Path(__file__).parents[2] / "scripts" / "build_bm25_index.sh"


def build(repo: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHON": sys.executable}
    return subprocess.run(
        [str(SCRIPT), *arguments], cwd=repo, env=env, capture_output=True, text=True, check=False
    )


def test_the_script_builds_what_the_searcher_opens(index: LocalIndex, compacted: Path) -> None:
    for _ in range(2):  # the second replaces the first
        done = build(compacted)
        assert done.returncode == 0, done.stderr
    searcher = BM25Searcher(compacted / "indexes" / "lucene")
    try:
        (best,) = index.search("parse url", mode="lexical", limit=1).hits
        hits = searcher.search("how to parse an url?", k=3)
        assert hits[0].doc_id == best.doc_id
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
        assert searcher.search("nowhere_at_all") == searcher.search("") == []
        assert searcher.health() == f"Lucene, {index.status().chunks} documents"
        with pytest.raises(InvalidArgument, match="k is 0"):
            searcher.search("url", k=0)
    finally:
        searcher.close()


def test_more_weight_on_repetition_changes_scores(compacted: Path) -> None:
    folder = compacted / "other"
    assert build(compacted, ".codeintel", str(folder)).returncode == 0
    plain, flat = BM25Searcher(folder), BM25Searcher(folder, k1=0.0, b=0.0)
    assert plain.search("session")[0].score != flat.search("session")[0].score


def test_threads_share_an_index(compacted: Path) -> None:
    folder = compacted / "shared"
    assert build(compacted, ".codeintel", str(folder)).returncode == 0
    searcher = BM25Searcher(folder)
    queries = ["session", "parse url", "token", "AuthMiddleware"] * 25
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(searcher.search, queries))
    assert together == [searcher.search(query) for query in queries]
    searcher.close()


def test_a_folder_that_is_no_index_is_left_alone(compacted: Path) -> None:
    done = build(compacted, ".codeintel", "src")
    assert done.returncode == 1
    assert "src is no Lucene index" in done.stderr
    assert (compacted / "src" / "urls.py").exists()
    assert "auth.py is no Lucene index" in build(compacted, ".codeintel", "auth.py").stderr
    assert build(compacted, "--help").stderr.startswith("usage: ")
    assert "hint: run `codeintel index`" in build(compacted, "src").stderr
    with pytest.raises(IndexMissing):
        BM25Searcher(compacted / "src")
