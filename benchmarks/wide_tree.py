"""Indexes a tree of very many small files and says what that takes.

    python benchmarks/wide_tree.py [--files 100000]

Writes ``--files`` Python files of one function each, in folders of 200, as a git repository and
not committed. Prints one JSON document: for the walk alone, a full index, and a refresh with one
edited file, the seconds and the peak of private memory of the process that leads it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import machine

FOLDER = 200
FILE = "def function_{at}(value):\n    return value + {at}\n"
WALK = """
import sys
from pathlib import Path
from codeintel_rev.indexing.walker import walk
from codeintel_rev.io.git import discover
root = Path(sys.argv[1])
print(len(walk(root, git=discover(root)).files))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--files", type=int, default=100_000)
    count = parser.parse_args().files
    about = machine()
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch) / "wide"
        make(root, count)
        index = ["-m", "codeintel_rev", "--json", "index", str(root)]
        steps = {"walk": ["-c", WALK, str(root)], "index": index, "refresh": index}
        figures = {}
        for name, command in steps.items():
            (root / "0" / "part0.py").write_text(f"def edited(): return {name!r}\n")
            figures[name] = measured(command)
    print(json.dumps({"machine": about, "files": count, "figures": figures}, indent=2))


def make(root: Path, count: int) -> None:
    for at in range(count):
        folder = root / str(at // FOLDER)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"part{at}.py").write_text(FILE.format(at=at))
    subprocess.run(["git", "init", "-q", str(root)], check=True)


def measured(command: list[str]) -> dict[str, float]:
    """Run a Python process; returns its seconds and its own peak of private memory, in MiB."""
    started = time.perf_counter()
    with subprocess.Popen([sys.executable, *command], stdout=subprocess.DEVNULL) as process:
        peak = 0.0
        while process.poll() is None:
            peak = max(peak, private_mib(process.pid))
            time.sleep(0.02)
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}")
    return {
        "seconds": round(time.perf_counter() - started, 2),
        "private_mib": round(peak, 1),
    }


def private_mib(pid: int | str) -> float:
    """Return the anonymous memory of a process; mapped files are shared and can be dropped."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    kib = [line.split()[1] for line in status.splitlines() if line.startswith("RssAnon")]
    return int(kib[0]) / 1024 if kib else 0.0


if __name__ == "__main__":
    main()
