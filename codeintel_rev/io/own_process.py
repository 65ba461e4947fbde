"""Starting this program once more, with the modules of this process and no others.

Python puts the current folder on the import path of ``-m`` and ``-c``. That may be a repository,
and one with a module called like one of ours must not get to run it.
"""

from __future__ import annotations

import os
import sys


def python(*arguments: str) -> list[str]:
    """Return the command that runs this Python with ``arguments``, the current folder left out."""
    return [sys.executable, "-P", *arguments]


def environment() -> dict[str, str]:
    """Return an environment in which that command imports what this process would."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(os.path.isabs, sys.path))}
