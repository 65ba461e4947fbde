from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeintel_rev.errors import IndexDamaged
from codeintel_rev.io.packing import (
    Span,
    pack_bitmap,
    pack_spans,
    pack_text,
    span_of,
    unpack_bitmap,
    unpack_spans,
    unpack_text,
    unpack_text_and_doc,
)


@given(st.lists(st.booleans(), max_size=100))
def test_bitmaps_come_back_as_they_were(bits: list[bool]) -> None:
    live = np.array(bits, dtype=np.bool_)
    assert unpack_bitmap(pack_bitmap(live)).tolist() == bits


@pytest.mark.parametrize("text", ["", "def f():\n    return 'ü'\n", "\ud800 lone surrogate", "\0"])
def test_text_comes_back_as_it_was(text: str) -> None:
    assert unpack_text(pack_text(text)) == text
    assert unpack_text_and_doc(pack_text(text, "says\0 ü")) == (text, "says\0 ü")


def test_spans_keep_their_order_and_fields() -> None:
    spans = [Span(7, 1, 4, 0, 80), Span(3, 5, 9, 80, 200)]
    assert [Span(*row) for row in unpack_spans(pack_spans(spans)).tolist()] == spans
    assert unpack_spans(pack_spans([])).shape == (0, 5)


def test_the_span_of_a_row_is_found_whatever_else_has_its_bytes() -> None:
    spans = [Span(256, 7, 7, 7, 1792), Span(3, 7, 9, 1, 7), Span(7, 5, 9, 80, 200)]
    assert [span_of(pack_spans(spans), span.row) for span in spans] == spans
    assert span_of(pack_spans(spans), 1792) is None
    assert span_of(b"", 7) is None


def test_what_is_not_as_it_was_packed_is_told() -> None:
    text, bits = pack_text("def total():\n    return 1\n"), pack_bitmap(np.ones(9, dtype=np.bool_))
    flipped = text[:-1] + bytes([text[-1] ^ 1])
    longer = (2**60).to_bytes(8, "little") + bits[8:]
    for unpack, blob in ((unpack_text, flipped), (unpack_text, b""), (unpack_bitmap, longer)):
        with pytest.raises(IndexDamaged, match="the journal holds"):
            unpack(blob)
