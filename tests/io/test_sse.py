from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeintel_rev.errors import Unavailable
from codeintel_rev.io.sse import ServerEvent, SSEParser


def parse(*chunks: bytes) -> list[ServerEvent]:
    parser = SSEParser()
    events = [event for chunk in chunks for event in parser.feed(chunk)]
    return events + parser.close()


@pytest.mark.parametrize(
    ("stream", "data"),
    [
        (b"data: a\n\ndata: b\n\n", ["a", "b"]),
        (b"data:a\r\n\r\ndata: b\r\r", ["a", "b"]),
        (b": hello\n\ndata: a\n: again\ndata: b\n\n", ["a\nb"]),
        (b"\xef\xbb\xbfdata: a\n\n", ["a"]),
        (b"id: 1\nretry: 5\nevent: x\n\n", []),
        (b"data: a\n\ndata: unfinished", ["a", "unfinished"]),
        (b"data\n\n", [""]),
        (b"\n\n\n", []),
    ],
)
def test_a_stream_is_read_as_the_standard_says(stream: bytes, data: list[str]) -> None:
    assert [event.data for event in parse(stream)] == data


def test_an_event_has_its_name() -> None:
    assert parse(b"event: error\ndata: x\n\ndata: y\n\n") == [
        ServerEvent("x", "error"),
        ServerEvent("y"),
    ]


@given(
    st.lists(
        st.sampled_from(["data: é\n", "data:x\r\n", "\r\n", "\n", "\r", ": c\n", "event: e\n"])
    ),
    st.lists(st.integers(0, 200), max_size=8),
)
def test_where_the_bytes_are_split_does_not_matter(lines: list[str], cuts: list[int]) -> None:
    stream = "".join(lines).encode()
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    pieces = [stream[a:b] for a, b in pairwise(edges)]
    assert parse(*pieces) == parse(stream)


@given(st.binary())
def test_no_bytes_break_it(stream: bytes) -> None:
    parse(stream)


@pytest.mark.parametrize("line", [b"data: " + b"x" * 100, b"x" * 100, b"data: xxxxxxxx\n" * 20])
def test_an_endless_event_is_refused(line: bytes) -> None:
    with pytest.raises(Unavailable, match="passes 64 bytes"):
        SSEParser(max_event_bytes=64).feed(line)
