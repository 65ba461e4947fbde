from __future__ import annotations

from codeintel_rev.retrieval.explanation import explained
from codeintel_rev.retrieval.ranking import rank
from codeintel_rev.retrieval.signals import query_facts
from codeintel_rev.types import ChunkHead
from tests.fakes.candidates import candidates_of


def test_each_channel_and_each_signal_says_what_it_did() -> None:
    test = ChunkHead(7, 7, "tests/test_url.py", "python", "function", "parse_url")
    other = ChunkHead(8, 8, "src/url.py", "python", "lines", "")
    found = candidates_of([test, other], dense=[0.5, 0.25], words=[12.0, 0.0])
    by_row = {item.row: item for item in rank(query_facts(["parse"]), found).best()}
    told = explained(by_row[7], {8: 0.6, 7: 0.5}, {7: 12.0})
    assert told["meaning"] == {"cosine": 0.5, "rank": 2}
    assert told["words"] == {"bm25": 12.0, "rank": 1}
    assert told["match"] == 1.0
    assert told["effects"] == {"definition": "+0.050", "test_path": "x0.50", "file": "+0.200"}
    assert "repository" not in told
    assert explained(by_row[8], {8: 0.6}, {7: 12.0})["words"] == {"bm25": 0.0, "rank": None}
    assert explained(by_row[8]._replace(strength=0.5), {}, {})["repository"] == 0.5
