"""Refs and blobs are read from real repositories, without a work tree."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from codeintel_rev.errors import NotARepository, NotFound
from codeintel_rev.indexing.file_source import DiskSource
from codeintel_rev.indexing.git_tree import TreeSource, survey_tree
from codeintel_rev.indexing.parse_pool import ParsePool
from codeintel_rev.indexing.prepare import blob_oid, prepare_files
from codeintel_rev.indexing.walker import walk
from codeintel_rev.io.git_objects import GitObjects, ResolvedRef
from codeintel_rev.io.static_embedder import StaticEmbedder

IDENTITY = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")


def git(cwd: Path, *args: str) -> str:
    done = subprocess.run(
        ["git", *IDENTITY, *args], cwd=cwd, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of one commit on ``main``."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    folder = tmp_path / "repo"
    (folder / "pkg").mkdir(parents=True)
    (folder / "a.py").write_text("def a():\n    return 1\n")
    (folder / "pkg" / "odd \n\t\u00e9.py").write_text("def odd():\n    return 2\n")
    (folder / "big.py").write_text("x = 1\n" * 40_000)
    git(tmp_path, "init", "-q", "-b", "main", "repo")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "work")
    return folder


@pytest.fixture
def objects(root: Path) -> GitObjects:
    return GitObjects(root / ".git")


def test_a_branch_wins_over_a_tag_of_the_same_name(root: Path, objects: GitObjects) -> None:
    git(root, "tag", "-a", "-m", "old", "release")
    (root / "b.py").write_text("b = 1\n")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "more")
    git(root, "branch", "release")
    head = git(root, "rev-parse", "HEAD")
    assert objects.resolve("release") == ResolvedRef("refs/heads/release", head)
    tag = objects.resolve("refs/tags/release")
    assert (tag.label, tag.commit) == ("release", git(root, "rev-parse", "HEAD~1"))


def test_head_is_the_branch_that_it_names(root: Path, objects: GitObjects) -> None:
    assert objects.resolve("HEAD").name == "refs/heads/main"
    git(root, "checkout", "-q", "--detach")
    commit = git(root, "rev-parse", "HEAD")
    assert objects.resolve("HEAD") == ResolvedRef(commit, commit)
    assert objects.default_branch() is None


def test_a_name_that_is_no_commit_is_not_found(root: Path, objects: GitObjects) -> None:
    blob = git(root, "rev-parse", "HEAD:a.py")
    for name in (blob, "HEAD:a.py", "main..main", "--all", "^main", "refs/heads/", "0" * 40):
        with pytest.raises(NotFound):
            objects.resolve(name)


def test_commits_are_counted_where_both_are_known(root: Path, objects: GitObjects) -> None:
    first = git(root, "rev-parse", "HEAD")
    for _ in range(3):
        git(root, "commit", "-q", "--allow-empty", "-m", "more")
    assert objects.commits_between(first, git(root, "rev-parse", "HEAD")) == 3
    assert objects.commits_between("1" * 40, first) is None


def test_blobs_are_read_in_the_order_asked(root: Path, objects: GitObjects) -> None:
    names = ("big.py", "a.py", "big.py")
    oids = [bytes.fromhex(git(root, "rev-parse", f"HEAD:{name}")) for name in names]
    reader = objects.read_blobs()
    try:
        found = list(reader.read([oids[0], b"\1" * 20, *oids[1:]] * 200))
    finally:
        reader.close()
    expected = [(root / name).read_bytes() for name in names]
    assert found == [expected[0], None, *expected[1:]] * 200


def test_git_and_we_give_bytes_the_same_name(root: Path) -> None:
    assert blob_oid((root / "a.py").read_bytes()).hex() == git(root, "rev-parse", "HEAD:a.py")


def test_a_commit_yields_what_its_work_tree_would(root: Path, objects: GitObjects) -> None:
    survey = survey_tree(objects, objects.resolve("main"), max_file_bytes=1 << 20)
    on_disk = walk(root).files
    assert [(e.path, e.size) for e in survey.files] == [(e.path, e.size) for e in on_disk]
    source = TreeSource(root / ".git")
    here = prepare_files("r", source, survey.files, StaticEmbedder())
    source.close()
    there = prepare_files("r", DiskSource(root), on_disk, StaticEmbedder())
    facts = [(f.content_hash, f.oid, [c.id for c in f.chunks]) for f in here]
    assert facts == [(f.content_hash, f.oid, [c.id for c in f.chunks]) for f in there]


def test_workers_read_blobs_themselves(root: Path, objects: GitObjects) -> None:
    files = survey_tree(objects, objects.resolve("main"), max_file_bytes=1 << 20).files
    source = TreeSource(root / ".git")
    here = prepare_files("r", source, files, StaticEmbedder())
    pool = ParsePool(1, "r", source, None)
    try:
        (there,) = pool.run([files])
    finally:
        pool.close()
        source.close()
    assert [f.content_hash for f in there] == [f.content_hash for f in here]
    assert all(f.skip_reason is None for f in there)


def test_a_name_that_cannot_be_kept_is_none(root: Path, objects: GitObjects) -> None:
    name = os.fsdecode(b"caf\xe9")
    git(root, "checkout", "-q", "-b", name)
    commit = git(root, "rev-parse", "HEAD")
    assert objects.default_branch() is None
    assert objects.resolve("HEAD") == (commit, commit)
    with pytest.raises(NotFound):
        objects.resolve(name)


def test_git_may_complain_about_every_blob(root: Path, objects: GitObjects) -> None:
    """As it does about damaged ones: nobody reads that."""
    kept = root / ".git" / "objects"
    oids = [f"{number:040x}" for number in range(1_500)]
    for oid in oids:
        (kept / oid[:2]).mkdir(exist_ok=True)
        (kept / oid[:2] / oid[2:]).write_bytes(b"no object")
    reader = objects.read_blobs()
    try:
        assert list(reader.read([bytes.fromhex(oid) for oid in oids])) == [None] * len(oids)
    finally:
        reader.close()


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotARepository, match="there is no folder"):
        GitObjects(tmp_path / "gone").tree("0" * 40)
