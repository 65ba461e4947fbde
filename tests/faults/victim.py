"""The process that is killed: does one piece of work on an index, counting its steps.

``python -m tests.faults.victim ACTION ROOT [STEP]`` dies at STEP; without it the names of all the
steps are printed as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.faults.steps import Steps


def act(action: str, root: Path) -> None:
    """Do the work."""
    from codeintel_rev.app.compaction import compact_data_dir
    from codeintel_rev.app.indexer import index_repositories, quiet
    from codeintel_rev.indexing import pipeline

    if action in ("compact", "recompact"):
        compact_data_dir(root / ".codeintel", progress=quiet)
        return
    if action == "workers":
        pipeline.POOL_FILES = 0
    if action == "batches":
        pipeline._COMMIT_CHUNKS = 4
        pipeline._BATCH_FILES = 2
    index_repositories([root], full=action == "rebuild")


def main() -> None:
    action, root, *step = sys.argv[1:]
    steps = Steps(int(step[0]) if step else None)
    steps.install()
    act(action, Path(root))
    sys.stdout.write(json.dumps(steps.names))


if __name__ == "__main__":
    main()
