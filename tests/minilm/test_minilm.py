"""MiniLM with its real weights; `make test-minilm` runs these."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from codeintel_rev.app.components import load_embedder
from codeintel_rev.app.local import open_index
from codeintel_rev.config.settings import load_settings
from codeintel_rev.errors import IndexDamaged, SettingsError
from codeintel_rev.io.minilm_embedder import MiniLMEmbedder, packaged_model

pytestmark = pytest.mark.minilm

REFERENCE = (-0.0010038, 0.0555176, 0.0311064, -0.0147015, -0.0518920, -0.1117683)

FILES = {
    "a.py": "def strip_rows(table):\n    '''Discard lines with missing values.'''\n    return [r for r in table if None not in r]\n",
    "b.py": "def reader(path):\n    with open(path) as stream:\n        return stream.read()\n",
    "c.py": "def countdown(seconds):\n    for left in range(seconds, 0, -1):\n        print(left)\n",
}


@pytest.fixture(scope="module")
def minilm() -> MiniLMEmbedder:
    return MiniLMEmbedder()


def test_vectors_are_those_of_the_reference_implementation(minilm: MiniLMEmbedder) -> None:
    """The numbers come from the model run with PyTorch, to six digits."""
    vector = minilm.embed_query("how to parse a url in python")
    assert vector.shape == (384,) == (minilm.dim,)
    assert float(np.linalg.norm(vector)) == pytest.approx(1.0, abs=1e-5)
    np.testing.assert_allclose(vector[:6], REFERENCE, atol=2e-5)


def test_what_means_the_same_is_near_without_a_common_word(minilm: MiniLMEmbedder) -> None:
    query, same, other = minilm.embed_texts(
        ["delete a directory", "remove folders recursively", "parse command line arguments"]
    )
    assert query @ same > query @ other


def test_texts_of_all_lengths_and_scripts_have_a_vector(minilm: MiniLMEmbedder) -> None:
    texts = ["", " ", "x" * 10_000, "日本語", "a b " * 2_000, "\x00\ufffd"]
    vectors = minilm.embed_texts(texts)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    assert minilm.embed_texts([]).shape == (0, 384)


def test_other_weights_are_refused(tmp_path: Path) -> None:
    shutil.copytree(packaged_model(), tmp_path / "model")
    with (tmp_path / "model" / "model.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x01")
    with pytest.raises(IndexDamaged, match="SHA-256"):
        MiniLMEmbedder(tmp_path / "model")


def test_an_index_can_have_its_vectors_from_it(tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    settings = load_settings({"EMBEDDING_PROVIDER": "minilm"})
    with open_index(tmp_path, settings=settings) as index:
        assert index.status().model["dim"] == 384
        result = index.search("drop records that are incomplete", mode="dense")
        assert (result.hits[0].uri, result.limits) == ("a.py", ())
    with open_index(tmp_path, settings=load_settings({})) as index:  # embedded anew
        assert index.search("parse rows", mode="dense").limits == ()
    with pytest.raises(SettingsError, match="makes vectors of 384"):
        load_embedder(load_settings({"EMBEDDING_PROVIDER": "minilm", "EMBEDDING_VEC_DIM": "256"}))


def test_a_search_is_ordered_by_meaning(tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    settings = load_settings({"SEARCH_SECOND_STAGE": "minilm", "SEARCH_SECOND_STAGE_MS": "60000"})
    with open_index(tmp_path, settings=settings) as index:
        result = index.search("drop records that are incomplete")
        assert result.hits[0].uri == "a.py"
        assert result.hits[0].scores.rerank == max(hit.scores.rerank or 0 for hit in result.hits)
        assert result.limits == ()
    at_once = replace(settings, search=replace(settings.search, second_stage_ms=0))
    with open_index(tmp_path, settings=at_once) as index:  # the vectors are kept
        again = index.search("drop records that are incomplete")
        assert [hit.doc_id for hit in again.hits] == [hit.doc_id for hit in result.hits]
        assert again.limits == ()
