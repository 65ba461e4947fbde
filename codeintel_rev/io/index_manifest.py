"""What a folder with a FAISS index says about itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from codeintel_rev.errors import IndexDamaged, IndexForeign
from codeintel_rev.io.durability import replace_file
from codeintel_rev.text.json_faults import NOT_JSON

FORMAT_VERSION = 1
"""Version of the files beside the manifest. Bump when an older program would misread them."""

INNER_PRODUCT = "inner_product"
"""The only metric: the higher the score, the nearer; the cosine, when vectors have length 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexManifest:
    """Metadata of a primary index, written after everything that it speaks of."""

    version: int = FORMAT_VERSION
    vec_dim: int
    index_type: str = "Flat"
    """``Flat``, ``IVFFlat``, ``IVFPQ`` ..., as FAISS names it."""
    metric: str = INNER_PRODUCT
    nlist: int | None = None
    """Lists of an inverted file; ``None`` without one."""
    pq_m: int | None = None
    """Bytes of a product-quantised vector; ``None`` without quantisation."""
    nprobe: int | None = None
    """Lists that a search reads."""
    recall_at_10: float | None = None
    """Measured at build on held-out queries, against an exact search; ``None`` = exact."""
    trained_on: int = 0
    """Vectors that the training saw."""
    built_at: str = ""
    """UTC, ISO 8601."""
    primary_count: int = 0
    secondary_count: int = 0
    """Vectors added since the build, when this was written."""
    gpu_enabled: bool = False
    """Whether the process that built the index also served it from a GPU."""
    cuvs_version: str | None = None
    fingerprint: str = ""
    """Of the embedding model; empty = not told."""
    build: int = 0
    """Number of the build, which the names of its files carry."""
    checksums: dict[str, str] = field(default_factory=dict)
    """File name to the BLAKE2b hash of its bytes, in hex."""

    @classmethod
    def from_file(cls, path: Path) -> IndexManifest:
        """Read a manifest.

        Raises ``IndexDamaged`` for a file that is none, ``IndexForeign`` for a newer version.
        """
        data = Path(path).read_bytes()
        try:
            version = msgspec.json.decode(data, type=_Version).version
            if version > FORMAT_VERSION:
                raise IndexForeign(
                    f"{path.name} has version {version}, this program reads {FORMAT_VERSION}",
                    hint="use the program that wrote the index, or build it anew",
                    value=str(version),
                )
            return msgspec.json.decode(data, type=cls)
        except NOT_JSON as error:
            raise IndexDamaged(
                f"{path.name} is no index manifest: {error}",
                hint="bring back the file from a backup, or build the index anew",
                value=str(path),
            ) from error

    def to_file(self, path: Path) -> None:
        """Write the manifest as JSON; it is there whole or not at all."""
        replace_file(Path(path), msgspec.json.format(msgspec.json.encode(self), indent=2))


class _Version(msgspec.Struct):
    version: int


def now() -> str:
    """Return the present time as ``built_at`` holds it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def check_dimension(name: str, found: int, wanted: int) -> None:
    """Raise ``IndexForeign`` when a file is of vectors of another length."""
    if found != wanted:
        raise IndexForeign(
            f"Dimension mismatch: {name} holds vectors of {found}, {wanted} are expected",
            hint="use the embedding model that the index was made with, or build it anew",
            value=str(found),
        )
