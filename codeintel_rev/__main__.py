"""The program ``codeintel``."""

from __future__ import annotations

import gc
import os
import sys


def main() -> None:
    """Run the command line and end the process with its exit code."""
    # numpy and FAISS start a thread a core when they load; a command that lives for a fifth of a
    # second pays more for that than it gains
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    # a search makes 100,000 objects that live as long as it does: looking for garbage among them,
    # and once more at the end, takes a fifth of its time
    gc.set_threshold(100_000, 20, 100)
    from codeintel_rev.cli.program import run

    code = run(sys.argv[1:])
    gc.freeze()
    sys.exit(code)


if __name__ == "__main__":
    main()
