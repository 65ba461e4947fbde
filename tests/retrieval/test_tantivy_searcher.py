from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from codeintel_rev.retrieval.tantivy_searcher import TantivySearcher
from codeintel_rev.retrieval.tantivy_writer import LexicalDocument, TantivyWriter

TEXTS = (
    "parse url query string",
    "open session with retries",
    "session session pool",
    "render template",
)


@pytest.fixture
def searcher(tmp_path: Path) -> TantivySearcher:
    writer = TantivyWriter(tmp_path, bulk=False, create=True)
    writer.add(
        LexicalDocument(row, text, f"symbol{row}", f"src file{row}", "")
        for row, text in enumerate(TEXTS)
    )
    writer.commit()
    writer.close()
    return TantivySearcher(tmp_path, lambda term: 2.0)


def rows(searcher: TantivySearcher, *terms: str, mask: tuple[int, ...] = (1, 1, 1, 1)) -> list[int]:
    found, scores = searcher.search(terms, 10, np.array(mask, dtype=np.bool_))
    assert (np.diff(scores) <= 0).all()
    return found.tolist()


def test_the_chunk_with_the_words_comes_first(searcher: TantivySearcher) -> None:
    assert rows(searcher, "url", "query") == [0]
    assert rows(searcher, "session") == [2, 1]


def test_symbols_and_paths_are_searched_too(searcher: TantivySearcher) -> None:
    assert rows(searcher, "symbol3") == [3]
    assert rows(searcher, "file1") == [1]


def test_other_forms_of_a_word_count_less(searcher: TantivySearcher) -> None:
    assert rows(searcher, "templates") == [3]
    assert rows(searcher, "retry") == [1]
    mask = np.ones(4, dtype=np.bool_)
    own = searcher.search(["template"], 1, mask)[1][0]
    other = searcher.search(["parse", "templates"], 4, mask)[1]
    assert own > other[-1] > 0


def test_rows_outside_the_mask_are_not_seen(searcher: TantivySearcher) -> None:
    assert rows(searcher, "session", mask=(1, 1, 0, 1)) == [1]
    assert rows(searcher, "session", mask=(1, 1)) == [1]


@pytest.mark.parametrize("terms", [(), ("nowhere",)])
def test_unknown_words_find_nothing(searcher: TantivySearcher, terms: tuple[str, ...]) -> None:
    assert rows(searcher, *terms) == []


def test_the_title_of_a_text_counts_most(searcher: TantivySearcher) -> None:
    mask = np.ones(4, dtype=np.bool_)
    terms = ["render", "url"]
    for title, best in (("render", 3), ("url", 0)):
        found, _ = searcher.search(terms, 1, mask, [title])
        assert found.tolist() == [best]


def test_a_term_that_occurs_nowhere_counts_as_missing(searcher: TantivySearcher) -> None:
    mask = np.ones(4, dtype=np.bool_)
    whole = searcher.coverage(["url", "query"], mask)
    half = searcher.coverage(["url", "absent"], mask)
    assert half == pytest.approx(whole / 2, rel=0.01)
    assert searcher.coverage(["absent"], mask) == 0.0
    assert searcher.coverage(["url"], np.zeros(4, dtype=np.bool_)) == 0.0


def test_only_rows_from_the_first_one_on_are_looked_at(
    searcher: TantivySearcher, tmp_path: Path
) -> None:
    mask = np.ones(4, dtype=np.bool_)
    later = TantivySearcher(tmp_path, lambda term: 2.0, first_row=2)
    assert rows(later, "session") == [2]
    assert rows(later, "url") == []
    whole, part = (s.search(["session"], 1, mask)[1] for s in (searcher, later))
    assert part == pytest.approx(whole)
