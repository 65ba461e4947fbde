"""Where a chunk stands in the bytes that its file holds now."""

from __future__ import annotations

import pytest

from codeintel_rev.app.freshness import Standing, found_in, line_of
from codeintel_rev.indexing.prepare import content_hash

CHUNK = "def f():\n    return 1\n"


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (CHUNK.encode(), 1),
        (b"# one\n\n" + CHUNK.encode(), 3),
        (b"\xef\xbb\xbf# mark\n" + CHUNK.encode(), 2),
        (("# caf\u00e9\n" + CHUNK).encode("utf-16"), 2),
        (b"# caf\xe9\n" + CHUNK.encode(), 2),
        ((CHUNK + "\n" + CHUNK).encode(), None),
        (b"async " + CHUNK.encode(), None),
        (b"", None),
    ],
)
def test_a_text_is_found_where_it_stands_once(data: bytes, line: int | None) -> None:
    assert line_of(data, CHUNK) == line


def test_white_space_is_found_nowhere() -> None:
    assert line_of(b"a\n\n\nb\n", "\n") is None


def test_unchanged_bytes_leave_a_hit_as_it_is() -> None:
    data = CHUNK.encode()
    indexed = Standing(1, 2, content_hash(data).hex(), stale=False)
    assert found_in(data, CHUNK, indexed) == indexed


def test_a_moved_text_gets_its_present_lines_and_hash() -> None:
    data = b"# one\n" + CHUNK.encode()
    found = found_in(data, CHUNK, Standing(1, 2, "old", stale=False))
    assert found == Standing(2, 3, content_hash(data).hex(), stale=False)


def test_a_text_that_is_gone_is_stale_at_its_old_lines() -> None:
    found = found_in(b"pass\n", CHUNK, Standing(1, 2, "old", stale=False))
    assert found == Standing(1, 2, "old", stale=True)
