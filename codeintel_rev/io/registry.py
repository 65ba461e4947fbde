"""Which repositories a data directory holds."""

from __future__ import annotations

import secrets
import sqlite3
from pathlib import Path
from typing import NamedTuple

from codeintel_rev.errors import IndexDamaged, IndexForeign, IndexMissing, InvalidArgument
from codeintel_rev.io import storage_failure
from codeintel_rev.io.journal import WORKTREE
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
    """Git common directory, address of a mirrored repository, or the root of a plain folder."""
    default_ref: str = WORKTREE
    """The snapshot that a search sees when it names none."""


class Registry:
    """The table ``registry.sqlite`` of a data directory."""

    def __init__(self, data_dir: Path, *, create: bool = False) -> None:
        self.data_dir = data_dir
        self.path = data_dir / "registry.sqlite"
        if not create and not self.path.exists():
            raise _missing(data_dir)
        if create:
            data_dir.mkdir(parents=True, exist_ok=True)
        try:
            self._connection = connect(self.path)
            try:
                self._check(create=create)
            except BaseException:
                self._connection.close()
                raise
        except sqlite3.DatabaseError as error:
            if (told := storage_failure.locked(self.path, error)) is not None:
                raise told from error
            raise IndexDamaged(
                f"the registry of {data_dir} cannot be read: {error}",
                hint=f"delete {data_dir} and run `codeintel index`",
                value=str(self.path),
            ) from error

    def repositories(self) -> list[Repository]:
        """Return every repository in the order of its name."""
        rows = self._connection.execute(
            "SELECT key, name, root, identity, default_ref FROM repo ORDER BY name"
        )
        return [Repository(*row) for row in rows]

    def register(
        self, root: Path, identity: str, name: str | None, usual: str | None = None
    ) -> Repository:
        """Return the repository at ``root``, entered when it is new.

        One identity is one repository, whichever of its work trees is named. A folder that was
        moved together with this data directory, or became a git repository, stays what it was.
        Without ``name`` a new one is called ``usual``, or what its folder is called.

        Raises ``InvalidArgument`` when the repository has another name already, and when another
        repository has the name.
        """
        known = self.repositories()
        same = next((r for r in known if r.identity == identity), None)
        if same is None:
            same = self._moved(known, root)
            if same is not None:
                self._update(same, root=str(root), identity=identity)
                same = same._replace(root=str(root), identity=identity)
        if same is not None:
            _require_name(same, name)
            return same
        wanted = name or usual or root.name or "root"
        taken = next((r for r in known if r.name == wanted), None)
        if taken is not None:
            raise InvalidArgument(
                f"the name {wanted!r} belongs to {taken.root}",
                hint="give this repository another one with --name",
                value=wanted,
            )
        added = Repository(secrets.token_hex(8), wanted, str(root), identity)
        self._connection.execute("INSERT INTO repo VALUES (?, ?, ?, ?, ?)", added)
        return added

    def set_default_ref(self, repository: Repository, ref: str) -> Repository:
        """Record which snapshot a search sees when it names none."""
        if repository.default_ref == ref:
            return repository
        self._update(repository, default_ref=ref)
        return repository._replace(default_ref=ref)

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

    def _moved(self, known: list[Repository], root: Path) -> Repository | None:
        at_root = next((r for r in known if r.root == str(root)), None)
        if at_root is not None or not self.data_dir.is_relative_to(root):
            return at_root
        gone = [r for r in known if not Path(r.root).exists()]
        return gone[0] if len(gone) == len(known) == 1 else None

    def _update(self, repository: Repository, **columns: str) -> None:
        assignments = ", ".join(f"{column} = :{column}" for column in columns)
        self._connection.execute(
            f"UPDATE repo SET {assignments} WHERE key = :key",  # noqa: S608  our own column names
            {**columns, "key": repository.key},
        )

    def _check(self, *, create: bool) -> None:
        (found,) = self._connection.execute("PRAGMA user_version").fetchone()
        if found == 0 and create:
            self._connection.execute(
                "CREATE TABLE IF NOT EXISTS repo (key TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
                " root TEXT NOT NULL, identity TEXT NOT NULL UNIQUE, default_ref TEXT NOT NULL)"
            )
            self._connection.execute(f"PRAGMA user_version = {REGISTRY_VERSION:d}")
        elif found == 0:  # whoever made it was killed before it was done
            raise _missing(self.data_dir)
        elif found != REGISTRY_VERSION:
            raise IndexForeign(
                f"the data directory {self.data_dir} has format {found}, "
                f"this program reads format {REGISTRY_VERSION}",
                hint="point --data-dir at an empty folder, or use the version that wrote it",
                value=str(found),
            )


def _missing(data_dir: Path) -> IndexMissing:
    return IndexMissing(
        f"no index in {data_dir}", hint="run `codeintel index` first", value=str(data_dir)
    )


def _require_name(repository: Repository, name: str | None) -> None:
    if name not in (None, repository.name):
        raise InvalidArgument(
            f"{repository.root} is indexed as {repository.name!r}; names are stable",
            hint="leave out --name, or index it under the other name in another --data-dir",
            value=name,
        )
