"""SPLADE as a channel of an index of code, with a small model made for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codeintel_rev.app.compaction import compact_data_dir
from codeintel_rev.app.config_context import ApplicationContext
from codeintel_rev.app.doctor import Finding, examine, repair
from codeintel_rev.app.further_indexes import further_indexes
from codeintel_rev.app.local import LocalIndex, open_index
from codeintel_rev.app.local_answers import LocalAnswerContext, StagedRetriever
from codeintel_rev.app.readiness import ReadinessProbe
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


async def test_readiness_tells_when_it_cannot_serve(
    index: LocalIndex, repo: Path, settings: Settings
) -> None:
    served = replace(settings, data_dir=repo / ".codeintel")

    async def readiness() -> Any:
        context = await ApplicationContext.create(served)
        try:
            return await ReadinessProbe(context).check()
        finally:
            await context.close()

    found = await readiness()
    assert found["mode"] == "ready"
    assert found["checks"]["splade"]["detail"].startswith("splade-")
    (manifest,) = (repo / ".codeintel").glob("repos/*/catalog/*/splade.manifest.json")
    manifest.unlink()
    found = await readiness()
    assert (found["ready"], found["mode"]) == (True, "degraded")
    assert found["detail"] == "splade: no sparse vectors can be used"


def checked(repo: Path, settings: Settings) -> Finding:
    """Return what the doctor finds of the sparse vectors."""
    (found,) = (f for f in examine(repo / ".codeintel", settings).checks if "splade" in f.name)
    return found


def test_the_doctor_counts_what_is_held(index: LocalIndex, repo: Path, settings: Settings) -> None:
    (repo / "later.py").write_text("def close_socket(peer):\n    return socket(peer)\n")
    open_index(repo, settings=settings).close()
    found = checked(repo, settings)
    assert found.ok
    assert found.detail.startswith("2 chunks, 1 came since, ")
    assert "splade" not in " ".join(f.name for f in examine(repo / ".codeintel").checks)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda folder: (folder / "splade" / "rows.npy").write_bytes(b"no"), "cannot be read"),
        (lambda folder: shorten(folder / "splade"), "postings are there"),
        (lambda folder: (folder / "splade.manifest.json").write_bytes(b"{}"), "cannot be read"),
        (lambda folder: (folder / "splade.manifest.json").unlink(), "built none"),
        (lambda folder: claim(folder, chunks=1), "1 chunks are held, 2 are live"),
        (lambda folder: claim(folder, fingerprint="other"), "those of other"),
        (lambda folder: claim(folder, end_row=0), "not below 0"),
    ],
)
def test_the_doctor_finds_and_mends_damaged_vectors(
    index: LocalIndex,
    repo: Path,
    settings: Settings,
    damage: Callable[[Path], object],
    told: str,
) -> None:
    (folder,) = (repo / ".codeintel").glob("repos/*/catalog/*")
    damage(folder)
    found = checked(repo, settings)
    assert not found.ok
    assert told in found.detail
    assert found.fix == "codeintel doctor --repair"
    assert repair(repo / ".codeintel", settings, quiet).ok


def test_the_doctor_tells_of_a_model_that_is_gone(
    index: LocalIndex, repo: Path, tmp_path: Path
) -> None:
    found = checked(repo, load_settings({"SPLADE_MODEL": str(tmp_path / "nowhere")}))
    assert not found.ok
    assert "nowhere" in found.detail
    assert "SPLADE_MODEL" in found.fix


def shorten(folder: Path) -> None:
    """Take the last posting away, from every file alike."""
    offsets = np.load(folder / "offsets.npy")
    rows, impacts = np.load(folder / "rows.npy"), np.load(folder / "impacts.npy")
    np.save(folder / "offsets.npy", np.minimum(offsets, len(rows) - 1))
    np.save(folder / "rows.npy", rows[:-1])
    np.save(folder / "impacts.npy", impacts[:-1])


def claim(folder: Path, **facts: object) -> None:
    """Let the manifest say something else."""
    path = folder / "splade.manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | facts))


def test_a_model_that_is_not_there_is_told(repo: Path, tmp_path: Path) -> None:
    settings = load_settings({"SPLADE_MODEL": str(tmp_path / "nowhere")})
    with pytest.raises(IndexDamaged, match="nowhere"):
        open_index(repo, settings=settings)
