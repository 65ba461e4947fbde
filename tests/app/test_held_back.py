"""What a search says held it back."""

from __future__ import annotations

from pathlib import Path

import pytest

from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.app.local import LocalIndex, open_index
from codeintel_rev.types import Mode, Scope

from .conftest import write

WORDS = [
    f"{first}{second}" for first in ("alpha", "beta", "gamma", "delta") for second in "abcdefg"
]


@pytest.fixture
def two(history: Path, tmp_path: Path) -> Path:
    """The data directory of ``shop``, with its branch ``dev``, and of ``other``, without one."""
    write(tmp_path / "other", "b.py", "def total_price(basket):\n    return 1\n")
    data = tmp_path / "data"
    index_repositories([history], data_dir=data, refs=["dev"])
    index_repositories([tmp_path / "other"], data_dir=data)
    return data


def limits(index: LocalIndex, query: str, scope: Scope | None = None, mode: Mode = "hybrid") -> str:
    return " ".join(index.search(query, scope=scope, mode=mode).limits)


def test_a_repository_that_lacks_the_branch_is_told_where_it_was_named(two: Path) -> None:
    with open_index(data_dir=two, refresh=False) as index:
        named = Scope(repos=["shop", "other"], branches=["dev"])
        assert limits(index, "total_price", named) == "scope_reduced"
        assert limits(index, "total_price", Scope(branches=["dev"])) == ""
        assert limits(index, "total_price", Scope(repos=["shop"], branches=["dev"])) == ""
        assert limits(index, "total_price", Scope(include_globs=["*.c"])) == "scope_empty"


def test_a_query_of_which_some_words_are_looked_up_says_so(two: Path) -> None:
    pasted = " ".join(WORDS)
    with open_index(data_dir=two, refresh=False) as index:
        assert limits(index, pasted) == "query_trimmed"
        assert limits(index, pasted, mode="lexical") == "query_trimmed"
        assert limits(index, pasted, mode="dense") == ""
        assert limits(index, " ".join(WORDS[:20] * 3)) == ""
