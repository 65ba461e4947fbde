"""A short run of what ``python -m tests.faults.readers`` does for ten minutes."""

from __future__ import annotations

from pathlib import Path

from tests.faults.readers import play


def test_no_read_fails_or_is_wrong_while_the_index_changes(tmp_path: Path) -> None:
    report = play(tmp_path / "shop", count=2, seconds=5)
    assert report["failed"] == []
    assert report["wrong"] == []
    assert report["reads"] > 0
    assert report["compactions"] > 0
