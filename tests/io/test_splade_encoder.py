from __future__ import annotations

import json
from pathlib import Path

import pytest

from codeintel_rev.errors import IndexDamaged, IndexForeign
from codeintel_rev.io.splade_encoder import SpladeEncoder
from tests.fakes.splade_model import MARKS, make_splade

WORDS = ("socket", "connect", "render", "template")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_splade(tmp_path / "model", WORDS, {"socket": "connect"})


def terms(encoder: SpladeEncoder, text: str) -> dict[str, float]:
    (vector,) = encoder.encode([text])
    words = [(*MARKS, *WORDS)[at] for at in vector.terms]
    return dict(zip(words, vector.weights.tolist(), strict=True))


def test_a_text_has_its_own_terms_and_those_it_implies(folder: Path) -> None:
    found = terms(SpladeEncoder(folder), "a Socket!")
    assert found["socket"] > found["connect"] > 0.0
    assert "render" not in found


def test_of_each_term_the_greatest_weight_counts(folder: Path) -> None:
    encoder = SpladeEncoder(folder)
    both = terms(encoder, "render socket render")
    assert both == pytest.approx(terms(encoder, "render") | terms(encoder, "socket"), rel=1e-3)


def test_a_long_text_is_cut_where_the_model_ends(folder: Path) -> None:
    assert "template" not in terms(SpladeEncoder(folder), "socket " * 20 + "template")


def test_nothing_known_gives_an_empty_vector(folder: Path) -> None:
    assert terms(SpladeEncoder(folder), "") == {}


def test_models_are_told_apart(folder: Path, tmp_path: Path) -> None:
    other = make_splade(tmp_path / "other", WORDS, {"render": "template"})
    fingerprints = {SpladeEncoder(one).fingerprint for one in (folder, folder, other)}
    assert len(fingerprints) == 2


def test_another_kind_of_model_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(IndexDamaged, match="cannot be read"):
        SpladeEncoder(tmp_path)
    config = {"model_type": "llama", "num_attention_heads": 1}
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    with pytest.raises(IndexForeign, match="its type is llama"):
        SpladeEncoder(folder)
    (folder / "config.json").unlink()
    with pytest.raises(IndexForeign, match="holds no SPLADE model"):
        SpladeEncoder(folder)
