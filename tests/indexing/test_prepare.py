from __future__ import annotations

import os
import threading
from pathlib import Path
from pickle import PicklingError
from typing import cast

import numpy as np
import pytest

from codeintel_rev.indexing.file_source import DiskSource, read_file
from codeintel_rev.indexing.parse_pool import ParsePool
from codeintel_rev.indexing.prepare import PreparedFile, chunk_id, prepare_files
from codeintel_rev.io.packing import unpack_text
from codeintel_rev.io.static_embedder import StaticEmbedder
from codeintel_rev.text.secrets import Secret
from codeintel_rev.types import FileEntry

CODE = "def parse(text):\n    return text.split()\n\n\ndef render(rows):\n    return rows\n"


def entries(root: Path, *names: str) -> list[FileEntry]:
    found = []
    for name in names:
        stat = (root / name).stat()
        found.append(FileEntry(name, stat.st_size, stat.st_mtime_ns, stat.st_ino))
    return found


def facts(file: PreparedFile) -> tuple[object, ...]:
    return file.entry.path, file.content_hash, file.skip_reason, [c.id for c in file.chunks]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for at in range(6):
        (tmp_path / f"m{at}.py").write_text(CODE.replace("parse", f"parse_{at}"))
    (tmp_path / "logo.py").write_bytes(b"\0\x01\x02" * 50)
    return tmp_path


def test_a_prepared_file_holds_text_terms_and_unit_vectors(root: Path) -> None:
    (file,) = prepare_files("shop", DiskSource(root), entries(root, "m0.py"), StaticEmbedder())
    assert file.lang == "python"
    assert file.line_count == 6
    assert "".join(unpack_text(c.content) for c in file.chunks).count("def ") == 2
    assert "parse" in file.chunks[0].body_terms.split()
    assert file.vectors is not None
    assert np.linalg.norm(file.vectors.astype(np.float32), axis=1) == pytest.approx(1, abs=1e-2)
    assert {s.name for s in file.symbols} == {"parse_0", "render"}


def test_the_head_of_a_file_tells_its_language_where_the_name_does_not(root: Path) -> None:
    (root / "deploy").write_text("#!/usr/bin/env bash\nrun() { :; }\n")
    (root / "box.h").write_text("class Box {\n public:\n  int size();\n};\n")
    files = prepare_files(
        "shop", DiskSource(root), entries(root, "deploy", "box.h"), StaticEmbedder()
    )
    assert [file.lang for file in files] == ["bash", "cpp"]


def test_a_secret_in_the_text_is_noted_with_its_line(root: Path) -> None:
    (root / "settings.py").write_text("import os\nKEY = 'AKIA" + "Q7RZ2MXPL4TWB3NY'\n")
    (file,) = prepare_files(
        "shop", DiskSource(root), entries(root, "settings.py"), StaticEmbedder()
    )
    assert file.secrets == [Secret(2, "aws_access_key")]


def test_a_binary_file_says_why_it_was_left_out(root: Path) -> None:
    (file,) = prepare_files("shop", DiskSource(root), entries(root, "logo.py"), StaticEmbedder())
    assert file.skip_reason == "binary"
    assert file.chunks == []


def test_ids_depend_on_all_that_a_row_holds_and_on_nothing_else() -> None:
    base = ("shop", "a.py", "python", "function", "f", "def f(): ...", 0)
    ids = {chunk_id(*base)}
    for at, other in enumerate(("x", "b.py", "go", "method", "g", "def f(): pass", 1)):
        ids.add(chunk_id(*base[:at], other, *base[at + 1 :]))  # type: ignore[arg-type]
    assert len(ids) == 8
    assert chunk_id(*base) in ids
    assert all(0 <= i < 2**63 for i in ids)
    assert chunk_id("ab", "c", *base[2:]) != chunk_id("a", "bc", *base[2:])


def test_links_pipes_and_missing_files_are_not_read(root: Path) -> None:
    (root / "link.py").symlink_to(root / "m0.py")
    os.mkfifo(root / "pipe.py")
    for name in ("link.py", "pipe.py", "gone.py"):
        assert read_file(root, FileEntry(name, 1, 1)) is None


def test_a_folder_that_became_a_link_leads_nowhere(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    for folder in (root / "pkg" / "inner", outside / "inner"):
        folder.mkdir(parents=True)
        (folder / "a.py").write_text("x = 1\n")
    entry = FileEntry("pkg/inner/a.py", 6, 1)
    (tmp_path / "other name").symlink_to(root)
    assert read_file(root, entry) is not None
    assert read_file(tmp_path / "other name", entry) is not None
    (root / "pkg").rename(root / "was")
    (root / "pkg").symlink_to(outside)
    assert read_file(root, entry) is None


def test_workers_prepare_what_this_process_would(root: Path) -> None:
    found = entries(root, *sorted(path.name for path in root.glob("*.py")))
    here = prepare_files("shop", DiskSource(root), found, StaticEmbedder())
    pool = ParsePool(2, "shop", DiskSource(root), None)
    try:
        there = [file for batch in pool.run([found[:3], found[3:]]) for file in batch]
    finally:
        pool.close()
    assert sorted(map(facts, there)) == sorted(map(facts, here))


def test_no_thread_is_left_when_the_store_takes_no_more(root: Path) -> None:
    found = entries(root, *sorted(path.name for path in root.glob("*.py")))
    pool = ParsePool(1, "shop", DiskSource(root), None, embeds=False)
    before = threading.active_count()
    try:
        assert next(pool.run([found[:1]] * 20))
    finally:
        pool.close()
    assert threading.active_count() <= before


def test_whatever_ends_a_batch_is_told(root: Path) -> None:
    pool = ParsePool(1, "shop", DiskSource(root), None, embeds=False)
    unsendable = cast("FileEntry", lambda: None)
    try:
        with pytest.raises((AttributeError, TypeError, PicklingError)):
            next(pool.run([[unsendable]]))
    finally:
        pool.close()
