"""The files of a FAISS index in a folder, and the switch from one build to the next.

The files of a build carry its number, except for ``primary.faiss`` and ``primary.manifest.json``.
A new build is written beside the old one; renaming ``primary_new.faiss`` is the moment from which
it serves. Whoever is killed before leaves the old build, whoever is killed later leaves a switch
that the next one to open the folder finishes.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from codeintel_rev.errors import CodeIntelError
from codeintel_rev.io.durability import sync
from codeintel_rev.io.faiss_files import verify
from codeintel_rev.io.index_manifest import IndexManifest

PRIMARY = "primary.faiss"
"""Also the key of its checksum in the manifest."""


class IndexFolder(NamedTuple):
    """Paths in one index folder."""

    path: Path

    @property
    def primary(self) -> Path:
        """The FAISS index that serves."""
        return self.path / PRIMARY

    @property
    def primary_new(self) -> Path:
        """The FAISS index that is being built."""
        return self.path / "primary_new.faiss"

    @property
    def manifest(self) -> Path:
        """What the serving index says about itself."""
        return self.path / "primary.manifest.json"

    @property
    def manifest_new(self) -> Path:
        """What the new index says about itself; written before the switch."""
        return self.path / "primary_new.manifest.json"

    @property
    def secondary(self) -> Path:
        """A copy of the added vectors in FAISS's own format, for other programs."""
        return self.path / "secondary.faiss"

    def vectors(self, build: int) -> Path:
        """Return the file of the vectors, in half precision."""
        return self.path / f"vectors-{build}.f16"

    def ids(self, build: int) -> Path:
        """Return the file of each vector's id."""
        return self.path / f"ids-{build}.i64"

    def delta(self, build: int) -> Path:
        """Return the log of what changed since the build."""
        return self.path / f"delta-{build}.log"

    @property
    def writer_lock(self) -> Path:
        """Held while a change is stored."""
        return self.path / "writer.lock"

    @property
    def compactor_lock(self) -> Path:
        """Held while a new build is made."""
        return self.path / "compactor.lock"

    def read_manifest(self) -> IndexManifest | None:
        """Return the serving manifest, ``None`` where there is none."""
        return IndexManifest.from_file(self.manifest) if self.manifest.exists() else None

    def switch(self, manifest: IndexManifest) -> None:
        """Let the new build serve, all files of which are written but ``manifest``."""
        manifest.to_file(self.manifest_new)
        self.primary_new.replace(self.primary)
        sync(self.path)
        self.finish_switch()

    def finish_switch(self) -> None:
        """Bring the manifest after the index, and delete what belongs to older builds."""
        self.manifest_new.replace(self.manifest)
        sync(self.path)
        self.secondary.unlink(missing_ok=True)
        self.discard_strays()

    def discard_build(self, build: int) -> None:
        """Delete what was written of a build that does not serve."""
        for path in (self.vectors(build), self.ids(build), self.primary_new):
            path.unlink(missing_ok=True)

    def next_build(self) -> int:
        """Return a number above those of all files."""
        names = (path.stem.rpartition("-")[2] for path in self.path.glob("*-*.*"))
        return max((int(name) for name in names if name.isdigit()), default=0) + 1

    def recover(self) -> None:
        """Finish or undo a switch that was cut short; the caller holds both locks."""
        if self.manifest_new.exists() and self._has_switched():
            self.finish_switch()
        self.discard_strays()

    def _has_switched(self) -> bool:
        with suppress(CodeIntelError):
            verify(self.primary, IndexManifest.from_file(self.manifest_new).checksums.get(PRIMARY))
            return True
        return False

    def discard_strays(self) -> None:
        """Delete the files of builds other than the one that serves."""
        manifest = self.read_manifest()
        build = manifest.build if manifest is not None else 0
        kept = {self.vectors(build), self.ids(build), self.delta(build)}
        for pattern in ("vectors-*.f16", "ids-*.i64", "delta-*.log", "primary_new.*", "*.new"):
            for path in set(self.path.glob(pattern)) - kept:
                path.unlink(missing_ok=True)
