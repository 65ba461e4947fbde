"""A git repository of a given size, made of real source files."""

from __future__ import annotations

import itertools
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

SUFFIXES = {".py", ".js", ".ts", ".go", ".java", ".rs", ".c", ".h", ".cpp", ".md", ".rb", ".php"}
FILES_A_FOLDER = 50


def make_repository(root: Path, sources: Iterable[Path], files: int) -> int:
    """Fill the folder ``root`` with ``files`` files taken from ``sources`` and commit them.

    Where the sources hold fewer, they are taken again with a first line that tells the copies
    apart. Returns how many lines there are. A repository that is there already is kept.
    """
    if (root / ".git").exists():
        return count_lines(root)
    found = [path for source in sources for path in source_files(source)]
    if not found:
        raise SystemExit("the folders given hold no source files")
    for number, path in zip(range(files), itertools.cycle(found)):
        target = root / f"part{number // FILES_A_FOLDER:03}" / f"{number:05}_{path.name}"
        target.parent.mkdir(parents=True, exist_ok=True)
        if number < len(found):
            shutil.copyfile(path, target)
        else:
            target.write_bytes(b"// copy %d\n" % number + path.read_bytes())
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "all files")
    return count_lines(root)


def source_files(folder: Path) -> Iterator[Path]:
    """Yield the source files below ``folder`` that an index would take, in a fixed order."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in SUFFIXES and path.is_file() and 200 < path.stat().st_size < 200_000:
            yield path


def count_lines(root: Path) -> int:
    """Return the number of lines in the repository's files."""
    return sum(path.read_bytes().count(b"\n") for path in source_files(root))


def git(root: Path, *args: str) -> None:
    """Run git in ``root`` as a made-up author."""
    identity = ("-c", "user.name=bench", "-c", "user.email=bench@example.org")
    subprocess.run(["git", *identity, *args], cwd=root, check=True)
