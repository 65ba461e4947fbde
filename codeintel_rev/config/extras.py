"""How the optional parts of this program are installed."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

NAME = "codeintel-rev"


def install_command(extra: str) -> str:
    """Return the command that adds an extra to the Python that runs this."""
    from importlib.metadata import PackageNotFoundError, distribution

    source = Path(__file__).parents[2]
    try:
        origin = distribution(NAME).read_text("direct_url.json")
    except PackageNotFoundError:  # run from its source
        origin = '{"url": "", "dir_info": {"editable": true}}'
    return pip_command(*requirement(extra, origin, source))


def pip_command(*words: str) -> str:
    """Return the command that installs for the Python that runs this."""
    return shlex.join([sys.executable or "python3", "-m", "pip", "install", *words])


def requirement(extra: str, origin: str | None, source: Path) -> list[str]:
    """Return what pip is to install for an extra of this program.

    ``origin`` is what pip keeps of the place that the program came from (PEP 610); ``None`` when it
    came from an index. Else the place is named: a package of this name on an index may be
    somebody else's. ``source`` is the folder of an editable installation.
    """
    name = f"{NAME}[{extra}]"
    if origin is None:
        return [name]
    told = json.loads(origin)
    if told.get("dir_info", {}).get("editable"):
        return ["-e", f"{source}[{extra}]"]
    kind = told.get("vcs_info", {}).get("vcs")
    return [f"{name} @ {kind}+{told['url']}" if kind else f"{name} @ {told['url']}"]
