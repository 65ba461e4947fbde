"""Refs and addresses from the command line."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from codeintel_rev.cli import exit_codes
from codeintel_rev.cli.program import run

Capture = pytest.CaptureFixture[str]


def git(*args: str) -> None:
    identity = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
    subprocess.run(["git", *identity, *args], check=True)


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a branch ``dev``, the current folder, with nothing configured."""
    for name in ("CODEINTEL_DATA_DIR", "CODEINTEL_CONFIG", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    root = tmp_path / "web"
    root.mkdir()
    monkeypatch.chdir(root)
    git("init", "-q", "-b", "main")
    (root / "store.py").write_text("def save_session(session):\n    return session\n")
    git("add", "-A")
    git("commit", "-q", "-m", "one")
    git("checkout", "-q", "-b", "dev")
    (root / "cache.py").write_text("def evict_oldest():\n    return None\n")
    git("add", "-A")
    git("commit", "-q", "-m", "two")
    git("checkout", "-q", "main")
    return root


def document(capsys: Capture, *arguments: str) -> Any:
    assert run([*arguments, "--json"]) == exit_codes.DONE
    return json.loads(capsys.readouterr().out)


@pytest.mark.usefixtures("repo")
def test_a_branch_is_indexed_searched_shown_and_dropped(capsys: Capture) -> None:
    assert document(capsys, "index", "--ref", "dev")["added"] == 2
    hit = document(capsys, "search", "evict_oldest", "--ref", "dev")["hits"][0]
    assert (hit["ref"], hit["uri"], hit["stale"]) == ("dev", "cache.py", False)
    answer = document(capsys, "ask", "what evicts the oldest?", "--ref", "dev")
    assert answer["citations"][0]["uri"] == "cache.py"
    document(capsys, "index")
    status = document(capsys, "status")["repos"][0]
    assert [ref["ref"] for ref in status["refs"]] == ["dev", "main"]
    assert (status["ref"], status["behind"], status["changed_files"]) == ("main", 0, 0)
    document(capsys, "index", "--drop-ref", "dev")
    assert len(document(capsys, "status")["repos"][0]["refs"]) == 1


@pytest.mark.usefixtures("repo")
def test_a_ref_that_is_not_there_names_the_way_to_add_it(capsys: Capture) -> None:
    document(capsys, "index")
    assert run(["search", "anything", "--ref", "dev"]) == exit_codes.BAD_INPUT
    assert "codeintel index --ref dev" in capsys.readouterr().err
    assert run(["index", "--ref", "nowhere"]) == exit_codes.BAD_INPUT
    assert "no branch, tag or commit 'nowhere'" in capsys.readouterr().err


def test_an_address_is_refused_before_anything_is_written(
    repo: Path, tmp_path: Path, capsys: Capture
) -> None:
    for address in ("https://127.0.0.1/app.git", "ext::sh -c id", f"file://{repo}"):
        assert run(["index", address]) == exit_codes.BAD_INPUT
        capsys.readouterr()
    assert not (tmp_path / "data").exists()


def test_the_index_of_an_address_says_where_it_lies(
    repo: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIRROR_SCHEMES", "file")
    assert run(["index", f"file://{repo}"]) == exit_codes.DONE
    said = capsys.readouterr().err
    assert f"the index lies in {tmp_path / 'data' / 'codeintel' / 'web-'}" in said


@pytest.mark.usefixtures("repo")
def test_two_repositories_of_one_name_are_told_apart(tmp_path: Path, capsys: Capture) -> None:
    twin = tmp_path / "elsewhere" / "web"
    twin.mkdir(parents=True)
    (twin / "a.py").write_text("a = 1\n")
    data = ["--data-dir", str(tmp_path / "shared")]
    document(capsys, "index", ".", *data)
    assert run(["index", str(twin), *data]) == exit_codes.BAD_INPUT
    assert "--name" in capsys.readouterr().err
    document(capsys, "index", str(twin), "--name", "twin", *data)
    assert run(["index", ".", "--name", "other", *data]) == exit_codes.BAD_INPUT
    assert "names are stable" in capsys.readouterr().err
