"""Where an index lies."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from codeintel_rev.config.settings import MirrorConfig, Settings
from codeintel_rev.errors import InvalidArgument, NotARepository
from codeintel_rev.io import git
from codeintel_rev.io.git_address import Policy, is_address, parse_address

FOLDER = ".codeintel"


def data_dir_for_index(
    paths: Sequence[Path | str], data_dir: Path | None, settings: Settings
) -> Path:
    """Return where ``index`` writes: the folder named, else ``.codeintel/`` in the only path.

    The index of a repository that is named by its address lies below ``settings.data_home``.
    Raises ``InvalidArgument`` for several paths without a data directory.
    """
    for path in paths:
        if not is_address(str(path)):
            checked_root(Path(path))
    if data_dir is not None:
        return _expanded(data_dir).absolute()
    if len(paths) > 1:
        raise InvalidArgument(
            f"{len(paths)} paths need one place for their index",
            hint="name it with --data-dir",
            value=" ".join(map(str, paths)),
        )
    if is_address(str(paths[0])):
        address = parse_address(str(paths[0]), address_policy(settings.mirror))
        return settings.data_home / "codeintel" / f"{address.name}-{address.digest}"
    return inside(checked_root(Path(paths[0])), settings.data_home)


def data_dir_for_search(
    data_dir: Path | None, repo: Path | None, data_home: Path
) -> tuple[Path, Path]:
    """Return (data directory, folder to index when it holds nothing yet).

    A named data directory wins; then the ``.codeintel/`` of ``repo``; then the nearest one at or
    above the current folder; else that of the git repository around it or of the folder itself.
    Raises ``NotARepository`` when that is needed and gone.
    """
    if repo is not None:
        root = checked_root(repo)
    else:
        cwd = checked_root(Path())
        root = next((p for p in (cwd, *cwd.parents) if is_own(p / FOLDER)), None) or next(
            (p for p in (cwd, *cwd.parents) if (p / ".git").exists()), cwd
        )
    if data_dir is not None:
        return _expanded(data_dir).absolute(), root
    return inside(root, data_home), root


def inside(root: Path, data_home: Path) -> Path:
    """Return the data directory of a root: inside it, or else under ``data_home``.

    That is where the root is read-only, and where what stands there already is not to be trusted.
    """
    folder = root / FOLDER
    if is_own(folder) if os.path.lexists(folder) else os.access(root, os.W_OK):
        return folder
    digest = hashlib.blake2b(os.fsencode(root), digest_size=6).hexdigest()
    return data_home / "codeintel" / f"{root.name or 'root'}-{digest}"


def is_own(folder: Path) -> bool:
    """Return whether a folder was made by this user, and did not come with the repository.

    An index decides what is read, returned and deleted, so that the author of a repository, or
    another user with the right to write above it, must not put one there.
    """
    try:
        link, found = folder.lstat(), folder.stat()
    except OSError:
        return False
    trusted = {0, os.geteuid()}
    if not stat.S_ISDIR(found.st_mode) or not {link.st_uid, found.st_uid} <= trusted:
        return False
    repo = git.locate(folder.parent)
    return repo is None or not repo.tracks(folder)


def checked_root(path: Path) -> Path:
    """Return ``path`` resolved; raises ``NotARepository`` unless it is a readable folder."""
    root = _expanded(path)
    try:
        root = root.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise NotARepository(
            f"{path} does not exist", hint="name an existing folder", value=str(path)
        ) from error
    _require_text(root)
    if not root.is_dir():
        raise NotARepository(
            f"{path} is no folder", hint="name the repository's folder", value=str(path)
        )
    if not os.access(root, os.R_OK | os.X_OK):
        raise NotARepository(
            f"{path} cannot be read", hint="check its permissions", value=str(path)
        )
    return root


def _expanded(path: Path) -> Path:
    """Return ``path`` with ``~`` written out; raises ``InvalidArgument`` for a user who is not there."""
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise InvalidArgument(
            f"{path} lies with a user who has no home directory here",
            hint="write the path out",
            value=str(path),
        ) from error


def _require_text(path: Path) -> None:
    """Raise ``NotARepository`` for a path that is no UTF-8, which no database can note down."""
    told = os.fsencode(path).decode("utf-8", "backslashreplace")
    if told != str(path):
        raise NotARepository(
            f"the path {told} is no UTF-8", hint="rename the folder whose name is not", value=told
        )


def ensure(folder: Path) -> None:
    """Make the data directory, which only its owner may read, with a marker that hides it from git."""
    _require_text(folder)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # it holds files that may be secret
        ignore = folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")
    except OSError as error:
        raise InvalidArgument(
            f"the data directory {folder} cannot be written: {error.strerror}",
            hint="name a writable one with --data-dir",
            value=str(folder),
        ) from error


def address_policy(settings: MirrorConfig) -> Policy:
    """Return which addresses the settings accept."""
    schemes = frozenset(settings.schemes.replace(",", " ").split())
    return Policy(schemes, settings.allow_private_hosts)
