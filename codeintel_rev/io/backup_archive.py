"""The file of a backup: a tar archive that says what it is first, and last what it has to hold.

The checksums at its end are those of the bytes as they were written, so that an archive that was cut
short, or changed, is not mistaken for a whole one.
"""

from __future__ import annotations

import hashlib
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import BytesIO
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import IO, Final

import msgspec

from codeintel_rev.errors import IndexDamaged, IndexForeign, InvalidArgument, NotFound
from codeintel_rev.io import durability
from codeintel_rev.text.json_faults import NOT_JSON

FORMAT: Final = 1
"""Version of what is in an archive. Bump when an earlier program could not restore it."""

_HEAD: Final = "codeintel-backup"
_TAIL: Final = "backup.json"
_BLOCK: Final = 1 << 20
_NO_FOLDER: Final = (FileExistsError, IsADirectoryError, NotADirectoryError)
"""What a path raises that is there twice, once as a file and once as a folder perhaps."""


class Manifest(msgspec.Struct, frozen=True):
    """What an archive holds."""

    program: str
    """Version of the program that wrote it."""
    created: str
    """When, in UTC."""
    data_dir: str
    """The folder that it is of."""
    files: dict[str, str]
    """Checksums by path."""


class ArchiveWriter:
    """Adds files to an archive that is being written."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar
        self.files: dict[str, str] = {}
        """Checksums of what was added, by path."""
        self.bytes = 0

    def add(self, name: str, source: Path) -> None:
        """Add a file under a path of its own."""
        with source.open("rb") as file:
            hashed = _Hashed(file)
            info = tarfile.TarInfo(name)
            info.size = os.fstat(file.fileno()).st_size
            self._tar.addfile(info, hashed)
        self.files[name] = hashed.hexdigest
        self.bytes += info.size

    def add_empty(self, name: str) -> None:
        """Add a file without content."""
        self._tar.addfile(tarfile.TarInfo(name))
        self.files[name] = hashlib.blake2b().hexdigest()


@contextmanager
def writing(file: Path, data_dir: Path, program: str) -> Iterator[ArchiveWriter]:
    """Write an archive of a data directory; it is there whole when the block ends, or not at all.

    Raises ``InvalidArgument`` when the file is there already or its folder is not.
    """
    if file.exists() or not file.absolute().parent.is_dir():
        told = "is there already" if file.exists() else "lies in a folder that is not there"
        raise InvalidArgument(f"{file} {told}", hint="name another file", value=str(file))
    new = file.with_name(f".{file.name}.{os.getpid()}.new")
    try:
        with _for_owner(new) as out, tarfile.open(fileobj=out, mode="w") as tar:
            _add_text(tar, _HEAD, str(FORMAT).encode())
            archive = ArchiveWriter(tar)
            yield archive
            created = datetime.now(UTC).isoformat(timespec="seconds")
            manifest = Manifest(program, created, str(data_dir.resolve()), archive.files)
            _add_text(tar, _TAIL, msgspec.json.encode(manifest))
        durability.sync(new)
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)
    durability.sync(file.absolute().parent)


def extract(file: Path, folder: Path) -> Manifest:
    """Write what an archive holds below a folder; returns what that is.

    Raises ``IndexDamaged`` for one that is not whole, and what ``require`` raises.
    """
    with _opened(file) as tar:
        return _extracted(file, tar, folder)


def require(file: Path) -> None:
    """Raise what there is to say against an archive, as far as its beginning tells.

    That is ``NotFound`` without the archive, ``InvalidArgument`` for a file that is none, and
    ``IndexForeign`` for one of a later format.
    """
    with _opened(file):
        pass


@contextmanager
def _opened(file: Path) -> Iterator[tarfile.TarFile]:
    """Open an archive of this format, behind its head."""
    try:
        with tarfile.open(file, "r:") as tar:
            _check_head(file, tar)
            yield tar
    except FileNotFoundError as error:
        raise NotFound(
            f"{file} does not exist", hint="name a file that `codeintel backup` wrote"
        ) from error
    except tarfile.TarError as error:
        raise _no_backup(file) from error


def _extracted(file: Path, tar: tarfile.TarFile, folder: Path) -> Manifest:
    found: dict[str, str] = {}
    try:
        for member in islice(tar, 1, None):  # after the head
            # a few bytes of a sparse member stand for as many zeros as its head says
            is_plain = member.isfile() and not member.issparse()
            data = tar.extractfile(member) if is_plain else None
            if data is None or not _is_inside(member.name):
                raise _damaged(file, f"it holds {member.name!r}, which is no part of an index")
            if member.name == _TAIL:
                return _checked(file, msgspec.json.decode(data.read(), type=Manifest), found)
            place = folder / member.name
            place.parent.mkdir(parents=True, exist_ok=True)
            found[member.name] = _copied(data, place)
    except (tarfile.TarError, *_NO_FOLDER, *NOT_JSON) as error:
        raise _damaged(file, str(error)) from error
    raise _damaged(file, "it was cut short")


def _copied(data: IO[bytes], place: Path) -> str:
    hashed = _Hashed(data)
    with place.open("xb") as out:
        while block := hashed.read(_BLOCK):
            out.write(block)
        out.flush()
        os.fsync(out.fileno())
    return hashed.hexdigest


def _checked(file: Path, manifest: Manifest, found: dict[str, str]) -> Manifest:
    wrong = [name for name in manifest.files | found if manifest.files.get(name) != found.get(name)]
    if wrong:
        raise _damaged(file, f"{wrong[0]} is not what was written")
    return manifest


def _check_head(file: Path, tar: tarfile.TarFile) -> None:
    head = tar.next()
    data = tar.extractfile(head) if head is not None and head.name == _HEAD else None
    if data is None:
        raise _no_backup(file)
    text = data.read(20).decode("ascii", "replace")
    if text != str(FORMAT):
        raise IndexForeign(
            f"{file} is a backup of format {text!r}, this program reads format {FORMAT}",
            hint="restore it with the version that wrote it",
            value=text,
        )


def _is_inside(name: str) -> bool:
    parts = PurePosixPath(name).parts
    is_plain = not name.startswith("/") and ".." not in parts and "\\" not in name
    return is_plain and (parts[:1] == ("repos",) or name in {"registry.sqlite", _TAIL})


def _for_owner(path: Path) -> IO[bytes]:
    """Make a file that only its owner may read: it holds what repositories do."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    return os.fdopen(os.open(path, flags, 0o600), "wb")


def _add_text(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, BytesIO(data))


def _no_backup(file: Path) -> InvalidArgument:
    hint = "name a file that `codeintel backup` wrote"
    return InvalidArgument(f"{file} is no backup", hint=hint, value=str(file))


def _damaged(file: Path, told: str) -> IndexDamaged:
    return IndexDamaged(
        f"the backup {file} is damaged: {told}", hint="restore another one", value=str(file)
    )


class _Hashed:
    """A file whose bytes are summed up as they are read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._sum = hashlib.blake2b()

    @property
    def hexdigest(self) -> str:
        return self._sum.hexdigest()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._sum.update(data)
        return data
