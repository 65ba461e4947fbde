"""Writing an index into the configuration of the agents that work on its repository."""

from __future__ import annotations

import difflib
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from codeintel_rev.app.agent_clients import CLIENTS, AgentClient, Entry, edited
from codeintel_rev.errors import InvalidArgument, StorageFailed

MAX_CONFIG_BYTES = 1 << 20


class Change(NamedTuple):
    """What becomes of one agent's configuration."""

    client: AgentClient
    file: Path
    entry: Entry | None
    before: str | None
    after: str | None
    """``None`` = there is no file."""

    @property
    def diff(self) -> str:
        """The change as a patch; empty where nothing changes."""
        before = (self.before or "").splitlines(keepends=True)
        after = (self.after or "").splitlines(keepends=True)
        names = [
            self.client.file if side is not None else "/dev/null"
            for side in (self.before, self.after)
        ]
        return "".join(difflib.unified_diff(before, after, names[0], names[1]))

    def apply(self) -> None:
        """Make the change; the file is there whole or as it was before.

        Raises ``StorageFailed`` where it cannot be written.
        """
        try:
            if self.after is None:
                self.file.unlink(missing_ok=True)
            elif self.after != self.before:
                self._write(self.after)
        except OSError as error:
            raise StorageFailed(
                f"{self.file} cannot be written: {error.strerror}",
                hint="add the entry by hand; --json shows it",
                value=str(self.file),
            ) from error

    def _write(self, text: str) -> None:
        self.file.parent.mkdir(exist_ok=True)
        number, new = tempfile.mkstemp(dir=self.file.parent, prefix=f".{self.file.name}.")
        try:
            with os.fdopen(number, "w", encoding="utf-8") as file:
                file.write(text)
            Path(new).chmod(self.file.stat().st_mode & 0o777 if self.before is not None else 0o644)
            Path(new).replace(self.file)
        except BaseException:
            Path(new).unlink(missing_ok=True)
            raise


def planned(client: AgentClient, root: Path, entry: Entry | None) -> Change:
    """Return the change that puts an entry into a project's configuration, or takes it out.

    Raises ``InvalidArgument`` for a file that cannot be changed safely.
    """
    file = root / client.file
    before = _read(file, root)
    return Change(client, file, entry, before, edited(before, client, entry))


def chosen(names: Sequence[str], root: Path, home: Path) -> list[AgentClient]:
    """Return the agents of these names, or without names those that are used here.

    Raises ``InvalidArgument`` for a name that is not known, and where none is used.
    """
    known = {client.name: client for client in CLIENTS}
    for name in names:
        if name not in known:
            raise InvalidArgument(
                f"there is no agent {name!r}", hint=f"known are: {', '.join(known)}", value=name
            )
    found = [known[name] for name in dict.fromkeys(names)] or [
        client for client in CLIENTS if _is_used(client, root, home)
    ]
    if not found:
        raise InvalidArgument(
            "no agent was found on this machine", hint=f"name one: {', '.join(known)}"
        )
    return found


def own_command() -> str:
    """Return what starts this program: its name where that finds it, else its place."""
    if shutil.which("codeintel"):
        return "codeintel"
    return str(Path(sys.executable).with_name("codeintel"))


def _is_used(client: AgentClient, root: Path, home: Path) -> bool:
    return (
        any(shutil.which(program) for program in client.programs)
        or any((home / trace).exists() for trace in client.traces)
        or (root / client.file).exists()
    )


def _read(file: Path, root: Path) -> str | None:
    """Return what a configuration holds, ``None`` without one.

    A link is not followed: whoever made the repository may have laid it to anywhere.
    """
    if file.is_symlink() or (file.parent != root and file.parent.is_symlink()):
        raise InvalidArgument(
            f"{file} is a link, or lies behind one",
            hint="change the file that it leads to by hand",
            value=str(file),
        )
    try:
        if file.stat().st_size > MAX_CONFIG_BYTES:
            raise InvalidArgument(f"{file} is too large for a configuration", value=str(file))
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidArgument(
            f"{file} cannot be read: {error}", hint="mend or remove it", value=str(file)
        ) from error
