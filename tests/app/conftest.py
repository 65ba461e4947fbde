"""Repositories with a history."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Git = Callable[..., str]


@pytest.fixture
def git(monkeypatch: pytest.MonkeyPatch) -> Git:
    """Run git in a folder as somebody without a configuration."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)

    def run(cwd: Path, *args: str) -> str:
        identity = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")
        done = subprocess.run(
            ["git", *identity, *args], cwd=cwd, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    return run


@pytest.fixture
def history(tmp_path: Path, git: Git) -> Path:
    """A repository with the branches ``main`` and ``dev``, and the tag ``v1`` on main's parent.

    ``shared.py`` is the same everywhere, ``cart.py`` differs on ``dev``, ``only.py`` is only there.
    """
    root = tmp_path / "shop"
    root.mkdir()
    git(tmp_path, "init", "-q", "-b", "main", "shop")
    write(root, "shared.py", "def parse_order(text):\n    return text.split()\n")
    write(root, "cart.py", "def total_price(items):\n    return sum(items)\n")
    commit(git, root)
    git(root, "tag", "v1")
    write(root, "main.py", "def start_server():\n    return 1\n")
    commit(git, root)
    git(root, "checkout", "-q", "-b", "dev")
    write(root, "cart.py", "def total_price(items, tax):\n    return sum(items) * tax\n")
    write(root, "only.py", "def experimental_discount():\n    return 5\n")
    commit(git, root)
    git(root, "checkout", "-q", "main")
    return root


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    past = path.stat().st_mtime_ns - 60_000_000_000
    os.utime(path, ns=(past, past))


def commit(git: Git, root: Path) -> str:
    git(root, "add", "-A")
    git(root, "commit", "-q", "--no-verify", "-m", "work")
    return git(root, "rev-parse", "HEAD")
