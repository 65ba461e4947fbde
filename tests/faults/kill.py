"""Kills a process at many of its steps, and looks at what is left.

After each kill: the index opens, it holds what it held before or what it was to hold, nothing that
was committed is lost, no lock stays held; the next ``index`` gives exactly what a fresh build
gives; and after the next compaction no file is left that nothing names.

``python -m tests.faults.kill --points 200`` prints what happened as JSON.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from codeintel_rev.app.compaction import compact_data_dir
from codeintel_rev.app.indexer import index_repositories, quiet
from codeintel_rev.errors import IndexMissing
from codeintel_rev.indexing.store import RepositoryFolder
from codeintel_rev.io import file_lock
from codeintel_rev.io.journal import Journal
from codeintel_rev.io.journal_schema import connect
from codeintel_rev.io.registry import Registry
from tests.faults.oracle import NOTHING, Contents, contents, fresh_build

ACTIONS = ("index", "batches", "workers", "refresh", "rebuild", "compact", "recompact")
"""``batches`` builds in many commits, ``workers`` with parse workers; ``recompact`` has a generation
to take over, and chunks to drop."""

FILES = 8


class Scene(NamedTuple):
    """A repository and its index before the work, kept to be played again."""

    action: str
    root: Path
    saved: Path
    before: Contents
    after: Contents
    steps: list[str]

    def restore(self) -> None:
        """Put everything back to where it was before the work."""
        shutil.rmtree(self.root, ignore_errors=True)
        shutil.copytree(self.saved, self.root)

    @property
    def done_at(self) -> int:
        """The step after which the work must not be lost: the last statement that wrote."""
        writes = [at for at, name in enumerate(self.steps) if name.startswith("after sql")]
        return writes[-1]


class Kill(NamedTuple):
    """Where to kill: at a step, or after a time in seconds."""

    step: int | None
    seconds: float | None


def source(number: int, word: str) -> str:
    """Return the text of one file."""
    functions = "\n\n".join(
        f"def {word}_{number}_{at}(path):\n    value = open(path)\n    return value, {at}"
        for at in range(4)
    )
    return f'"""Part number {number}."""\n\n{functions}\n'


def edit(root: Path) -> None:
    """Change, add, delete and rename files."""
    (root / "part0.py").write_text(source(0, "edited"))
    (root / "part1.py").write_text((root / "part1.py").read_text() + "\n\nLIMIT = 1\n")
    (root / "part2.py").unlink()
    (root / "part3.py").rename(root / "renamed.py")
    (root / "added.py").write_text(source(99, "added"))


def forget_the_dead(root: Path) -> None:
    """Let every version that no snapshot holds be older than compaction keeps it."""
    (path,) = (root / ".codeintel").glob("repos/*/state.sqlite")
    connection = connect(path)
    connection.execute("UPDATE version SET retired_ns = 0")
    connection.close()


def set_scene(folder: Path, action: str) -> Scene:
    """Make a repository in the state in which ``action`` finds it, and learn its steps."""
    root, saved = folder / "shop", folder / "saved"
    root.mkdir(parents=True)
    for number in range(FILES):
        (root / f"part{number}.py").write_text(source(number, "only"))
    if action not in ("index", "batches", "workers"):
        index_repositories([root])
        if action == "recompact":
            compact_data_dir(root / ".codeintel", progress=quiet)
        edit(root)
    if action in ("compact", "recompact"):
        index_repositories([root])
        forget_the_dead(root)
    shutil.copytree(root, saved)
    before = _held(root)
    after = fresh_build(root, folder / "fresh")
    done = _victim(action, root)
    assert done.returncode == 0, done.stderr
    assert contents(root) == after
    return Scene(action, root, saved, before, after, json.loads(done.stdout))


def play(scene: Scene, kill: Kill) -> bool:
    """Kill the work once and check what is left; returns whether it was killed in time."""
    scene.restore()
    killed = _killed(scene, kill)
    where = f"{scene.action} killed at {kill}"
    _check_locks(scene.root, where)
    held = _held(scene.root)
    assert held in (scene.before, scene.after), f"{where}: another state is seen"
    if not killed or (kill.step is not None and kill.step >= scene.done_at):
        assert held == scene.after, f"{where}: what was committed is lost"
    index_repositories([scene.root])
    assert contents(scene.root) == scene.after, f"{where}: the next index differs from a fresh one"
    compact_data_dir(scene.root / ".codeintel", progress=quiet)
    assert contents(scene.root) == scene.after, f"{where}: compaction changed what is held"
    _check_orphans(scene.root, where)
    return killed


def choose(scene: Scene, points: int, rng: random.Random) -> list[Kill]:
    """Return steps spread over the whole work, and for every fifth a moment within a step."""
    at_steps = points - points // 5
    count = len(scene.steps)
    edges = [at * count // at_steps for at in range(at_steps + 1)]
    steps = [rng.randrange(low, max(high, low + 1)) for low, high in pairwise(edges)]
    times = [Kill(None, rng.uniform(0.2, 1.2)) for _ in range(points // 5)]
    return [*(Kill(step, None) for step in steps), *times]


def _victim(action: str, root: Path, *step: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.faults.victim", action, str(root), *step],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


def _killed(scene: Scene, kill: Kill) -> bool:
    if kill.step is not None:
        done = _victim(scene.action, scene.root, str(kill.step))
        assert done.returncode in (0, -9), done.stderr
        return done.returncode == -9
    command = [sys.executable, "-m", "tests.faults.victim", scene.action, str(scene.root)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            process.wait(kill.seconds)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.returncode == -9


def _held(root: Path) -> Contents:
    try:
        return contents(root)
    except IndexMissing:
        return NOTHING


def _check_locks(root: Path, where: str) -> None:
    for lock in (root / ".codeintel").glob("repos/*/locks/*"):
        deadline = time.monotonic() + 10  # parse workers of a killed parent need a moment to end
        while (holder := file_lock.holder(lock)) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert holder is None, f"{where}: {lock.name} is held by {holder}"


def _check_orphans(root: Path, where: str) -> None:
    registry = Registry(root / ".codeintel")
    for repository in registry.repositories():
        folder = RepositoryFolder(registry.folder(repository))
        journal = Journal(folder.journal)
        with journal.view() as view:
            named = {segment.file for segment in view.segments()}
            generation = str(view.generation)
        journal.close()
        left = {path.name for path in folder.vectors.iterdir()} - named
        for kind in ("lexical", "catalog"):
            left |= {path.name for path in folder.path.glob(f"{kind}/*")} - {generation}
        assert not left, f"{where}: {left} is left after a compaction"
    registry.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=200, help="kills in all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--action", choices=ACTIONS, action="append", help="default: all")
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    actions = arguments.action or ACTIONS
    started = time.monotonic()
    counted: Counter[str] = Counter()
    steps = {}
    for action in actions:
        with tempfile.TemporaryDirectory() as folder:
            scene = set_scene(Path(folder), action)
            steps[action] = len(scene.steps)
            for kill in choose(scene, arguments.points // len(actions), rng):
                counted[action] += play(scene, kill)
        print(f"{action}: {counted[action]} kills over {steps[action]} steps", file=sys.stderr)
    seconds = round(time.monotonic() - started, 1)
    report = {"kills": dict(counted), "steps": steps, "seconds": seconds, "faults": 0}
    print(json.dumps(report))


if __name__ == "__main__":
    main()
