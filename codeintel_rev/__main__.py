"""The program ``codeintel``."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line and end the process with its exit code."""
    # numpy and FAISS start a thread a core when they load; a command that lives for a fifth of a
    # second pays more for that than it gains
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from codeintel_rev.cli.program import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
