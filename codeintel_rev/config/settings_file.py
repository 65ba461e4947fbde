"""The configuration file: TOML, one section a group of settings."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from codeintel_rev.errors import SettingsError

Name = tuple[str, str]
"""(section, name); the section is empty at the top of the file."""


def read_settings_file(file: Path, known: Collection[Name]) -> dict[Name, Any]:
    """Return the values that ``file`` sets, not yet checked.

    Raises ``SettingsError`` for a file that cannot be read, is no TOML, or sets a name that is not
    ``known``.
    """
    import tomllib

    try:
        tree = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            f"the configuration file {file} cannot be read: {error.strerror}",
            hint="correct CODEINTEL_CONFIG or the file's permissions",
            value=str(file),
        ) from error
    except ValueError as error:
        raise SettingsError(
            f"the configuration file {file} is no TOML: {error}",
            hint="correct the file at that place",
            value=str(file),
        ) from error
    found = dict(_flattened(tree, {section for section, _ in known}))
    if unknown := [name for name in found if name not in known]:
        raise SettingsError(
            f"{file} sets what does not exist: {', '.join(_told(n, known) for n in unknown)}",
            hint="docs/configuration.md lists the settings",
            value=", ".join(map(_written, unknown)),
        )
    return found


def _flattened(tree: dict[str, Any], sections: set[str]) -> Iterator[tuple[Name, Any]]:
    for top, value in tree.items():
        if isinstance(value, dict) and (top in sections or not value):
            yield from (((top, name), inner) for name, inner in value.items())
        else:
            yield ("", top), value


def _told(name: Name, known: Collection[Name]) -> str:
    from difflib import get_close_matches

    likely = {section: f"[{section}]" for section, _ in known if section}
    likely |= {written: written for written in map(_written, known)}
    near = get_close_matches(_written(name), likely, n=1)
    return f"{_written(name)} (did you mean {likely[near[0]]}?)" if near else _written(name)


def _written(name: Name) -> str:
    return ".".join(filter(None, name))
