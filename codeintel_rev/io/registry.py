"""Which repositories a data directory holds."""

from __future__ import annotations

import os
import re
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

from codeintel_rev.errors import (
    CodeIntelError,
    IndexDamaged,
    IndexForeign,
    IndexMissing,
    InvalidArgument,
)
from codeintel_rev.io import storage_failure
from codeintel_rev.io.journal import WORKTREE
from codeintel_rev.io.journal_schema import connect

REGISTRY_VERSION = 2
"""Version of the registry's table. Bump when a column, or what one holds, changes, and teach
``Registry`` to bring the version before it up to date."""

KEY: Final = re.compile("[0-9a-f]+")
"""The name of a repository's folder: no other is read or deleted, whatever a registry names."""

Signature = tuple[tuple[int, int, int], ...]
"""Changes with every change of a registry."""


class Repository(NamedTuple):
    """One registered repository."""

    key: str
    """Random name of its folder."""
    name: str
    root: str
    """Absolute path of the indexed folder. It is kept relative to the data directory where one
    lies inside the other, so that a copy of both together is an index of the copy."""
    identity: str
    """Git common directory, address of a mirrored repository, or the root of a plain folder."""
    default_ref: str = WORKTREE
    """The snapshot that a search sees when it names none."""


class Registry:
    """The table ``registry.sqlite`` of a data directory."""

    def __init__(self, data_dir: Path, *, create: bool = False) -> None:
        self.data_dir = data_dir
        self._base = data_dir.resolve()
        self.path = data_dir / "registry.sqlite"
        if not create and not _is_there(self.path):
            raise _missing(data_dir)
        if create:
            data_dir.mkdir(parents=True, exist_ok=True)
        try:
            self._connection = connect(self.path)
            try:
                self._check(create=create)
                self.repositories()
            except BaseException:
                self._connection.close()
                raise
        except (AttributeError, TypeError, sqlite3.DatabaseError) as error:
            raise (self._unwritable(error) or self._damaged(str(error))) from error

    def repositories(self) -> list[Repository]:
        """Return every repository in the order of its name."""
        rows = self._connection.execute(
            "SELECT key, name, root, identity, default_ref FROM repo ORDER BY name"
        )
        return [self._read(*row) for row in rows]

    def knows(self, root: Path, identity: str) -> bool:
        """Return whether the repository at ``root`` is one of these, whatever its name."""
        return any(str(root) == r.root or identity == r.identity for r in self.repositories())

    def register(
        self, root: Path, identity: str, name: str | None, usual: str | None = None
    ) -> Repository:
        """Return the repository at ``root``, entered when it is new.

        One identity is one repository, whichever of its work trees is named. A folder that was
        moved or copied together with this data directory, or became a git repository, stays what
        it was.
        Without ``name`` a new one is called ``usual``, or what its folder is called.

        Raises ``InvalidArgument`` when the repository has another name already, and when another
        repository has the name.
        """
        known = self._of(identity)
        if known is not None:
            _require_name(known, name)
            return known
        try:
            with self._writing():
                return self._registered(root, identity, name, usual)
        except sqlite3.OperationalError as error:
            raise (self._unwritable(error) or error) from error

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

    def settle(self, former: Path) -> None:
        """Keep what was relative to a former data directory as the places that it meant there."""
        query = "SELECT key, root, identity FROM repo"
        for key, root, identity in self._connection.execute(query).fetchall():
            places = (
                os.path.normpath(former / kept) if kept.startswith(os.curdir) else kept
                for kept in (root, identity)
            )
            self._connection.execute(
                "UPDATE repo SET root = ?, identity = ? WHERE key = ?", (*places, key)
            )

    def remove(self, repository: Repository) -> None:
        """Forget a repository; its folder is left to the caller."""
        self._connection.execute("DELETE FROM repo WHERE key = ?", (repository.key,))

    def folder(self, repository: Repository) -> Path:
        """Return the folder that holds the repository's index."""
        return self.data_dir / "repos" / repository.key

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _registered(
        self, root: Path, identity: str, name: str | None, usual: str | None
    ) -> Repository:
        """Look again, as another process may have entered it meanwhile, and enter it."""
        known = self.repositories()
        same = self._of(identity)
        if same is None:
            same = next((r for r in known if r.root == str(root)), None)
            if same is not None:
                same = same._replace(identity=identity)
                self._update(same, identity=self._kept(same)[1])
        if same is not None:
            _require_name(same, name)
            return same
        wanted = name or usual or root.name or "root"
        taken = next((r for r in known if r.name == wanted), None)
        if taken is not None:
            raise InvalidArgument(
                f"the name {wanted!r} belongs to {taken.root}",
                hint="give this repository another one with --name"
                + ("" if Path(taken.root).exists() else f", or `codeintel remove {wanted}` first"),
                value=wanted,
            )
        added = Repository(secrets.token_hex(8), wanted, str(root), identity)
        row = (added.key, added.name, *self._kept(added), added.default_ref)
        self._connection.execute("INSERT INTO repo VALUES (?, ?, ?, ?, ?)", row)
        return added

    def _of(self, identity: str) -> Repository | None:
        return next((r for r in self.repositories() if r.identity == identity), None)

    def _unwritable(self, error: Exception) -> CodeIntelError | None:
        return storage_failure.locked(self.path, error) or storage_failure.failure(
            self.data_dir, error
        )

    def _kept(self, repository: Repository) -> tuple[str, str]:
        """Return root and identity as they are kept."""
        root = Path(repository.root)
        if not (self._base.is_relative_to(root) or root.is_relative_to(self._base)):
            return repository.root, repository.identity
        identity = Path(repository.identity)
        inside = identity.is_absolute() and identity.is_relative_to(root)
        return self._relative(root), self._relative(identity) if inside else repository.identity

    def _relative(self, place: Path) -> str:
        return os.path.join(os.curdir, os.path.relpath(place, self._base))  # noqa: PTH118

    def _read(self, key: str, name: str, root: str, identity: str, ref: str) -> Repository:
        if not KEY.fullmatch(key):
            raise self._damaged(f"{key!a} is no key")
        return Repository(key, name, self._absolute(root), self._absolute(identity), ref)

    def _damaged(self, why: str) -> IndexDamaged:
        return IndexDamaged(
            f"the registry of {self.data_dir} cannot be read: {why}",
            hint=f"delete {self.data_dir} and run `codeintel index`",
            value=str(self.path),
        )

    def _absolute(self, kept: str) -> str:
        if not kept.startswith(os.curdir):
            return kept
        return os.path.normpath(self._base / kept)

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
        elif found == 1:
            with suppress(sqlite3.OperationalError):  # read-only: absolute paths serve as well
                self._relate()
        elif found != REGISTRY_VERSION:
            raise IndexForeign(
                f"the data directory {self.data_dir} has format {found}, "
                f"this program reads format {REGISTRY_VERSION}",
                hint="point --data-dir at an empty folder, or use the version that wrote it",
                value=str(found),
            )

    def _relate(self) -> None:
        """Keep what version 1 kept as absolute paths as this version does."""
        with self._writing():
            for repository in self.repositories():
                root, identity = self._kept(repository)
                self._update(repository, root=root, identity=identity)
            self._connection.execute(f"PRAGMA user_version = {REGISTRY_VERSION:d}")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Make the changes of a block all at once; another process waits with its own."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")


def _is_there(path: Path) -> bool:
    """Return whether a file exists; raises ``InvalidArgument`` when that cannot be told.

    It cannot in a folder of another user.
    """
    try:
        return path.exists()
    except OSError as error:
        raise InvalidArgument(
            f"the data directory {path.parent} cannot be read: {error.strerror}",
            hint="check its permissions, or name another one with --data-dir",
            value=str(path.parent),
        ) from error


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


def signature_of(data_dir: Path) -> Signature:
    """Return what changes with every change of the registry, which may be in its log at first."""
    return tuple(_identity(data_dir / name) for name in ("registry.sqlite", "registry.sqlite-wal"))


def _identity(file: Path) -> tuple[int, int, int]:
    try:
        found = file.stat()
    except OSError:
        return 0, 0, 0
    return found.st_mtime_ns, found.st_ino, found.st_size
