"""What can be wrong with one repository's index, a function a check."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.app.components import MODEL, STORED
from codeintel_rev.app.repository import size_on_disk
from codeintel_rev.errors import IndexDamaged, IndexUnusable
from codeintel_rev.indexing.generations import stray_generations, stray_vectors
from codeintel_rev.indexing.store import RepositoryFolder
from codeintel_rev.io import file_lock, vector_store
from codeintel_rev.io.generation_lock import GenerationLock
from codeintel_rev.io.journal import JournalView
from codeintel_rev.io.nearest_index import check_nearest
from codeintel_rev.io.vector_store import VectorReader
from codeintel_rev.retrieval import lexical_files

_TEXTS = 10_000
"""Texts read at a time."""

MAX_DEAD_SHARE = 0.5
"""More dead chunks than this share of the live ones are a finding."""


class Patient(NamedTuple):
    """One repository's index inside one read transaction."""

    folder: RepositoryFolder
    view: JournalView
    wanted: Mapping[str, str]
    """Component versions of this program."""
    dim: int
    meta: Mapping[str, Any]
    live: NDArray[np.bool_]
    """Rows that some snapshot shows."""

    @classmethod
    def admit(
        cls, folder: RepositoryFolder, view: JournalView, wanted: Mapping[str, str], dim: int
    ) -> Patient:
        """Read what several checks need."""
        meta = view.meta()
        live = np.zeros(int(meta["reserved_rows"]), dtype=np.bool_)
        for snapshot in view.snapshots():
            bits = view.live(snapshot.id)
            if len(bits) > len(live):
                raise IndexDamaged(
                    f"the snapshot {snapshot.ref} shows row {len(bits) - 1}, "
                    f"but only {len(live)} rows were given out",
                    hint="run `codeintel index --full`",
                )
            live[: len(bits)] |= bits
        return cls(folder, view, wanted, dim, meta, live)

    @property
    def generation(self) -> int:
        """Number of the generation that serves."""
        return int(self.meta["generation"])


class Fault(Exception):
    """Raised by a check that found something wrong; its text says what."""

    def __init__(self, what: str, fix: str = "") -> None:
        """Say ``what`` is wrong, and how it is mended where that is not the usual way."""
        super().__init__(what)
        self.fix = fix


Check = Callable[[Patient], str]
"""Returns what is well, in words; raises ``Fault`` for what is not."""


def check_journal(patient: Patient) -> str:
    """Check that SQLite finds its file in order."""
    found = patient.view.quick_check()
    if found != "ok":
        raise Fault(f"state.sqlite is damaged: {found}")
    fault = patient.view.fault()
    if fault is not None:
        raise Fault(f"state.sqlite holds {fault}")
    return f"sequence {patient.meta['sequence']}, generation {patient.generation}"


def check_components(patient: Patient) -> str:
    """Check that what is stored was made by this program's components."""
    for key, wanted in patient.wanted.items():
        if key in STORED and patient.meta.get(key) != wanted:
            raise Fault(f"made with {key} {patient.meta.get(key)}, this program uses {wanted}")
    return ", ".join(f"{key} {value[:16]}" for key, value in patient.wanted.items())


def check_chunks(patient: Patient) -> str:
    """Check that live rows are stored, bitmaps show the rows of the snapshots' files, and texts are whole."""
    stored = patient.view.stored_rows()
    missing = np.setdiff1d(np.flatnonzero(patient.live), stored)
    if len(missing):
        raise Fault(f"{len(missing)} live rows are not stored, the first is {missing[0]}")
    if len(stored) and stored[-1] >= len(patient.live):
        raise Fault(f"row {stored[-1]} is stored but was never given out")
    if len(stored) != patient.meta["stored_rows"]:
        raise Fault(f"{len(stored)} rows are stored, {patient.meta['stored_rows']} are counted")
    for snapshot in patient.view.snapshots():
        shown = np.zeros(len(patient.live), dtype=np.bool_)
        for _, _, spans in patient.view.file_spans(snapshot.id):
            shown[spans[:, 0]] = True
        if not np.array_equal(
            np.flatnonzero(shown), np.flatnonzero(patient.view.live(snapshot.id))
        ):
            raise Fault(f"the files of {snapshot.ref} are not those that its bitmap shows")
    for first in range(0, len(stored), _TEXTS):
        for _ in patient.view.texts(stored[first : first + _TEXTS].tolist()):
            pass  # to unpack a text is to compare it with its checksum
    if patient.view.unreadable:
        bad = patient.view.unreadable
        raise Fault(f"{len(bad)} texts cannot be unpacked, the first is of row {min(bad)}")
    return f"{int(patient.live.sum()):,} live, {len(stored):,} stored"


def check_vectors(patient: Patient) -> str:
    """Check that live rows have finite vectors, and that sealed files are as they were written."""
    if patient.meta.get(MODEL) != patient.wanted[MODEL]:
        return "not looked at: they are another model's"
    segments = patient.view.segments()
    try:
        reader = VectorReader(patient.folder.vectors, segments, patient.dim, len(patient.live))
    except (OSError, IndexDamaged) as error:
        raise Fault(str(error)) from error
    missing = np.setdiff1d(np.flatnonzero(patient.live), reader.rows)
    if len(missing):
        raise Fault(f"{len(missing)} live rows have no vector, the first is {missing[0]}")
    for segment in segments:
        if not vector_store.is_whole(patient.folder.vectors, segment, patient.dim):
            raise Fault(f"{segment.file} does not hold what was written")
    for _, block in reader.blocks:
        if not np.isfinite(block.sum(dtype=np.float32)):
            raise Fault("a vector holds what is no number")
    count = f"{len(segments)} segment{'s'[: len(segments) != 1]}"
    return f"{len(reader.rows):,} of {patient.dim} dimensions in {count}{_nearest(patient)}"


def check_words(patient: Patient) -> str:
    """Check that live rows have their words, and that the files are as they were written."""
    folder = patient.folder.lexical(patient.generation)
    damaged = lexical_files.damaged_files(folder)
    if damaged:
        raise Fault(f"the word index lacks or garbled {', '.join(damaged)}")
    rows = lexical_files.all_rows(folder)
    missing = np.setdiff1d(np.flatnonzero(patient.live), rows)
    if len(missing):
        raise Fault(f"{len(missing)} live rows have no words, the first is {missing[0]}")
    reserved = int(patient.folder.state()[1]["reserved_rows"])  # type: ignore[call-overload]
    if len(rows) and rows[-1] >= reserved:
        raise Fault(f"row {rows[-1]} has words but was never given out")
    if len(np.unique(rows)) != len(rows):
        raise Fault(f"{len(rows) - len(np.unique(rows))} rows have their words twice")
    return f"{len(rows):,} documents"


def check_catalog(patient: Patient) -> str:
    """Check that the catalog holds what the journal held at the catalog's sequence."""
    if patient.generation == 0:
        return "none yet: compaction builds it"
    from codeintel_rev.io.catalog_check import read_catalog

    try:
        catalog = read_catalog(patient.folder.catalog(patient.generation))
    except ValueError as error:
        raise Fault(f"the catalog cannot be read: {error}") from error
    if catalog.sequence != patient.meta["catalog_sequence"]:
        raise Fault(
            f"the catalog is of sequence {catalog.sequence}, "
            f"the journal knows {patient.meta['catalog_sequence']}"
        )
    if catalog.dim not in (0, patient.dim):
        raise Fault(f"the catalog's vectors have {catalog.dim} dimensions, not {patient.dim}")
    _compare(patient, catalog.rows, catalog.ids)
    behind = int(patient.meta["sequence"]) - catalog.sequence
    return f"{len(catalog.rows):,} chunks at sequence {catalog.sequence}, {behind} commits ago"


def check_orphans(patient: Patient) -> str:
    """Check that nothing lies about that a killed compaction left.

    A generation that served before, and was still read when the next one took over, keeps its files
    and its lock file until the next compaction; so do the vectors that it may need.
    """
    folder, serving = patient.folder, patient.generation
    if file_lock.holder(folder.compactor_lock):
        return "not looked for: a compaction is running"
    numbers = stray_generations(folder, serving)
    served = [n for n in numbers if n < serving and folder.generation_lock(n).exists()]
    stray = [f"generation {n}" for n in numbers if n not in served]
    if not served:
        stray += [p.name for p in stray_vectors(folder, patient.view.segments())]
    if stray:
        raise Fault(f"left behind: {', '.join(stray)}")
    told = ", ".join(f"generation {n}" for n in served)
    return f"none ({told} goes with the next compaction)" if served else "none"


def check_locks(patient: Patient) -> str:
    """Say who holds what; the kernel drops the locks of the dead, so none can be stuck."""
    if GenerationLock.share(patient.folder.generation_lock(patient.generation)) is None:
        raise Fault(f"the lock file of generation {patient.generation} is missing")
    names = ("writer", "compactor", "refresher")
    held = {name: file_lock.holder(patient.folder.locks / name) for name in names}
    return ", ".join(f"{name}: {who}" for name, who in held.items() if who) or "none held"


def check_space(patient: Patient) -> str:
    """Check that the next generation has room, and that not too much is dead."""
    size, free = size_on_disk(patient.folder.path), shutil.disk_usage(patient.folder.path).free
    live, stored = int(patient.live.sum()), int(patient.meta["stored_rows"])
    told = f"{size / 2**20:,.1f} MiB, {free / 2**30:,.1f} GiB free, {stored - live:,} chunks dead"
    if free < size:
        raise Fault(f"too little space to compact: {told}")
    if stored - live > max(1_000, live * MAX_DEAD_SHARE):
        raise Fault(f"much is dead: {told}")
    return told


CHECKS: dict[str, Check] = {
    "journal": check_journal,
    "components": check_components,
    "chunks": check_chunks,
    "vectors": check_vectors,
    "words": check_words,
    "catalog": check_catalog,
    "orphans": check_orphans,
    "locks": check_locks,
    "space": check_space,
}
"""Every check of a repository, in the order in which they are told."""


def _nearest(patient: Patient) -> str:
    """Say what is known of the index of very many vectors; nothing where there is none."""
    try:
        manifest = check_nearest(patient.folder.catalog(patient.generation))
    except IndexUnusable as error:
        raise Fault(str(error)) from error
    if manifest is None:
        return ""
    recall = f" of recall {manifest.recall_at_10}" if manifest.recall_at_10 is not None else ""
    return f", {manifest.primary_count:,} in an index{recall}"


def _compare(patient: Patient, rows: NDArray[np.int64], ids: NDArray[np.int64]) -> None:
    stored, stored_ids = patient.view.stored_ids()
    at = np.searchsorted(stored, rows)
    known = at < len(stored)
    known[known] = stored[at[known]] == rows[known]
    differing = rows[known][stored_ids[at[known]] != ids[known]]
    if len(differing):
        raise Fault(f"row {differing[0]} is another chunk in the catalog than in the journal")
    unchanged = patient.meta["sequence"] <= int(patient.meta["catalog_sequence"]) + 1
    if unchanged and not np.array_equal(rows, np.flatnonzero(patient.live)):
        raise Fault("the catalog holds other chunks than the journal, at the same sequence")
