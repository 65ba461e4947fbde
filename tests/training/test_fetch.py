"""What is told of packages that could not be fetched."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.fetch import NOT_FETCHED, check, missing, settled

LOG = f"""\
pypi\ta\tkept\tMIT
pypi\tb\tdropped\tGPL-3
npm\tc\tdropped\t{NOT_FETCHED}: CalledProcessError
npm\td\tkept\tISC
debsrc\te\tdropped\t{NOT_FETCHED}: CalledProcessError
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "licences.tsv"
    path.write_text(LOG)
    return path


def test_what_could_not_be_had_is_counted_and_tried_again(log: Path) -> None:
    assert missing(log) == {"pypi": (0, 2), "npm": (1, 2), "debsrc": (1, 1)}
    assert settled(log) == {("pypi", "a"), ("pypi", "b"), ("npm", "d")}


def test_a_registry_that_gives_nothing_ends_the_build(
    log: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="nothing came from debsrc: add deb-src"):
        check(log)
    assert "npm: 1 of 2 packages could not be had" in capsys.readouterr().out


def test_what_came_at_the_second_try_is_not_missing(log: Path) -> None:
    log.write_text(f"{LOG}debsrc\te\tkept\tMIT\nnpm\tc\tkept\tMIT\n")
    assert missing(log) == {"pypi": (0, 2), "npm": (0, 2), "debsrc": (0, 1)}
    check(log)
