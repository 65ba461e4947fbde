"""Which engine searches words, where Lucene is not installed."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from codeintel_rev.app.compaction import compact_data_dir
from codeintel_rev.app.local import open_index
from codeintel_rev.config.settings import load_settings
from codeintel_rev.errors import IndexMissing, Unavailable
from codeintel_rev.indexing.generation_words import LuceneIndexer
from codeintel_rev.retrieval.lucene_index import LuceneIndex


def quiet(*_: object) -> None:
    """Take progress and say nothing."""


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    (tmp_path / "urls.py").write_text("def parse_url(text):\n    return text.split('/')\n")
    open_index(tmp_path, settings=load_settings({})).close()
    return tmp_path


def test_words_can_be_left_out(repo: Path) -> None:
    with open_index(repo, settings=load_settings({"BM25_ENABLED": "false"})) as index:
        result = index.search("parse url")
        assert [hit.scores.bm25 for hit in result.hits] == [None]
        assert result.limits == ()
        assert index.opened[0].words_health() == "nothing"
        assert index.search("parse url", mode="lexical").hits == ()


def test_tantivy_stands_in_for_a_lucene_that_is_not_there(repo: Path) -> None:
    with open_index(repo, settings=load_settings({"BM25_ENGINE": "lucene"})) as index:
        assert index.search("parse url", mode="lexical").hits[0].uri == "urls.py"
        with pytest.raises(Unavailable, match="no Lucene index"):
            index.opened[0].words_health()


def test_a_folder_without_a_lucene_index_is_told(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing, match="holds no Lucene index"):
        LuceneIndex(tmp_path)


@pytest.mark.skipif(find_spec("pyserini") is not None, reason="the extra `lucene` is installed")
def test_compaction_for_lucene_says_what_to_install(repo: Path) -> None:
    with pytest.raises(Unavailable, match="pyserini") as raised:
        compact_data_dir(repo / ".codeintel", progress=quiet, further=[LuceneIndexer()])
    assert "[lucene]" in raised.value.hint
    assert not list((repo / ".codeintel").glob("repos/*/catalog/*"))
