"""Citations are checked against the record, and against the files when that is asked."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import codeintel_rev
from codeintel_rev.app.answer_sources import JournalSources
from codeintel_rev.app.local import LocalIndex
from codeintel_rev.types import SearchHit

CODE = 'def load(path):\n    """Read a file."""\n    return path.read_text()\n'


@pytest.fixture
def index(tmp_path: Path) -> Iterator[LocalIndex]:
    (tmp_path / "files.py").write_text(CODE)
    with codeintel_rev.open(tmp_path) as opened:
        yield opened


def hit_of(index: LocalIndex) -> SearchHit:
    (hit,) = index.search("load a file", limit=1).hits
    return hit


def test_the_record_vouches_for_its_version_and_tells_what_is_defined(index: LocalIndex) -> None:
    hit = hit_of(index)

    found = JournalSources(index).look_up([hit], None, present=False)

    assert found.standing == {hit.doc_id}
    assert [(s.qualname, s.doc) for s in found.symbols[hit.doc_id]] == [("load", "Read a file.")]
    assert set(found.sequences) == set(found.generations) == {hit.repo}


def test_a_version_that_was_never_recorded_does_not_stand(index: LocalIndex) -> None:
    forged = replace(hit_of(index), content_hash="00" * 16)

    found = JournalSources(index).look_up([forged], None, present=False)

    assert (found.standing, found.symbols) == (frozenset(), {})


def test_the_files_have_the_last_word_when_they_are_asked(
    index: LocalIndex, tmp_path: Path
) -> None:
    hit, sources = hit_of(index), JournalSources(index)
    assert sources.look_up([hit], None, present=True).standing == {hit.doc_id}

    (tmp_path / "files.py").write_text("gone = True\n")

    assert sources.look_up([hit], None, present=True).standing == frozenset()
    assert sources.look_up([hit], None, present=False).standing == {hit.doc_id}


def test_a_link_out_of_the_repository_is_not_followed(index: LocalIndex, tmp_path: Path) -> None:
    hit = hit_of(index)
    outside = tmp_path.parent / f"{tmp_path.name}-outside.py"
    outside.write_text(CODE)
    (tmp_path / "files.py").unlink()
    (tmp_path / "files.py").symlink_to(outside)

    assert JournalSources(index).look_up([hit], None, present=True).standing == frozenset()
