"""What a branch switch costs: in the work tree there and back, and as a ref read through git.

Makes a repository of FILES files from the folders given, with a second branch that edits, adds and
removes some of them, and prints one JSON document. Times are seconds of wall clock in this process,
the checkout apart.

    .venv/bin/python benchmarks/branch_switch.py FOLDER... [--files 10000] [--edited 500]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from corpus import git, make_repository, source_files
from machine import machine

from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.app.local import open_index
from codeintel_rev.indexing.store import RepositoryFolder
from codeintel_rev.io.registry import Registry


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", type=Path, nargs="+")
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--edited", type=int, default=500)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="branch-switch-") as scratch:
        root = Path(scratch) / "repo"
        root.mkdir()
        lines = make_repository(root, options.sources, options.files)
        make_branch(root, options.edited)
        figures = measure(root)
    print(
        json.dumps(
            {
                "machine": machine(),
                "files": options.files,
                "lines": lines,
                "edited": options.edited,
                "figures": figures,
            },
            indent=1,
        )
    )


def make_branch(root: Path, edited: int) -> None:
    """Commit on ``other``: of every ten chosen files one is removed, one added, eight edited."""
    git(root, "checkout", "-q", "-b", "other")
    paths = list(source_files(root))
    for number, path in enumerate(paths[:: max(1, len(paths) // edited)][:edited]):
        if number % 10 == 0:
            path.unlink()
            continue
        target = path.with_stem(f"{path.stem}_new") if number % 10 == 1 else path
        target.write_bytes(path.read_bytes() + b"\n\nedited_on_the_other_branch = 1\n")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "other")
    git(root, "checkout", "-q", "main")


def measure(root: Path) -> list[dict[str, Any]]:
    figures = [timed(root, "build main")]
    for step in ("there", "back", "there again", "back again"):
        branch = "other" if step.startswith("there") else "main"
        git(root, "checkout", "-q", branch)
        figures.append(timed(root, f"switch {step}"))
    for step in ("search there", "search back"):
        git(root, "checkout", "-q", "other" if step.endswith("there") else "main")
        figures.append(searched(root, f"{step}, as a process"))
    figures.append(timed(root, "add main as a ref", refs=["main"]))
    figures.append(timed(root, "add other as a ref", refs=["other"]))
    git(root, "branch", "-q", "-f", "moving", "main")
    figures.append(timed(root, "add moving at main", refs=["moving"]))
    git(root, "branch", "-q", "-f", "moving", "other")
    figures.append(timed(root, "follow moving to other", refs=["moving"]))
    git(root, "branch", "-q", "-f", "moving", "main")
    figures.append(timed(root, "follow moving back", refs=["moving"]))
    figures.append(timed(root, "drop moving", drop_refs=["moving"]))
    return figures


def timed(root: Path, step: str, **request: Any) -> dict[str, Any]:
    """Run ``index`` and tell what it took and how many rows it made."""
    before = reserved_rows(root)
    started = time.perf_counter()
    report = index_repositories([root], **request)
    seconds = time.perf_counter() - started
    return {
        "step": step,
        "seconds": round(seconds, 3),
        "changed": report.added + report.changed + report.removed,
        "new_rows": reserved_rows(root) - before,
    }


def searched(root: Path, step: str) -> dict[str, Any]:
    """Run one ``codeintel search``, which has to follow the switch first."""
    command = [
        sys.executable,
        "-P",
        "-m",
        "codeintel_rev",
        "search",
        "edited_on_the_other_branch",
        "--repo",
        str(root),
    ]
    started = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return {"step": step, "seconds": round(time.perf_counter() - started, 3)}


def reserved_rows(root: Path) -> int:
    if not (root / ".codeintel").exists():
        return 0
    with open_index(root, refresh=False) as index:
        (repository,) = index.repositories
    registry = Registry(root / ".codeintel")
    folder = RepositoryFolder(registry.folder(repository))
    registry.close()
    return int(folder.state()[1]["reserved_rows"])  # type: ignore[call-overload]


if __name__ == "__main__":
    main()
