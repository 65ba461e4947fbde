"""This program, semble and ChunkHound over a repository that is edited while it is searched.

    python benchmarks/peers/edits.py TREE --peer-python PY --chunkhound EXE [--home DIR]

Every searcher works as it does from a shell: one process a search, and one an update where the searcher
does not bring its index up to date by itself. ``PY`` belongs to the environment of the peers' comparison,
``EXE`` to one with ``chunkhound==6.1.0``, which has its database under DuckDB and no embeddings.
``DIR`` is the home folder in which ChunkHound's DuckDB finds its ``vss`` extension, if not yours.

Prints one JSON document: for each searcher the time of the first index, the time and processor time from
an edited file to a search that finds the edit, and what became of the searches of eight readers while
a writer edits and updates.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from model_folder import write_model

sys.path.append(str(Path(__file__).parents[1]))
from machine import machine

READERS = 8
EDITED = "edited_while_searched.py"
PATIENCE = 120
"""Seconds that one command may take."""


class Searcher(NamedTuple):
    """How one program is used from a shell."""

    update: list[str] | None
    """Brings the index up to date; ``None`` when a search does it."""
    search: Callable[[str], list[str]]
    env: Mapping[str, str]


class Answer(NamedTuple):
    """What one command came to."""

    printed: str
    complaint: str | None


def searchers(options: argparse.Namespace, scratch: Path) -> dict[str, Searcher]:
    """Return the programs that are compared, each with an index of its own."""
    ours = [sys.executable, "-m", "codeintel_rev"]
    data = ["--data-dir", str(scratch / "ours")]
    hound = ["--db", str(scratch / "chunkhound")]
    write_model(scratch / "model")
    semble = {
        "SEMBLE_MODEL_NAME": str(scratch / "model"),
        "SEMBLE_CACHE_LOCATION": str(scratch / "cache"),
        "HF_HUB_OFFLINE": "1",
    }
    peer = str(Path(options.peer_python).with_name("semble"))
    home = {"HOME": options.home} if options.home else {}
    return {
        "codeintel": Searcher(None, lambda name: [*ours, "search", name, *data, "--json"], {}),
        "semble 0.7.0": Searcher(
            None, lambda name: [peer, "search", name, ".", "-k", "10"], semble
        ),
        "ChunkHound 6.1.0": Searcher(
            [options.chunkhound, "index", ".", *hound, "--no-embeddings"],
            lambda name: [options.chunkhound, "search", "--regex", name, ".", *hound],
            home,
        ),
    }


class Work:
    """A repository of its own for one searcher, to edit and to search."""

    def __init__(self, tree: Path, folder: Path, searcher: Searcher) -> None:
        self._root, self._searcher = folder, searcher
        self._edits = 0
        shutil.copytree(tree, folder, ignore=shutil.ignore_patterns(".git"))
        for command in (["init", "-q"], ["add", "-A"]):
            subprocess.run(["git", *command], cwd=folder, check=True)

    def edit(self) -> str:
        """Add a function to a file; return its name."""
        name = f"peer_marker_{self._edits:03}"
        self._edits += 1
        with (self._root / EDITED).open("a", encoding="utf-8") as file:
            file.write(f"\n\ndef {name}(value: int) -> int:\n    return value + {self._edits}\n")
        return name

    def update(self) -> Answer:
        """Bring the index up to date, where that is a command of its own."""
        return self._run(self._searcher.update) if self._searcher.update else Answer("", None)

    def search(self, name: str) -> Answer:
        """Search for a name."""
        return self._run(self._searcher.search(name))

    def _run(self, command: list[str]) -> Answer:
        env = os.environ | self._searcher.env
        try:
            done = subprocess.run(
                command,
                cwd=self._root,
                env=env,
                capture_output=True,
                text=True,
                timeout=PATIENCE,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Answer("", f"no answer within {PATIENCE} s")
        said = (done.stderr.strip() or done.stdout.strip() or "?").splitlines()[-1]
        return Answer(done.stdout, plain(said) if done.returncode else None)


def plain(said: str) -> str:
    """Return a complaint without what differs from process to process, so that equal ones count as one."""
    return re.sub(r"/\S+", "PATH", re.sub(r"\d+", "N", said))[:160]


def processor_seconds() -> float:
    """Return what all ended child processes took of the processors."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def edited(work: Work) -> tuple[float, float, bool]:
    """Return seconds and processor seconds from an edit to its search, and whether it was found."""
    name = work.edit()
    started, used = time.perf_counter(), processor_seconds()
    work.update()
    found = name in work.search(name).printed
    return time.perf_counter() - started, processor_seconds() - used, found


def kind(answer: Answer, name: str) -> str:
    """Return what became of a search for a name that has long been indexed."""
    if answer.complaint is not None:
        return f"failed: {answer.complaint}"
    return "right" if name in answer.printed else "wrong"


def crowd(work: Work, name: str, seconds: float) -> dict[str, Any]:
    """Return what became of the searches of all readers, and of the updates of a writer."""
    until = time.monotonic() + seconds

    def read() -> Counter[str]:
        seen: Counter[str] = Counter()
        while time.monotonic() < until:
            seen[kind(work.search(name), name)] += 1
        return seen

    def write() -> Counter[str]:
        seen: Counter[str] = Counter()
        while time.monotonic() < until:
            own = work.edit()
            complaint = work.update().complaint
            answer = work.search(own) if complaint is None else Answer("", complaint)
            seen[kind(answer, own)] += 1
        return seen

    with ThreadPoolExecutor(READERS + 1) as pool:
        writer = pool.submit(write)
        readers = [pool.submit(read) for _ in range(READERS)]
        searches = sum((reader.result() for reader in readers), Counter[str]())
        return {"searches": dict(searches), "edits": dict(writer.result())}


def measured(work: Work, edits: int, seconds: float) -> dict[str, Any]:
    """Return all that is told of one searcher."""
    first = work.edit()
    started = time.perf_counter()
    complaint = work.update().complaint or work.search(first).complaint
    index_s = time.perf_counter() - started
    rows = [edited(work) for _ in range(edits)]
    return {
        "index_and_search_s": round(index_s, 2),
        "complaint": complaint,
        "edit_to_search_s": round(median(row[0] for row in rows), 3),
        "edit_to_search_processor_s": round(median(row[1] for row in rows), 3),
        "edits_found": [sum(row[2] for row in rows), edits],
        "crowd": crowd(work, first, seconds),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("tree", type=Path)
    parser.add_argument("--peer-python", required=True)
    parser.add_argument("--chunkhound", required=True)
    parser.add_argument("--home")
    parser.add_argument("--edits", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=40)
    options = parser.parse_args()
    about = machine()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        found = {
            title: measured(
                Work(options.tree, scratch / f"tree-{number}", searcher),
                options.edits,
                options.seconds,
            )
            for number, (title, searcher) in enumerate(searchers(options, scratch).items())
        }
    files = sum(1 for file in options.tree.rglob("*") if file.is_file())
    document = {"machine": about, "tree": options.tree.name, "files": files, "searchers": found}
    print(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
