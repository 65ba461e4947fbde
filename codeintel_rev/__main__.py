"""The program ``codeintel``."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress


def main() -> None:
    """Run the command line and end the process with its exit code."""
    _fill_closed_streams()
    _leave_out_current_folder()
    # numpy and FAISS start a thread a core when they load; a command that lives for a fifth of a
    # second pays more for that than it gains
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    # a search makes 100,000 objects that live as long as it does: looking for garbage among them,
    # and once more at the end, takes a fifth of its time
    gc.set_threshold(100_000, 20, 100)
    from codeintel_rev.cli import endings

    endings.listen()
    try:
        from codeintel_rev.cli.program import run

        code = run(sys.argv[1:])
    except (KeyboardInterrupt, endings.Terminated):  # before or after what ``run`` does
        code = endings.code_of_signal() or 1
    if "duckdb" not in sys.modules:  # it complains of what is left of it
        gc.freeze()
    sys.exit(code)


def _fill_closed_streams() -> None:
    """Let the null device stand for every standard stream that was closed, as by ``>&-``.

    The next file to be opened would take its number, and what a library tells there would be
    written into an index.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            os.set_inheritable(number, True)
            mode = "r" if number == 0 else "w"
            stream = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115  lives on
            setattr(sys, name, stream)


def _leave_out_current_folder() -> None:
    """Import nothing from the current folder, which ``python -m`` puts first on the import path.

    It may be a repository with modules called like ours. A checkout of this program stays.
    """
    package = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120  pathlib costs 5 ms
    with suppress(OSError):  # the current folder may be gone
        if sys.path[:1] == [os.getcwd()] != [os.path.dirname(package)]:  # noqa: PTH109, PTH120
            del sys.path[0]


if __name__ == "__main__":
    main()
