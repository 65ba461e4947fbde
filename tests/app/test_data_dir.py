"""Where an index lies: beside the code, unless what stands there came with the code."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from codeintel_rev.app.data_dir import data_dir_for_search
from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.app.local import open_index
from codeintel_rev.config.settings import Settings, load_settings
from codeintel_rev.errors import InvalidArgument

from .conftest import Git, commit, write

HOSTILE = "def came_with_the_code():\n    return 1\n"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({"XDG_DATA_HOME": str(tmp_path / "home")})


@pytest.fixture
def theirs(tmp_path: Path, git: Git) -> Path:
    """A repository of somebody else."""
    root = tmp_path / "theirs"
    write(root, "pay.py", "def pay_invoice():\n    return 1\n")
    git(tmp_path, "init", "-q", "-b", "main", "theirs")
    commit(git, root)
    return root


def cloned(git: Git, root: Path) -> Path:
    git(root.parent, "clone", "-q", str(root), "ours")
    return root.parent / "ours"


def place(root: Path, settings: Settings) -> Path:
    return data_dir_for_search(None, root, settings.data_home)[0]


def searched(root: Path, query: str, settings: Settings) -> set[str]:
    with open_index(root, settings=settings) as index:
        return {hit.uri for hit in index.search(query).hits if query in hit.code}


def test_an_index_lies_beside_the_code_for_its_owner_alone(
    theirs: Path, settings: Settings
) -> None:
    index_repositories([theirs], settings=settings)
    assert place(theirs, settings) == theirs / ".codeintel"
    assert stat.S_IMODE((theirs / ".codeintel").stat().st_mode) == 0o700


def test_a_home_that_is_not_there_is_told(theirs: Path, settings: Settings) -> None:
    nobody = Path("~no-such-user-here/index")
    with pytest.raises(InvalidArgument, match="no home directory"):
        data_dir_for_search(nobody, theirs, settings.data_home)
    with pytest.raises(InvalidArgument, match="no home directory"):
        data_dir_for_search(None, nobody, settings.data_home)


def test_an_index_that_was_committed_is_not_read(
    theirs: Path, git: Git, settings: Settings
) -> None:
    write(theirs, "hidden.py", HOSTILE)
    index_repositories([theirs], settings=settings)
    (theirs / "hidden.py").unlink()
    git(theirs, "add", "-f", ".codeintel/registry.sqlite", ".codeintel/repos")
    commit(git, theirs)
    root = cloned(git, theirs)
    assert (root / ".codeintel" / "registry.sqlite").exists()
    assert searched(root, "came_with_the_code", settings) == set()
    assert searched(root, "pay_invoice", settings) == {"pay.py"}
    assert place(root, settings).is_relative_to(settings.data_home)
    assert git(root, "status", "--porcelain") == ""


def test_a_link_that_was_committed_leads_nowhere(
    theirs: Path, tmp_path: Path, git: Git, settings: Settings
) -> None:
    precious = tmp_path / "elsewhere" / "repos" / "precious" / "work.txt"
    write(precious.parent, precious.name, "years\n")
    (theirs / ".codeintel").symlink_to(tmp_path / "elsewhere")
    commit(git, theirs)
    assert searched(cloned(git, theirs), "pay_invoice", settings) == {"pay.py"}
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["repos"]
    assert precious.exists()


def test_a_folder_that_is_no_index_is_not_deleted(theirs: Path, settings: Settings) -> None:
    kept = theirs / ".codeintel" / "repos" / "precious" / "work.txt"
    write(kept.parent, kept.name, "years\n")
    index_repositories([theirs], settings=settings)
    index_repositories([theirs], settings=settings)
    assert kept.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_an_index_of_another_user_above_is_passed_by(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted, inner = tmp_path / ".codeintel", tmp_path / "inner"
    planted.mkdir()
    inner.mkdir()
    monkeypatch.chdir(inner)
    assert data_dir_for_search(None, None, settings.data_home) == (planted, tmp_path)
    os.chown(planted, 65534, 65534)
    found = data_dir_for_search(None, None, settings.data_home)
    assert found == (inner / ".codeintel", inner)
