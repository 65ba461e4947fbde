from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from codeintel_rev.errors import IndexDamaged
from codeintel_rev.io.safetensors import read_safetensors


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    table = {
        "__metadata__": {"format": "pt"},
        "a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
        "b": {"dtype": "I64", "shape": [1, 2], "data_offsets": [24, 40]},
    }
    head = json.dumps(table).encode()
    body = np.arange(6, dtype="<f4").tobytes() + np.array([7, 8], dtype="<i8").tobytes()
    path = tmp_path / "model.safetensors"
    path.write_bytes(len(head).to_bytes(8, "little") + head + body)
    return path


def test_arrays_are_read_by_name(weights: Path) -> None:
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    arrays, found = read_safetensors(weights, digest)
    assert (found, read_safetensors(weights).digest) == (digest, digest)
    assert arrays.keys() == {"a", "b"}
    assert arrays["a"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert arrays["b"].tolist() == [[7, 8]]


def test_other_weights_than_the_known_ones_are_refused(weights: Path, tmp_path: Path) -> None:
    with pytest.raises(IndexDamaged, match="expected abc"):
        read_safetensors(weights, "abc")
    weights.write_bytes(b"\xff" * 64)
    with pytest.raises(IndexDamaged, match="cannot be read"):
        read_safetensors(weights)
    with pytest.raises(IndexDamaged, match="cannot be read"):
        read_safetensors(tmp_path / "nowhere", "abc")
