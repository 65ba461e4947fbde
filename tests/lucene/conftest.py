from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from codeintel_rev.app.compaction import compact_data_dir
from codeintel_rev.app.further_indexes import further_indexes
from codeintel_rev.app.local import LocalIndex, open_index
from codeintel_rev.config.settings import Settings, load_settings

FILES = {
    "auth.py": "class AuthMiddleware:\n    def check(self, token):\n        return token\n",
    "src/urls.py": "def parse_url(text):\n    '''Split an address.'''\n    return text.split('/')\n",
    "src/session.py": "def open_session(retries):\n    session = connect(retries)\n    return session\n",
    "punctuation.py": "()\n",
}


def quiet(*_: object) -> None:
    """Take progress and say nothing."""


@pytest.fixture(scope="session")
def settings() -> Settings:
    return load_settings({"BM25_ENGINE": "lucene"})


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.fixture
def compacted(repo: Path, settings: Settings) -> Path:
    """A repository whose words compaction has given to Lucene."""
    open_index(repo, settings=settings).close()
    compact_data_dir(repo / ".codeintel", progress=quiet, further=further_indexes(settings))
    return repo


@pytest.fixture
def index(compacted: Path, settings: Settings) -> Iterator[LocalIndex]:
    with open_index(compacted, settings=settings) as opened:
        yield opened


@pytest.fixture
def by_tantivy(compacted: Path, settings: Settings) -> Iterator[LocalIndex]:
    other = replace(settings, bm25=load_settings({}).bm25)
    with open_index(compacted, settings=other) as opened:
        yield opened
