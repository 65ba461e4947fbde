from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator

import pytest

from codeintel_rev.observability.log_lines import LogLines

Pipe = tuple[int, int]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    """The two ends of a pipe that holds one page."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    yield reading, writing
    os.close(reading)
    os.close(writing)


def told_lost(count: int) -> str:
    return f"{count} lost"


def read_until(reading: int, last: str) -> list[str]:
    data = b""
    while not data.endswith(f"{last}\n".encode()):
        data += os.read(reading, 65536)
    return data.decode().splitlines()


def test_lines_are_written_in_their_order(pipe: Pipe) -> None:
    lines = LogLines(told_lost, pipe[1])
    assert all(lines.put(f"line {number}") for number in range(3))
    lines.put("\ud800 no text")
    lines.close()
    assert read_until(pipe[0], "no text") == ["line 0", "line 1", "line 2", r"\ud800 no text"]


def test_what_nobody_reads_is_left_out_and_counted(pipe: Pipe) -> None:
    reading, writing = pipe
    lines = LogLines(told_lost, writing, capacity=100)
    # forty fit into the pipe, a hundred are being written, and a hundred wait
    kept = [number for number in range(1000) if lines.put(f"{number:0100}")]
    assert len(kept) < 250
    told = read_until(reading, f"{kept[-1]:0100}")
    assert lines.put("the last")
    lines.close()
    told += read_until(reading, "the last")
    lost = [int(line.removesuffix(" lost")) for line in told if line.endswith(" lost")]
    assert len(told) == len(kept) + len(lost) + 1
    assert sum(lost) == 1000 - len(kept)


def test_ending_does_not_wait_for_a_reader(pipe: Pipe) -> None:
    lines = LogLines(told_lost, pipe[1])
    for number in range(100):
        lines.put(f"{number:0100}")
    lines.close()
    read_until(pipe[0], f"{99:0100}")  # the thread ends before its pipe does


def test_a_log_that_was_closed_costs_nothing(pipe: Pipe) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    lines = LogLines(told_lost, writing)
    lines.put("to nobody")
    lines.close()
    os.close(writing)
