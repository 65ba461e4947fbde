"""SPLADE as a channel of an index of code, with a small model made for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from codeintel_rev.app.compaction import compact_data_dir
from codeintel_rev.app.further_indexes import further_indexes
from codeintel_rev.app.local import LocalIndex, open_index
from codeintel_rev.app.local_answers import LocalAnswerContext, StagedRetriever
from codeintel_rev.config.settings import Settings, load_settings
from codeintel_rev.errors import IndexDamaged
from codeintel_rev.retrieval.fusion import fuse_hits
from tests.fakes.splade_model import make_splade

WORDS = ("def", "socket", "peer", "render", "template", "network", "self", "return")
FILES = {
    "wire.py": "def open_socket(peer):\n    return socket(peer)\n",
    "page.py": "def render_template(name):\n    return template(name)\n",
}


def quiet(*_: object) -> None:
    """Take progress and say nothing."""


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    (tmp_path / "code").mkdir()
    for name, text in FILES.items():
        (tmp_path / "code" / name).write_text(text)
    return tmp_path / "code"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    model = make_splade(tmp_path / "model", WORDS, {"socket": "network"})
    return load_settings({"SPLADE_MODEL": str(model)})


@pytest.fixture
def index(repo: Path, settings: Settings) -> Iterator[LocalIndex]:
    open_index(repo, settings=settings).close()
    compact_data_dir(repo / ".codeintel", progress=quiet, further=further_indexes(settings))
    with open_index(repo, settings=settings) as opened:
        yield opened


def scores(index: LocalIndex, query: str) -> dict[str, float | None]:
    return {hit.uri: hit.scores.splade for hit in index.search(query).hits}


def test_a_term_that_is_only_implied_finds_its_chunk(index: LocalIndex) -> None:
    found = scores(index, "network")
    assert found["wire.py"] is not None
    assert found.get("page.py") is None


def test_other_modes_leave_it_out(index: LocalIndex) -> None:
    for mode in ("lexical", "dense", "exact"):
        hits = index.search("network socket", mode=mode).hits  # type: ignore[arg-type]
        assert {hit.scores.splade for hit in hits} <= {None}


def test_stage_by_stage_it_is_a_channel_too(index: LocalIndex) -> None:
    retriever = LocalAnswerContext.of(index).sparse
    assert retriever is not None
    found = retriever.retrieve_sparse("network", None, 5)
    assert [hit.source for hit in found] == ["splade"]
    (hit,) = StagedRetriever(index).finish("network", fuse_hits({"splade": found}), None, 5)
    assert (hit.uri, hit.scores.splade) == ("wire.py", found[0].score)


def test_what_came_later_is_found_by_the_other_channels(
    index: LocalIndex, repo: Path, settings: Settings
) -> None:
    (repo / "later.py").write_text("def close_socket(peer):\n    return socket(peer)\n")
    with open_index(repo, settings=settings) as refreshed:
        found = scores(refreshed, "close the socket of a peer")
    assert found["later.py"] is None
    assert found["wire.py"] is not None


def test_vectors_of_another_model_are_not_used(
    index: LocalIndex, repo: Path, tmp_path: Path
) -> None:
    other = make_splade(tmp_path / "other", WORDS, {"render": "network"})
    with open_index(repo, settings=load_settings({"SPLADE_MODEL": str(other)})) as opened:
        assert set(scores(opened, "network socket").values()) <= {None}


def test_damaged_vectors_cost_their_channel_only(
    index: LocalIndex, repo: Path, settings: Settings
) -> None:
    for path in (repo / ".codeintel").glob("repos/*/catalog/*/splade/rows.npy"):
        path.write_bytes(b"nothing")
    with open_index(repo, settings=settings) as opened:
        assert scores(opened, "open a socket")["wire.py"] is None


def test_a_model_that_is_not_there_is_told(repo: Path, tmp_path: Path) -> None:
    settings = load_settings({"SPLADE_MODEL": str(tmp_path / "nowhere")})
    with pytest.raises(IndexDamaged, match="nowhere"):
        open_index(repo, settings=settings)
