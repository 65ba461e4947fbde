from __future__ import annotations

from codeintel_rev.retrieval.hybrid import called
from codeintel_rev.types import ChunkHead


def head(number: int, symbol: str, kind: str) -> ChunkHead:
    return ChunkHead(number, number, f"src/m{number}.py", "python", kind, symbol)


def test_what_is_called_so_is_meant() -> None:
    exact = [head(2, "App.Router", "method"), head(3, "Router", "class"), head(4, "", "block")]
    assert called(exact, "Router") == [2, 3]


def test_what_only_sounds_like_the_name_is_not_meant() -> None:
    assert called([head(2, "Plug.Test.conn", "function")], "Conn") == []


def test_a_chunk_that_defines_the_name_among_others_is_meant() -> None:
    assert called([head(2, "", "block")], "LIMIT") == [2]
