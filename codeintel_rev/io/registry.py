"""Which repositories a data directory holds."""

from __future__ import annotations

import secrets
import sqlite3
from pathlib import Path
from typing import NamedTuple

from codeintel_rev.errors import IndexDamaged, IndexForeign, IndexMissing, InvalidArgument
from codeintel_rev.io.journal_schema import connect

REGISTRY_VERSION = 1
"""Version of the registry's table. Bump when a column changes."""


class Repository(NamedTuple):
    """One registered repository."""

    key: str
    """Random name of its folder."""
    name: str
    root: str
    """Absolute path of the indexed folder."""
    identity: str
    """Git common directory, or the root of a plain folder."""


class Registry:
    """The table ``registry.sqlite`` of a data directory."""

    def __init__(self, data_dir: Path, *, create: bool = False) -> None:
        self.data_dir = data_dir
        self.path = data_dir / "registry.sqlite"
        if not create and not self.path.exists():
            raise IndexMissing(
                f"no index in {data_dir}", hint="run `codeintel index` first", value=str(data_dir)
            )
        if create:
            data_dir.mkdir(parents=True, exist_ok=True)
        try:
            self._connection = connect(self.path)
            self._check(create=create)
        except sqlite3.DatabaseError as error:
            raise IndexDamaged(
                f"the registry of {data_dir} cannot be read: {error}",
                hint=f"delete {data_dir} and run `codeintel index`",
                value=str(self.path),
            ) from error

    def repositories(self) -> list[Repository]:
        """Return every repository in the order of its name."""
        rows = self._connection.execute("SELECT key, name, root, identity FROM repo ORDER BY name")
        return [Repository(*row) for row in rows]

    def register(self, root: Path, identity: Path, name: str | None) -> Repository:
        """Return the repository at ``root``, entered when it is new.

        Raises ``InvalidArgument`` when another root already has the name.
        """
        known = self.repositories()
        for repository in known:
            if repository.root == str(root) and name in (None, repository.name):
                return repository
        wanted = name or root.name or "root"
        taken = next((r for r in known if r.name == wanted), None)
        if taken is not None:
            raise InvalidArgument(
                f"the name {wanted!r} belongs to {taken.root}",
                hint="give this repository another one with --name",
                value=wanted,
            )
        added = Repository(secrets.token_hex(8), wanted, str(root), str(identity))
        self._connection.execute("INSERT INTO repo VALUES (?, ?, ?, ?)", added)
        return added

    def successor(self, repository: Repository) -> Repository:
        """Return the same repository under a new key, not registered yet."""
        return repository._replace(key=secrets.token_hex(8))

    def replace(self, old: Repository, new: Repository) -> None:
        """Point the repository's entry at a new folder."""
        self._connection.execute("UPDATE repo SET key = ? WHERE key = ?", (new.key, old.key))

    def folder(self, repository: Repository) -> Path:
        """Return the folder that holds the repository's index."""
        return self.data_dir / "repos" / repository.key

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _check(self, *, create: bool) -> None:
        (found,) = self._connection.execute("PRAGMA user_version").fetchone()
        if found == 0 and create:
            self._connection.execute(
                "CREATE TABLE IF NOT EXISTS repo (key TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
                " root TEXT NOT NULL, identity TEXT NOT NULL)"
            )
            self._connection.execute(f"PRAGMA user_version = {REGISTRY_VERSION:d}")
        elif found != REGISTRY_VERSION:
            raise IndexForeign(
                f"the data directory {self.data_dir} has format {found}, "
                f"this program reads format {REGISTRY_VERSION}",
                hint="point --data-dir at an empty folder, or use the version that wrote it",
                value=str(found),
            )
