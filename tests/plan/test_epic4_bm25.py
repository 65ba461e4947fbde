"""The plan's test of Lucene's BM25; `make test-lucene` runs it."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from codeintel_rev.app.bm25_export import export
from codeintel_rev.app.local import open_index
from codeintel_rev.config.settings import load_settings
from codeintel_rev.retrieval.bm25_searcher import BM25Searcher

pytestmark = pytest.mark.skipif(
    find_spec("pyserini") is None, reason="the extra `lucene` is not installed"
)


@pytest.fixture
def lucene_index_dir(tmp_path: Path) -> Path:
    """A Lucene index of a small repository."""
    (tmp_path / "auth.py").write_text("class AuthMiddleware:\n    '''Checks who calls.'''\n")
    (tmp_path / "urls.py").write_text("def parse_url(text):\n    return text.split('/')\n")
    open_index(tmp_path, settings=load_settings({})).close()
    export(tmp_path / ".codeintel", tmp_path / "indexes" / "lucene")
    return tmp_path / "indexes" / "lucene"


def test_bm25_search(lucene_index_dir):
    searcher = BM25Searcher(lucene_index_dir)
    hits = searcher.search("AuthMiddleware class", k=10)

    assert len(hits) <= 10
    assert all(isinstance(h.doc_id, int) for h in hits)
    assert all(h.score > 0 for h in hits)
    assert hits
