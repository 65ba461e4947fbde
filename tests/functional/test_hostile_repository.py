"""A repository whose configuration names programs: none of them runs, whatever is done with it."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

import codeintel_rev

PATIENCE_S = 30.0


@pytest.fixture
def hostile(tmp_path: Path) -> tuple[Path, Path]:
    """A repository that would run a program in many ways, and the file that the program makes."""
    root, trace = tmp_path / "shop", tmp_path / "it-ran"
    root.mkdir()
    (root / "basket.py").write_text("def add_to_basket(item):\n    return item\n")
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    for words in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-q", "-m", "one")):
        subprocess.run(["git", *identity, *words], cwd=root, check=True)
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\necho $0 $@ >> '{trace}'\ncat\n")
    program.chmod(0o755)
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("post-index-change", "post-checkout", "pre-auto-gc", "reference-transaction"):
        (hooks / name).symlink_to(program)
    settings = {
        "core.fsmonitor": program,
        "core.hooksPath": hooks,
        "core.pager": program,
        "core.sshCommand": program,
        "diff.external": program,
        "filter.evil.clean": program,
        "filter.evil.smudge": program,
        "filter.evil.process": program,
    }
    for name, value in settings.items():
        subprocess.run(["git", "config", name, str(value)], cwd=root, check=True)
    (root / ".gitattributes").write_text("*.py filter=evil diff=evil\n")
    (root / "link.py").symlink_to("/etc/passwd")
    (root / "a b'\"$(touch it-ran).py").write_text("def odd_name():\n    return 1\n")
    return root, trace


def test_nothing_of_it_runs_or_leaves_the_root(hostile: tuple[Path, Path]) -> None:
    root, trace = hostile
    with codeintel_rev.open(root, watch=True) as index:
        assert index.search("odd_name").hits[0].symbol == "odd_name"
        assert not any("root:" in hit.code for hit in index.search("root bash").hits)
        (root / "basket.py").write_text("def empty_basket():\n    return None\n")
        deadline = time.monotonic() + PATIENCE_S
        while not any("empty_basket" in hit.code for hit in index.search("empty_basket").hits):
            assert time.monotonic() < deadline
        assert index.ask("how is the basket emptied?").citations
        index.status()
    codeintel_rev.open(root).close()
    assert not trace.exists(), trace.read_text()
    assert not (root / "it-ran").exists()
