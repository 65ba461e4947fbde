"""The file of a static embedding model: a vector for each term of the code tokenizer.

Layout, little-endian: a 64-byte header (``_HEADER``), float32 scales, int8 vectors row after row,
and the terms as UTF-8 joined by line feeds. A term's vector is its scale times its int8 row; the
scale carries the term's weight. The file's SHA-256 stands beside it in ``<name>.sha256``, in the
format of ``sha256sum``.
"""

from __future__ import annotations

import hashlib
import mmap
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.errors import IndexDamaged, IndexForeign
from codeintel_rev.text.code_tokenizer import TOKENIZER_VERSION

FORMAT_VERSION = 1
"""Bump when the layout changes."""

_MAGIC = b"CISTATIC"
_HEADER = struct.Struct("<8sIIIII36x")
"""Magic, format version, tokenizer version, dimension, number of terms, bytes of the terms."""

_HINT = "Reinstall codeintel-rev, or build the model again with training/build_static.py."


class StaticModel(NamedTuple):
    """A model as read from its file; the arrays are views of the mapped file."""

    terms: list[str]
    scales: NDArray[np.float32]
    """One a term, shape ``(n,)``."""
    rows: NDArray[np.int8]
    """Shape ``(n, dim)``."""
    digest: str
    """Hex SHA-256 of the file."""


def read_model(path: Path) -> StaticModel:
    """Map a model and check it against its SHA-256.

    Raises ``IndexDamaged`` when the file or its digest is missing or they do not match, and
    ``IndexForeign`` when another format or tokenizer made it.
    """
    try:
        with path.open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        expected = digest_path(path).read_text("ascii").split()[0]
    except (OSError, ValueError, IndexError) as error:
        raise IndexDamaged(
            f"The embedding model {path} cannot be read: {error}", hint=_HINT, value=str(path)
        ) from error
    digest = hashlib.sha256(data).hexdigest()
    if digest != expected:
        raise IndexDamaged(
            f"The embedding model {path} does not match its SHA-256 ({digest[:12]}, expected "
            f"{expected[:12]}).",
            hint=_HINT,
            value=str(path),
        )
    return _parse(data, digest, path)


def _parse(data: mmap.mmap, digest: str, path: Path) -> StaticModel:
    magic, version, tokenizer, dim, count, blob = (
        _HEADER.unpack_from(data) if len(data) >= _HEADER.size else (b"", 0, 0, 0, 0, 0)
    )
    if (magic, version, tokenizer) != (_MAGIC, FORMAT_VERSION, TOKENIZER_VERSION):
        raise IndexForeign(
            f"The embedding model {path} has format {version} and tokenizer {tokenizer}; this "
            f"program reads format {FORMAT_VERSION} with tokenizer {TOKENIZER_VERSION}.",
            hint=_HINT,
            value=str(path),
        )
    rows_at = _HEADER.size + 4 * count
    terms_at = rows_at + count * dim
    if terms_at + blob != len(data):
        raise IndexDamaged(
            f"The embedding model {path} holds {len(data)} bytes instead of {terms_at + blob}.",
            hint=_HINT,
            value=str(path),
        )
    return StaticModel(
        terms=bytes(data[terms_at:]).decode("utf-8").split("\n"),
        scales=np.frombuffer(data, "<f4", count, _HEADER.size),
        rows=np.frombuffer(data, np.int8, count * dim, rows_at).reshape(count, dim),
        digest=digest,
    )


def write_model(path: Path, terms: Sequence[str], vectors: NDArray[np.float32]) -> str:
    """Quantise ``vectors``, shape ``(n, dim)``, write the model and its digest; return the digest."""
    peak = np.abs(vectors).max(axis=1, initial=1e-12)
    scales = (peak / 127).astype("<f4")
    rows = np.rint(vectors / scales[:, None]).astype(np.int8)
    blob = "\n".join(terms).encode("utf-8")
    shape = (vectors.shape[1], len(terms), len(blob))
    header = _HEADER.pack(_MAGIC, FORMAT_VERSION, TOKENIZER_VERSION, *shape)
    data = b"".join([header, scales.tobytes(), rows.tobytes(), blob])
    digest = hashlib.sha256(data).hexdigest()
    path.write_bytes(data)
    digest_path(path).write_text(f"{digest}  {path.name}\n", "ascii")
    return digest


def digest_path(path: Path) -> Path:
    """Return where a model's SHA-256 stands."""
    return path.with_name(path.name + ".sha256")
