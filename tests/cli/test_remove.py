"""Taking repositories out of an index."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.app.local import LocalIndex, open_index
from codeintel_rev.cli import exit_codes
from codeintel_rev.cli.program import run
from codeintel_rev.config.settings import load_settings
from codeintel_rev.indexing.store import RepositoryFolder
from codeintel_rev.io import file_lock
from codeintel_rev.io.registry import Registry

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    for name in ("shop", "tools"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.py").write_text(f"def in_{name}():\n    return 1\n")
    index_repositories([tmp_path / "shop", tmp_path / "tools"], data_dir=tmp_path / "data")
    return tmp_path / "data"


def names(data_dir: Path) -> list[str]:
    with LocalIndex(data_dir, load_settings({})) as index:
        return [repository.name for repository in index.repositories]


def test_a_repository_is_gone_and_what_it_took_is_told(data_dir: Path, capsys: Capture) -> None:
    assert run(["remove", "shop", "--data-dir", str(data_dir), "--json"]) == exit_codes.DONE
    (removed,) = json.loads(capsys.readouterr().out)["repos"]
    assert removed["name"] == "shop"
    assert removed["bytes"] > 0
    assert names(data_dir) == ["tools"]
    assert len(list((data_dir / "repos").iterdir())) == 1
    assert (data_dir.parent / "shop" / "a.py").exists()
    assert run(["remove", "tools", "--data-dir", str(data_dir)]) == exit_codes.DONE
    assert capsys.readouterr().out.startswith("tools: removed, ")
    with open_index(data_dir.parent / "shop", data_dir=data_dir) as index:
        assert index.search("in_shop").hits, "an index without repositories begins anew"


def test_an_unknown_name_removes_nothing(data_dir: Path, capsys: Capture) -> None:
    assert run(["remove", "shop", "shed", "--data-dir", str(data_dir)]) == exit_codes.BAD_INPUT
    told = capsys.readouterr().err
    assert "'shed'" in told
    assert "shop, tools" in told
    assert names(data_dir) == ["shop", "tools"]


def test_who_writes_is_not_disturbed(data_dir: Path, capsys: Capture) -> None:
    registry = Registry(data_dir)
    folder = RepositoryFolder(registry.folder(registry.repositories()[0]))
    registry.close()
    with file_lock.hold(folder.writer_lock):
        words = ["remove", "shop", "--no-wait", "--data-dir", str(data_dir)]
        assert run(words) == exit_codes.BUSY
    assert names(data_dir) == ["shop", "tools"]


def test_an_open_index_goes_on_with_the_others(data_dir: Path) -> None:
    with LocalIndex(data_dir, load_settings({})) as index:
        assert run(["remove", "shop", "--data-dir", str(data_dir)]) == exit_codes.DONE
        assert [hit.uri for hit in index.search("in_tools").hits if hit.repo == "tools"] == ["a.py"]
