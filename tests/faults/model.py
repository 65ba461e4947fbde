"""Any sequence of edits, compactions and switches leaves what one fresh build gives.

``python -m tests.faults.model --examples 200`` tries more of them than the tests do.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from codeintel_rev.app.compaction import compact_data_dir
from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.app.refreshing import quiet
from tests.faults.oracle import contents, fresh_build

NAMES = st.sampled_from(["a.py", "b.py", "lib/c.py", "lib/d.md", "ignored.py"])
WORDS = st.lists(st.sampled_from(["open", "value", "edited", "added", "renamed"]), min_size=1)


def text_of(name: str, words: list[str]) -> str:
    if name.endswith(".md"):
        return "\n\n".join(f"# {word}\n\nonly a number" for word in words)
    return "\n\n".join(f"def {word}_{at}(value):\n    return {at}" for at, word in enumerate(words))


class LivingRepository(RuleBasedStateMachine):
    """A git repository that is edited, committed and switched while its index follows."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.root = self.folder / "shop"
        self.root.mkdir()
        self.builds = 0
        self.indexed = False
        self.branches = ["main"]
        (self.root / "always.py").write_text("def always():\n    return 1\n")
        self.git("init", "-q", "-b", "main")
        self.commit()

    def git(self, *args: str) -> None:
        identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
        subprocess.run(["git", *identity, *args], cwd=self.root, check=True, capture_output=True)

    @rule(name=NAMES, words=WORDS)
    def edit(self, name: str, words: list[str]) -> None:
        path = self.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text_of(name, words))
        self.indexed = False

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        (self.root / name).unlink(missing_ok=True)
        self.indexed = False

    @rule(name=NAMES, other=NAMES)
    def rename(self, name: str, other: str) -> None:
        if (self.root / name).exists():
            (self.root / other).parent.mkdir(exist_ok=True)
            (self.root / name).replace(self.root / other)
            self.indexed = False

    @rule(lines=st.sets(st.sampled_from(["ignored.py", "lib/", "b.py"])))
    def ignore(self, lines: set[str]) -> None:
        (self.root / ".gitignore").write_text("".join(f"{line}\n" for line in sorted(lines)))
        self.indexed = False

    @rule()
    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "more")
        self.indexed = False

    @rule()
    def branch(self) -> None:
        if len(self.branches) < 3:
            self.branches.append(f"topic{len(self.branches)}")
            self.git("checkout", "-q", "-b", self.branches[-1])
            self.indexed = False

    @rule(which=st.integers(0, 2))
    def switch(self, which: int) -> None:
        self.git("checkout", "-q", "-f", self.branches[which % len(self.branches)])
        self.indexed = False

    @rule()
    def index(self) -> None:
        index_repositories([self.root])
        self.indexed = True

    @precondition(lambda self: self.indexed)
    @rule()
    def compact(self) -> None:
        compact_data_dir(self.root / ".codeintel", progress=quiet)

    @invariant()
    def holds_what_a_fresh_build_holds(self) -> None:
        if self.indexed:
            self.builds += 1
            fresh = fresh_build(self.root, self.folder / f"fresh{self.builds}")
            assert contents(self.root) == fresh
            shutil.rmtree(self.folder / f"fresh{self.builds}")

    def teardown(self) -> None:
        shutil.rmtree(self.folder)


def effort(examples: int, steps: int) -> settings:
    """Return how many sequences of how many steps are tried."""
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        phases=[Phase.explicit, Phase.reuse, Phase.generate],  # to shrink takes minutes
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=200, help="sequences")
    parser.add_argument("--steps", type=int, default=30, help="most steps of each")
    arguments = parser.parse_args()
    trying = effort(arguments.examples, arguments.steps)
    run_state_machine_as_test(LivingRepository, settings=trying)
    print(json.dumps({"examples": arguments.examples, "steps": arguments.steps, "faults": 0}))


if __name__ == "__main__":
    main()
