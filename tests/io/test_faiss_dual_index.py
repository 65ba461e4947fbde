"""A vector index in a folder: changes, compaction, and everything that can be wrong with it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import faiss
import numpy as np
import pytest

from codeintel_rev.config.settings import FaissConfig, Settings
from codeintel_rev.errors import Busy, IndexDamaged, IndexMissing, InvalidArgument, Unavailable
from codeintel_rev.io import file_lock
from codeintel_rev.io.faiss_build import Family, build_index, choose_family
from codeintel_rev.io.faiss_dual_index import (
    Batch,
    FAISSDualIndexManager,
    IndexManifest,
    merge_hits,
)
from codeintel_rev.io.faiss_folder import IndexFolder
from codeintel_rev.io.faiss_gpu import GpuClone
from codeintel_rev.io.faiss_search import Width, choose_width, nearest, propose, rescore

DIM = 16
COUNT = 200


def unit(count: int, seed: int, dim: int = DIM) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, dim))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def manager(folder: Path, **settings: object) -> FAISSDualIndexManager:
    return FAISSDualIndexManager(folder, FaissConfig(**settings), DIM)  # type: ignore[arg-type]


async def opened(folder: Path, **settings: object) -> FAISSDualIndexManager:
    index = manager(folder, **settings)
    ready, error = await index.ensure_ready()
    assert ready, error
    return index


def everything(index: FAISSDualIndexManager) -> dict[int, float]:
    return dict(index.search(unit(1, seed=99)[0], k=10_000))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """An index of ``COUNT`` vectors, the ids being 0, 10, 20 ..."""
    await manager(tmp_path).rebuild([Batch(np.arange(COUNT) * 10, unit(COUNT, seed=0))])
    return tmp_path


# --- changes ----------------------------------------------------------------------------------


async def test_an_empty_folder_is_ready_and_finds_nothing(tmp_path: Path) -> None:
    index = await opened(tmp_path / "not" / "there")
    assert index.search(unit(1, 1)[0]) == []
    assert not index.needs_compaction()


async def test_what_is_added_is_found_at_once_and_by_the_next_to_open(folder: Path) -> None:
    index = await opened(folder)
    new = unit(3, seed=1)
    await index.add_incremental(new, [7, 8, 9])
    for searched in (index, await opened(folder)):
        (found, score), *_ = searched.search(new[1], k=1)
        assert found == 8
        assert score == pytest.approx(1.0, abs=2e-3)


async def test_what_is_removed_is_found_no_more(folder: Path) -> None:
    index = await opened(folder)
    await index.add_incremental(unit(1, seed=1), [7])
    assert await index.remove([7, 10, 55]) == 2
    for searched in (index, await opened(folder)):
        assert not {7, 10} & everything(searched).keys()
    await index.compact()
    assert not {7, 10} & everything(index).keys()


async def test_an_id_that_is_added_again_has_the_new_vector_only(folder: Path) -> None:
    index = await opened(folder)
    old, new = unit(COUNT, seed=0)[3], unit(1, seed=1)[0]
    await index.add_incremental(new[None], [30])
    await index.add_incremental(-old[None], [20])
    await index.add_incremental(old[None] * 0.5, [20])
    for _ in range(2):
        scores = dict(index.search(new, k=500))
        assert scores[30] == pytest.approx(1.0, abs=2e-3)
        assert dict(index.search(old, k=500))[20] == pytest.approx(0.5, abs=2e-3)
        assert len(scores) == COUNT
        await index.compact()


async def test_primary_and_changes_give_what_one_rebuilt_index_gives(
    folder: Path, tmp_path: Path
) -> None:
    index = await opened(folder)
    await index.add_incremental(unit(50, seed=1), np.arange(50) * 10 + 5)
    await index.remove(np.arange(20) * 10)
    ids = np.concatenate([np.arange(20, COUNT) * 10, np.arange(50) * 10 + 5])
    vectors = np.concatenate([unit(COUNT, seed=0)[20:], unit(50, seed=1)])
    rebuilt = await opened(tmp_path / "rebuilt")
    await rebuilt.rebuild([Batch(ids[:99], vectors[:99]), Batch(ids[99:], vectors[99:])])
    for _ in range(2):
        for query in unit(5, seed=2):
            found, wanted = index.search(query, k=30), rebuilt.search(query, k=30)
            assert [hit[0] for hit in found] == [hit[0] for hit in wanted]
            assert np.allclose([hit[1] for hit in found], [hit[1] for hit in wanted], atol=1e-6)
        await index.compact()


async def test_changes_that_come_while_a_new_primary_is_built_are_kept(folder: Path) -> None:
    index, other = await opened(folder), await opened(folder)
    await index.add_incremental(unit(1, seed=1), [1])
    compacting = asyncio.create_task(index.compact())
    for number in range(20):
        await other.add_incremental(unit(1, seed=number + 2), [number * 10 + 3])
        index.search(unit(1, seed=3)[0])
    await compacting
    await index.add_incremental(unit(1, seed=50), [2])
    for searched in (index, await opened(folder)):
        assert len(everything(searched)) == COUNT + 22


async def test_two_processes_see_each_others_changes_before_their_own(folder: Path) -> None:
    first, second = await opened(folder), await opened(folder)
    await first.add_incremental(unit(1, seed=1), [1])
    await second.add_incremental(unit(1, seed=2), [2])
    await first.compact()
    await second.remove([1])
    assert {1, 2} & everything(await opened(folder)).keys() == {2}


async def test_the_added_vectors_are_copied_for_other_programs(folder: Path) -> None:
    index = await opened(folder)
    for number in range(5):
        await index.add_incremental(unit(1, seed=number), [number])
    copy = faiss.read_index(str(folder / "secondary.faiss"))
    assert copy.ntotal == 4  # it is written when it has doubled
    await index.compact()
    assert not (folder / "secondary.faiss").exists()


async def test_compaction_is_due_by_number_and_by_share(folder: Path) -> None:
    index = await opened(folder, compaction_min=10)
    await index.add_incremental(unit(9, seed=1), np.arange(9) + 1)
    assert not index.needs_compaction()  # too few
    await index.remove([0])
    assert not index.needs_compaction()  # 5% is not more than 5%
    await index.remove([10])
    assert index.needs_compaction()


def test_merging_keeps_the_best_score_of_each_id() -> None:
    first, second = [(1, 0.9), (2, 0.5), (3, 0.1)], [(2, 0.7), (4, 0.5), (0, 0.5)]
    assert merge_hits(first, second, 4) == [(1, 0.9), (2, 0.7), (0, 0.5), (4, 0.5)]


# --- kinds of index ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "dim", "family"),
    [
        (0, 256, Family("Flat")),
        (9_999, 256, Family("Flat")),
        (10_000, 256, Family("IVFFlat", 100)),
        (99_999, 256, Family("IVFFlat", 999)),
        (100_000, 256, Family("IVFPQ", 500, 32)),
        (9_000_000, 2560, Family("IVFPQ", 8192, 32)),
        (100_000, 100, Family("IVFPQ", 500, 25)),  # 32 does not divide 100
    ],
)
def test_the_kind_of_index_follows_the_number_of_vectors(
    count: int, dim: int, family: Family
) -> None:
    assert choose_family(count, dim) == family


@pytest.mark.parametrize(
    "family",
    [Family("Flat"), Family("IVFFlat", 40), Family("IVFPQ", 40, 8), Family("IVFRaBitQ", 40)],
)
def test_every_kind_of_index_finds_what_it_should(family: Family) -> None:
    vectors = (unit(50, seed=1)[np.arange(4_000) % 50] + unit(4_000, seed=2)).astype(np.float16)
    index, queries = build_index(family, vectors), unit(50, seed=3)
    width = choose_width(index, vectors, queries) if family.nlist else Width()
    found = 0
    for query, true in zip(queries, nearest(vectors, queries, 10), strict=True):
        positions, _ = propose(index, query, 400, nprobe=width.nprobe)
        best, scores = rescore(vectors.__getitem__, query, positions, 10)
        assert np.allclose(scores, vectors[best].astype(np.float32) @ query)
        found += len(np.intersect1d(best, true))
    assert found >= 0.95 * 500


async def test_a_folder_of_many_vectors_says_what_it_holds(tmp_path: Path) -> None:
    index = manager(tmp_path)
    await index.rebuild([Batch(np.arange(10_000), unit(10_000, seed=1))])
    manifest = IndexManifest.from_file(tmp_path / "primary.manifest.json")
    assert (manifest.index_type, manifest.nlist, manifest.trained_on) == ("IVFFlat", 100, 4_000)
    assert manifest.primary_count == index._primary_cpu.ntotal == 10_000
    assert manifest.built_at.endswith("+00:00")
    assert index.search(unit(10_000, seed=1)[77], k=1)[0][0] == 77


async def test_the_width_of_a_search_can_be_chosen_on_given_queries(tmp_path: Path) -> None:
    index = manager(tmp_path)
    queries = unit(50, seed=3)
    await index.rebuild([Batch(np.arange(10_000), unit(10_000, seed=1))], queries)
    manifest = IndexManifest.from_file(tmp_path / "primary.manifest.json")
    assert (manifest.recall_at_10 or 0) >= 0.95
    fixed = manager(tmp_path, adaptive_nprobe=False)
    await fixed.rebuild([Batch(np.arange(10_000), unit(10_000, seed=1))])
    assert IndexManifest.from_file(tmp_path / "primary.manifest.json").nprobe == 12


# --- indexes of other programs ----------------------------------------------------------------


async def test_a_flat_primary_of_another_program_is_taken_over(tmp_path: Path) -> None:
    flat = faiss.IndexIDMap2(faiss.IndexFlatIP(DIM))
    flat.add_with_ids(unit(30, seed=0), np.arange(30) + 100)
    faiss.write_index(flat, str(tmp_path / "primary.faiss"))
    index = await opened(tmp_path)
    assert index.search(unit(30, seed=0)[4], k=1)[0][0] == 104
    await index.remove([100])
    await index.compact()
    assert everything(await opened(tmp_path)).keys() == set(range(101, 130))


async def test_what_another_program_added_is_taken_over(tmp_path: Path) -> None:
    other = faiss.IndexIDMap2(faiss.IndexFlatIP(DIM))
    other.add_with_ids(unit(5, seed=0), np.arange(5) + 100)
    faiss.write_index(other, str(tmp_path / "secondary.faiss"))
    index = await opened(tmp_path)
    await index.remove([100])
    assert everything(index).keys() == {101, 102, 103, 104}
    await index.compact()
    assert everything(await opened(tmp_path)).keys() == {101, 102, 103, 104}


async def test_a_secondary_of_another_dimension_is_told(tmp_path: Path) -> None:
    other = faiss.IndexIDMap2(faiss.IndexFlatIP(DIM + 1))
    faiss.write_index(other, str(tmp_path / "secondary.faiss"))
    assert "Dimension mismatch: secondary.faiss" in str(await manager(tmp_path).ensure_ready())


async def test_queries_to_tune_on_have_to_fit(folder: Path) -> None:
    with pytest.raises(InvalidArgument, match="shape"):
        await (await opened(folder)).compact(np.ones((3, DIM + 1)))


async def test_a_quantised_primary_without_vectors_is_searched_and_not_compacted(
    tmp_path: Path,
) -> None:
    index = faiss.IndexIVFPQ(faiss.IndexFlatIP(DIM), DIM, 1, 4, 8, faiss.METRIC_INNER_PRODUCT)
    vectors = unit(10_000, seed=0)
    index.train(vectors)
    index.add(vectors)
    faiss.write_index(index, str(tmp_path / "primary.faiss"))
    searched = await opened(tmp_path)
    assert searched.search(vectors[5], k=50)
    with pytest.raises(Unavailable, match="keeps no vectors") as refused:
        await searched.compact()
    assert "rebuild()" in refused.value.hint


# --- what callers may hand in -----------------------------------------------------------------

NAN = np.full((1, DIM), np.nan)


@pytest.mark.parametrize(
    ("vectors", "ids", "message"),
    [
        (np.zeros((0, DIM)), [], "no vectors were given"),
        (np.ones((1, DIM + 1)), [1], rf"shape \(1, {DIM + 1}\)"),
        (np.ones(DIM), [1], "shape"),
        (NAN, [1], "no finite number"),
        (np.full((1, DIM), np.inf), [1], "no finite number"),
        (np.full((1, DIM), 1e6), [1], "exceed half precision"),
        (np.stack([np.ones(DIM), np.zeros(DIM)]), [1, 2], "all zero, the first is number 1"),
        (np.ones((2, DIM)), [1, 1], "the id 1 is given twice"),
        (np.ones((2, DIM)), [1], "1 ids were given for 2 vectors"),
        (np.ones((1, DIM)), [-1], "between 0 and"),
        (np.ones((1, DIM)), [2**64 - 1], "between 0 and"),
        (np.ones((1, DIM)), ["one"], "type"),
        (np.ones((1, DIM)), [1.5], "type"),
        ([["a"] * DIM], [1], "cannot be read as numbers"),
    ],
)
async def test_what_cannot_be_stored_is_refused_whole(
    folder: Path, vectors: object, ids: object, message: str
) -> None:
    index = await opened(folder)
    before = everything(index)
    with pytest.raises(InvalidArgument, match=message):
        await index.add_incremental(vectors, ids)  # type: ignore[arg-type]
    assert everything(index) == before


@pytest.mark.parametrize("query", [np.ones(DIM - 1), NAN[0], np.ones((1, DIM)), ["a"] * DIM])
async def test_a_query_that_fits_nothing_is_refused(folder: Path, query: object) -> None:
    index = await opened(folder)
    with pytest.raises(InvalidArgument):
        index.search(query)  # type: ignore[arg-type]
    with pytest.raises(InvalidArgument, match="k is 0"):
        index.search(np.ones(DIM), k=0)


async def test_an_index_that_was_not_opened_says_so(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing, match="not open"):
        manager(tmp_path).search(np.ones(DIM))


# --- damage -----------------------------------------------------------------------------------

Damage = Callable[[Path], None]


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def remove(path: Path) -> None:
    path.unlink()


def foreign(path: Path) -> None:
    path.write_bytes(b"something else" * 100)


@pytest.mark.parametrize("damage", [truncate, flip, remove, foreign])
async def test_a_damaged_primary_is_named(folder: Path, damage: Damage) -> None:
    damage(folder / "primary.faiss")
    ready, error = await manager(folder).ensure_ready()
    assert not ready
    assert "primary.faiss is damaged" in (error or "")


@pytest.mark.parametrize("name", ["vectors-1.f16", "ids-1.i64"])
@pytest.mark.parametrize("damage", [truncate, remove])
async def test_missing_vectors_are_named(folder: Path, name: str, damage: Damage) -> None:
    damage(folder / name)
    ready, error = await manager(folder).ensure_ready()
    assert not ready
    assert name in (error or "")


@pytest.mark.parametrize("name", ["vectors-1.f16", "ids-1.i64"])
async def test_a_flipped_bit_does_not_get_into_the_next_build(folder: Path, name: str) -> None:
    flip(folder / name)
    index = await opened(folder)
    with pytest.raises(IndexDamaged, match=name):
        await index.compact()
    assert (folder / name).exists()


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"version": 1}', '{"version": "x", "vec_dim": 1}', '{"x":' + "[" * 9_999]
)
async def test_a_garbled_manifest_is_named(folder: Path, text: str) -> None:
    (folder / "primary.manifest.json").write_text(text)
    ready, error = await manager(folder).ensure_ready()
    assert not ready
    assert "primary.manifest.json is no index manifest" in (error or "")


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("version", 99, "version 99"),
        ("metric", "l2", "Metric mismatch"),
        ("vec_dim", 99, "Dimension mismatch"),
        ("primary_count", 5, "bytes"),
    ],
)
async def test_a_manifest_of_something_else_is_told(
    folder: Path, field: str, value: object, message: str
) -> None:
    path = folder / "primary.manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {field: value}))
    ready, error = await manager(folder).ensure_ready()
    assert not ready
    assert message in (error or "")


async def test_another_metric_is_told(tmp_path: Path) -> None:
    faiss.write_index(faiss.IndexFlatL2(DIM), str(tmp_path / "primary.faiss"))
    ready, error = await manager(tmp_path).ensure_ready()
    assert not ready
    assert "Metric mismatch" in (error or "")


async def test_another_model_is_told(tmp_path: Path) -> None:
    made = FAISSDualIndexManager(tmp_path, FaissConfig(), DIM, fingerprint="one")
    await made.rebuild([Batch(np.arange(5), unit(5, seed=0))])
    other = FAISSDualIndexManager(tmp_path, FaissConfig(), DIM, fingerprint="two")
    assert "Model mismatch" in str(await other.ensure_ready())


async def test_a_dimension_is_told_before_anything_is_built(tmp_path: Path) -> None:
    await (await opened(tmp_path)).add_incremental(unit(1, seed=0), [1])
    ready, error = await FAISSDualIndexManager(tmp_path, FaissConfig(), 99).ensure_ready()
    assert not ready
    assert "Dimension mismatch: delta-0.log holds vectors of 16, 99 are expected" in (error or "")


async def test_a_record_that_was_not_finished_is_dropped_and_overwritten(folder: Path) -> None:
    index = await opened(folder)
    for number in range(3):
        await index.add_incremental(unit(1, seed=number), [number + 1])
    truncate(folder / "delta-1.log")
    index = await opened(folder)
    assert {1, 2, 3} & everything(index).keys() == {1, 2}
    await index.add_incremental(unit(1, seed=5), [4])
    assert {1, 2, 3, 4} & everything(await opened(folder)).keys() == {1, 2, 4}


async def test_a_flipped_bit_in_the_log_is_named_and_loses_nothing(folder: Path) -> None:
    index = await opened(folder)
    for number in range(3):
        await index.add_incremental(unit(1, seed=number), [number + 1])
    before = (folder / "delta-1.log").read_bytes()
    for at in range(12, len(before), 5):
        (folder / "delta-1.log").write_bytes(
            before[:at] + bytes([before[at] ^ 4]) + before[at + 1 :]
        )
        ready, error = await manager(folder).ensure_ready()
        assert not ready
        assert "delta-1.log" in (error or "")
    (folder / "delta-1.log").write_bytes(before)
    assert {1, 2, 3} <= everything(await opened(folder)).keys()


async def test_a_damaged_folder_is_mended_by_rebuilding_it(folder: Path) -> None:
    foreign(folder / "primary.faiss")
    foreign(folder / "delta-1.log")
    index = manager(folder)
    await index.rebuild([Batch(np.arange(5), unit(5, seed=0))])
    assert everything(index).keys() == set(range(5))
    assert everything(await opened(folder)).keys() == set(range(5))


async def test_a_rebuild_that_repeats_an_id_leaves_everything_as_it_was(folder: Path) -> None:
    index = await opened(folder)
    batches = [Batch(np.arange(5), unit(5, seed=0)), Batch(np.arange(4, 9), unit(5, seed=1))]
    files = names(folder)
    with pytest.raises(InvalidArgument, match="the id 4 is given twice"):
        await index.rebuild(batches)
    assert len(everything(index)) == COUNT
    assert names(folder) == files


async def test_only_one_process_compacts(folder: Path) -> None:
    index = await opened(folder)
    with file_lock.hold(IndexFolder(folder).compactor_lock), pytest.raises(Busy, match="compacted"):
        await index.compact()
    await index.compact()


# --- without a GPU ----------------------------------------------------------------------------


@pytest.mark.skipif(hasattr(faiss, "StandardGpuResources"), reason="this FAISS knows GPUs")
async def test_without_a_gpu_the_index_is_served_and_says_why(folder: Path) -> None:
    index = manager(folder, use_cuvs=True)
    ready, error = await index.ensure_ready()
    assert ready
    assert error == "GPU degraded: this build of FAISS has no GPU support"
    assert index._gpu_enabled is False
    assert index._gpu_resources is index._primary_gpu is index._secondary_gpu is None
    assert index.search(unit(COUNT, seed=0)[3], k=1)[0][0] == 30
    await index.compact()
    assert not IndexManifest.from_file(folder / "primary.manifest.json").gpu_enabled


class LostDevice:
    """An index on a GPU that is gone."""

    ntotal = COUNT

    def search(self, *arguments: object, **options: object) -> None:
        raise RuntimeError("CUDA error 999\nand where it came from")


async def test_a_search_that_fails_on_the_gpu_goes_on_without_it(folder: Path) -> None:
    index = await opened(folder)
    index._gpu = GpuClone(LostDevice())
    assert index._gpu_enabled
    assert index.search(unit(COUNT, seed=0)[3], k=1)[0][0] == 30
    assert not index._gpu_enabled
    assert index._gpu_disabled_reason == "a search on the GPU failed: CUDA error 999"


@pytest.mark.parametrize("use_cuvs", ["auto", False])
async def test_a_gpu_that_nobody_asked_for_is_not_missed(folder: Path, use_cuvs: object) -> None:
    index = manager(folder, use_cuvs=use_cuvs)
    assert await index.ensure_ready() == (True, None)


# --- the manifest and the settings ------------------------------------------------------------


def test_a_manifest_is_read_as_it_was_written(tmp_path: Path) -> None:
    manifest = IndexManifest(vec_dim=2560, index_type="IVFPQ", nlist=512, pq_m=32, nprobe=9)
    manifest.to_file(tmp_path / "a.json")
    assert IndexManifest.from_file(tmp_path / "a.json") == manifest
    assert replace(manifest, nprobe=1) != manifest


async def test_all_settings_are_taken_as_well_as_the_part(folder: Path) -> None:
    index = FAISSDualIndexManager(folder, Settings(), DIM)
    assert await index.ensure_ready() == (True, None)
