from __future__ import annotations

from codeintel_rev.retrieval.candidate import Candidate
from codeintel_rev.retrieval.hybrid import exact_first
from codeintel_rev.retrieval.ranking import Ranked
from codeintel_rev.types import ChunkHead


def ranked(number: int, symbol: str, kind: str, *, is_named: bool) -> Ranked:
    head = ChunkHead(number, number, f"src/m{number}.py", "python", kind, symbol)
    return Ranked(Candidate(head, is_named=is_named), 1.0 - number / 10, [], 0.0, 0.0)


def test_what_is_called_so_stands_first_and_types_before_methods() -> None:
    found = [
        ranked(1, "use_router", "function", is_named=False),
        ranked(2, "App.Router", "method", is_named=True),
        ranked(3, "Router", "class", is_named=True),
    ]
    assert [item.candidate.head.id for item in exact_first(found, "Router")] == [3, 2, 1]


def test_what_only_sounds_like_the_name_is_not_lifted() -> None:
    found = [
        ranked(1, "Plug.Conn", "module", is_named=False),
        ranked(2, "Plug.Test.conn", "function", is_named=True),
    ]
    assert [item.candidate.head.id for item in exact_first(found, "Conn")] == [1, 2]


def test_a_chunk_that_defines_the_name_among_others_stands_first() -> None:
    found = [ranked(1, "f", "function", is_named=False), ranked(2, "", "block", is_named=True)]
    assert [item.candidate.head.id for item in exact_first(found, "LIMIT")] == [2, 1]


def test_quotations_stand_first_whatever_holds_them() -> None:
    found = [
        ranked(1, "f", "function", is_named=False),
        ranked(2, "g", "function", is_named=True),
        ranked(3, "", "lines", is_named=True),
    ]
    assert [item.candidate.head.id for item in exact_first(found, None)] == [2, 3, 1]
