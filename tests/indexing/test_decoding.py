"""Encodings that are read, and offsets that lead back to the file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeintel_rev.indexing.decoding import OriginalOffsets, decode_source


@pytest.mark.parametrize(
    ("data", "text", "encoding"),
    [
        (b"", "", "utf-8"),
        (b"plain", "plain", "utf-8"),
        ("naïve".encode(), "naïve", "utf-8"),
        (b"\xef\xbb\xbfx", "x", "utf-8"),
        (b"\xff\xfex\0", "x", "utf-16-le"),
        (b"\xfe\xff\0x", "x", "utf-16-be"),
        (b"caf\xe9 \x93", "café “", "cp1252"),
        (b"\x81\xff", "\x81ÿ", "latin-1"),
        (b"\xff\xfe\0", "ÿþ\0", "cp1252"),
    ],
)
def test_a_file_is_read_in_the_encoding_that_fits(data: bytes, text: str, encoding: str) -> None:
    source = decode_source(data)
    assert (source.utf8.decode(), source.encoding) == (text, encoding)


@given(st.text(), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]))
def test_every_character_is_found_back_in_the_file(text: str, encoding: str) -> None:
    data = text.encode(encoding, "ignore")
    source = decode_source(data)
    offsets = OriginalOffsets(source)
    position = start = 0
    for character in source.utf8.decode():
        begin = offsets.at(start)
        start += len(character.encode())
        position = offsets.at(start)
        assert data[begin:position].decode(source.encoding) == character
    assert position == len(data) or not source.utf8
