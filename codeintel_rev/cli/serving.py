"""What ``serve`` and ``mcp`` share: the index that they serve, and what must be installed."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from codeintel_rev.app.data_dir import data_dir_for_search
from codeintel_rev.config.extras import install_command
from codeintel_rev.config.settings import Settings, load_settings
from codeintel_rev.errors import Unavailable


class Place(NamedTuple):
    """Which index is served."""

    settings: Settings
    """With the data directory in it."""
    root: Path
    """What is indexed where there is no index yet."""


def place_of(data_dir: Path | None, repo: Path | None) -> Place:
    """Return which index the options name; raises ``NotARepository`` or ``SettingsError``."""
    settings = load_settings()
    named = data_dir or settings.data_dir
    folder, root = data_dir_for_search(named, repo, settings.data_home)
    return Place(replace(settings, data_dir=folder), root)


def require_server() -> None:
    """Raise ``Unavailable`` unless the packages of a server are installed."""
    missing = [
        name
        for name in ("fastapi", "fastmcp", "prometheus_client", "uvicorn")
        if find_spec(name) is None
    ]
    if missing:
        raise Unavailable(
            f"a server needs {', '.join(missing)}, which {'are' if missing[1:] else 'is'} not"
            " installed",
            hint=install_command("server"),
            value=missing[0],
        )
