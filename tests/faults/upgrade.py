"""Index with programs of earlier commits, and bring what they made up to date with this one.

    python -m tests.faults.upgrade [COMMIT ...]

Each commit's package is taken out of this checkout's history and run in this environment. What the
present program then says of its index is printed, and what it finds after ``index`` is compared with
a fresh build. Without a commit, those are taken at which the journal's tables or a component's version
changed, each as it was just before.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.app.local import open_index
from codeintel_rev.errors import CodeIntelError
from tests.faults.kill import source
from tests.faults.oracle import contents

_CHANGES = (
    r"^    [a-z_]+ (INTEGER|TEXT|BLOB) NOT NULL"
    r"|^(SCHEMA|CHUNKER|TOKENIZER|INPUT|REGISTRY)_VERSION.* = [0-9]"
)
_INDEX = "from codeintel_rev.__main__ import main; import sys; sys.argv[1:] = ['index']; main()"


def git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], capture_output=True, check=True).stdout


def changing_commits() -> list[str]:
    """Return the commits before those that changed what is on disk, the newest first."""
    found = git("log", "--format=%h", "--perl-regexp", f"-G{_CHANGES}", "--", "codeintel_rev")
    return [f"{commit}~1" for commit in found.decode().split()]


def made_by(commit: str, root: Path, package: Path) -> str:
    """Index ``root`` with the program of ``commit``; returns why that cannot be, if it cannot."""
    try:
        archive = git("archive", commit, "codeintel_rev")
    except subprocess.CalledProcessError:
        return "there is no program yet"
    with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
        packed.extractall(package, filter="data")
    if not (package / "codeintel_rev" / "cli" / "index.py").exists():
        return "there is no `index` yet"
    ran = subprocess.run(
        [sys.executable, "-P", "-c", _INDEX],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(package)},
        capture_output=True,
        text=True,
        check=False,
    )
    made = any(root.glob(".codeintel/repos/*/state.sqlite"))
    return "" if made and not ran.returncode else f"it does not index: {ran.stderr.strip()[-80:]}"


def opened(root: Path, *, refresh: bool) -> str:
    """Say how the present program opens and searches an index."""
    try:
        with open_index(root, refresh=refresh) as index:
            found = index.search("part number 2")
    except CodeIntelError as error:
        return f"{error.message} ({error.hint})"
    return f"{len(found.hits)} hits {' '.join(found.limits)}".strip()


def brought_up(root: Path) -> str:
    """Make an index this program's, by what its errors say; return what it took."""
    for told, full in (("brought up to date", False), ("built anew", True)):
        try:
            index_repositories([root], full=full)
        except CodeIntelError as error:
            print(f"  {error.message} ({error.hint})")
        else:
            return told
    shutil.rmtree(root / ".codeintel")
    index_repositories([root])
    return "deleted and made again"


def tried(commit: str, folder: Path) -> str:
    """Return what becomes of an index that ``commit`` made."""
    root = folder / "shop"
    root.mkdir()
    for number in range(4):
        (root / f"part{number}.py").write_text(source(number, "only"))
    told = made_by(commit, root, folder / "package")
    if told:
        return told
    as_it_is = opened(root, refresh=False)
    after = brought_up(root)
    result = contents(root)
    shutil.rmtree(root / ".codeintel")
    index_repositories([root])
    same = "as a fresh build" if contents(root) == result else "OTHERWISE than a fresh build"
    return f"as it is: {as_it_is}; index: {after}, {same}"


def main() -> None:
    for commit in sys.argv[1:] or changing_commits():
        with TemporaryDirectory() as folder:
            print(f"{commit}: {tried(commit, Path(folder))}", flush=True)


if __name__ == "__main__":
    main()
