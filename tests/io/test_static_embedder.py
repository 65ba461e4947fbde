"""A small model made for the purpose, and the one that ships."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from codeintel_rev.errors import IndexDamaged, IndexForeign
from codeintel_rev.io.static_embedder import MODEL_PATH, StaticEmbedder
from codeintel_rev.io.static_model import digest_path, read_model, write_model
from codeintel_rev.text.chunk_terms import HEAD_SHARE, ChunkTerms

TERMS = ["auth", "middleware", "token", "ключ"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    vectors = np.random.default_rng(7).normal(size=(len(TERMS), 8)).astype(np.float32)
    write_model(tmp_path / "small.bin", TERMS, vectors)
    return tmp_path / "small.bin"


@pytest.fixture
def embedder(path: Path) -> StaticEmbedder:
    return StaticEmbedder(path)


def test_a_model_reads_back_within_the_quantisation_step(tmp_path: Path) -> None:
    vectors = np.array([[1.0, -0.5], [0.0, 0.001]], np.float32)
    write_model(tmp_path / "m.bin", ["a", "b"], vectors)
    model = read_model(tmp_path / "m.bin")
    assert model.terms == ["a", "b"]
    restored = model.rows * model.scales[:, None]
    assert (np.abs(restored - vectors) <= 0.51 * model.scales[:, None]).all()


def test_documents_become_unit_rows(embedder: StaticEmbedder) -> None:
    vectors = embedder.embed_documents([("a/auth.py", "Token", "x = 1"), ("b.py", "", "token")])
    assert vectors.shape == (2, embedder.dim)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1], abs=1e-6)


def test_a_vector_is_the_sum_of_its_terms_with_repeats_damped(path: Path) -> None:
    model = read_model(path)
    auth, token = (model.rows[at] * model.scales[at] for at in (0, 2))
    expected = 2 * auth + token
    found = StaticEmbedder(path).embed_terms([["auth"] * 4 + ["token", "unknown"]])[0]
    assert found == pytest.approx(expected / np.linalg.norm(expected), abs=1e-6)


def test_the_head_of_a_chunk_has_its_share(embedder: StaticEmbedder) -> None:
    whole, head, found = embedder.embed_chunks(
        [
            ChunkTerms(["auth", "token"], 2),
            ChunkTerms(["auth"], 1),
            ChunkTerms(["auth", "token"], 1),
        ]
    )
    expected = (1 - HEAD_SHARE) * whole + HEAD_SHARE * head
    assert found == pytest.approx(expected / np.linalg.norm(expected), abs=1e-6)


@pytest.mark.parametrize("query", ["", " \n", "zzz qqq", "\x00"])
def test_a_query_without_a_known_term_is_a_zero_vector(
    embedder: StaticEmbedder, query: str
) -> None:
    assert not embedder.embed_query(query).any()


def test_no_documents_give_no_rows(embedder: StaticEmbedder) -> None:
    assert embedder.embed_documents([]).shape == (0, embedder.dim)


def test_a_query_equals_the_same_text_as_a_document(embedder: StaticEmbedder) -> None:
    document = embedder.embed_documents([("", "", "AuthMiddleware token")])[0]
    assert embedder.embed_query("AuthMiddleware token") == pytest.approx(document, abs=1e-6)


def test_a_row_does_not_depend_on_its_neighbours(embedder: StaticEmbedder) -> None:
    rng = np.random.default_rng(3)
    chunks = [
        ChunkTerms(list(rng.choice([*TERMS, "other"], size=n % 7)), n % 4) for n in range(150)
    ]
    together = embedder.embed_chunks(chunks)
    alone = np.concatenate([embedder.embed_chunks([chunk]) for chunk in chunks])
    reversed_rows = embedder.embed_chunks(chunks[::-1])[::-1]
    assert together == pytest.approx(alone, abs=1e-6)
    assert together == pytest.approx(reversed_rows, abs=1e-6)


def test_the_fingerprint_follows_the_model(path: Path, tmp_path: Path) -> None:
    first = StaticEmbedder(path).fingerprint
    write_model(tmp_path / "other.bin", TERMS, np.eye(4, dtype=np.float32))
    assert StaticEmbedder(path).fingerprint == first
    assert StaticEmbedder(tmp_path / "other.bin").fingerprint != first


def test_a_flipped_bit_is_refused(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[70] ^= 1
    path.write_bytes(data)
    with pytest.raises(IndexDamaged, match="does not match its SHA-256"):
        StaticEmbedder(path)


@pytest.mark.parametrize("length", [0, 10, 100])
def test_a_truncated_file_is_refused(path: Path, length: int) -> None:
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(IndexDamaged):
        StaticEmbedder(path)


def test_a_file_whose_sections_do_not_add_up_is_refused(path: Path) -> None:
    _replace(path, path.read_bytes() + b"x")
    with pytest.raises(IndexDamaged, match="bytes instead of"):
        StaticEmbedder(path)


@pytest.mark.parametrize("content", [b"not a model", b"x" * 80])
def test_a_foreign_file_is_refused(path: Path, content: bytes) -> None:
    _replace(path, content)
    with pytest.raises(IndexForeign, match="format"):
        StaticEmbedder(path)


def test_a_missing_file_or_digest_is_refused(path: Path, tmp_path: Path) -> None:
    with pytest.raises(IndexDamaged, match="cannot be read"):
        StaticEmbedder(tmp_path / "none.bin")
    digest_path(path).unlink()
    with pytest.raises(IndexDamaged, match="cannot be read"):
        StaticEmbedder(path)


def _replace(path: Path, content: bytes) -> None:
    """Write a file whose digest is right."""
    path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    digest_path(path).write_text(f"{digest}  {path.name}\n")


def test_the_shipped_model_knows_that_related_words_are_close() -> None:
    embedder = StaticEmbedder()
    delete, remove, colour = map(embedder.embed_query, ["delete file", "remove path", "rgb color"])
    assert embedder.dim == 256
    assert delete @ remove > delete @ colour


def test_the_shipped_files_stay_small() -> None:
    assert sum(file.stat().st_size for file in MODEL_PATH.parent.iterdir()) <= 16 * 2**20
