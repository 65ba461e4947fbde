"""A backup of an index that people work with, and what becomes of it elsewhere."""

from __future__ import annotations

import io
import stat
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import codeintel_rev
from codeintel_rev.app.backup import back_up, restore
from codeintel_rev.app.compaction import compact_data_dir
from codeintel_rev.app.doctor import examine
from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.app.local import LocalIndex
from codeintel_rev.app.refreshing import quiet
from codeintel_rev.config.settings import load_settings
from codeintel_rev.errors import (
    IndexDamaged,
    IndexForeign,
    IndexMissing,
    InvalidArgument,
    NotFound,
)

PAIR = ("left.py", "right.py")


def write_pair(root: Path, number: int) -> None:
    """Write two files that say the same number."""
    for name in PAIR:
        (root / name).write_text(f"def reading():\n    return 'measurement {number}'\n")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A repository with an index of its own."""
    root = tmp_path / "shop"
    root.mkdir()
    write_pair(root, 0)
    (root / "cart.py").write_text("def total_price(items):\n    return sum(items)\n")
    index_repositories([root])
    return root


@pytest.fixture
def archive(shop: Path, tmp_path: Path) -> Path:
    file = tmp_path / "shop.backup"
    back_up(shop / ".codeintel", file)
    return file


def texts(data_dir: Path, query: str) -> dict[str, str]:
    with LocalIndex(data_dir, load_settings()) as index:
        return {hit.uri: hit.code for hit in index.search(query).hits}


def test_what_was_backed_up_is_found_again_elsewhere(shop: Path, tmp_path: Path) -> None:
    compact_data_dir(shop / ".codeintel", progress=quiet)
    (shop / "new.py").write_text("def added_after_compaction():\n    return 1\n")
    index_repositories([shop])
    written = back_up(shop / ".codeintel", tmp_path / "b")

    read = restore(tmp_path / "b", tmp_path / "elsewhere")

    assert (read.repos, read.files) == (["shop"], written.files)
    assert read.bytes == written.bytes > 0
    assert examine(tmp_path / "elsewhere").ok
    found = texts(tmp_path / "elsewhere", "added after compaction")
    assert found == texts(shop / ".codeintel", "added after compaction")
    assert "new.py" in found


def test_what_was_compacted_is_restored_with_its_vectors(shop: Path, tmp_path: Path) -> None:
    compact_data_dir(shop / ".codeintel", progress=quiet)
    back_up(shop / ".codeintel", tmp_path / "b")

    restore(tmp_path / "b", tmp_path / "elsewhere")

    assert examine(tmp_path / "elsewhere").ok
    with LocalIndex(tmp_path / "elsewhere", load_settings()) as index:
        assert index.search("sum of the prices").limits == ()
    (shop / "new.py").write_text("def added_after_restore():\n    return 1\n")
    index_repositories([shop], data_dir=tmp_path / "elsewhere")
    assert compact_data_dir(tmp_path / "elsewhere", progress=quiet)
    assert "new.py" in texts(tmp_path / "elsewhere", "added after restore")


def test_a_backup_is_for_its_owner_alone(archive: Path) -> None:
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600


def test_a_restored_index_goes_on_with_the_repository(shop: Path, archive: Path) -> None:
    (shop / ".codeintel").rename(shop / ".gone")
    (shop / "cart.py").write_text("def grand_total(items):\n    return sum(items)\n")

    restore(archive, shop / ".codeintel")

    with codeintel_rev.open(shop) as index:
        assert index.search("grand_total").hits[0].uri == "cart.py"


def test_backups_beside_a_writer_are_each_of_one_moment(shop: Path, tmp_path: Path) -> None:
    over = threading.Event()
    failures: list[BaseException] = []

    def edit() -> None:
        number = 0
        try:
            while not over.is_set():
                number += 1
                write_pair(shop, number)
                index_repositories([shop])
                if number % 3 == 0:
                    compact_data_dir(shop / ".codeintel", progress=quiet)
        except BaseException as error:
            failures.append(error)

    writer = threading.Thread(target=edit)
    writer.start()
    try:
        for number in range(6):
            back_up(shop / ".codeintel", tmp_path / f"{number}.backup")
    finally:
        over.set()
        writer.join(60)

    assert not failures
    for number in range(6):
        restored = tmp_path / f"restored-{number}"
        restore(tmp_path / f"{number}.backup", restored)
        assert examine(restored).ok
        found = texts(restored, "measurement reading")
        assert found[PAIR[0]] == found[PAIR[1]]


def test_an_index_is_never_replaced(shop: Path, archive: Path) -> None:
    with pytest.raises(InvalidArgument, match="there is an index in"):
        restore(archive, shop / ".codeintel")
    assert "cart.py" in texts(shop / ".codeintel", "total price")


def test_nor_is_a_file(shop: Path, archive: Path) -> None:
    before = archive.read_bytes()
    with pytest.raises(InvalidArgument, match="is there already"):
        back_up(shop / ".codeintel", archive)
    with pytest.raises(InvalidArgument, match="a folder that is not there"):
        back_up(shop / ".codeintel", archive.parent / "no" / "such")
    assert archive.read_bytes() == before


def test_where_there_is_no_index_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing):
        back_up(tmp_path, tmp_path / "b")
    assert list(tmp_path.iterdir()) == []


Spoil = Callable[[Path], None]


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def cut_at_a_member(file: Path) -> None:
    with tarfile.open(file) as tar:
        last = tar.getmembers()[-1]
    file.write_bytes(file.read_bytes()[: last.offset])


def flip(file: Path) -> None:
    with tarfile.open(file) as tar:
        member = next(m for m in tar.getmembers() if m.name.endswith("state.sqlite"))
    data = bytearray(file.read_bytes())
    data[member.offset_data + 200] ^= 1
    file.write_bytes(data)


def rewritten(file: Path, change: Callable[[list[tarfile.TarInfo], list[bytes]], None]) -> None:
    """Write an archive anew with other members."""
    with tarfile.open(file) as tar:
        members = tar.getmembers()
        texts = [tar.extractfile(member).read() for member in members]  # type: ignore[union-attr]
    change(members, texts)
    with tarfile.open(file, "w", format=tarfile.PAX_FORMAT) as tar:
        for member, text in zip(members, texts, strict=True):
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text))


def smuggle(name: str, kind: bytes = tarfile.REGTYPE) -> Spoil:
    """Return what puts a member behind the first of an archive."""
    extra = tarfile.TarInfo(name)
    extra.type, extra.linkname = kind, "/etc"

    def change(members: list[tarfile.TarInfo], texts: list[bytes]) -> None:
        members.insert(1, extra)
        texts.insert(1, b"")

    return lambda file: rewritten(file, change)


def swell(file: Path) -> None:
    """Put a member behind the first that is 1 TiB of zeros, in a few bytes."""
    head = tarfile.TarInfo("repos/zeros")
    head.size = 512
    head.pax_headers = {
        "GNU.sparse.major": "0",
        "GNU.sparse.minor": "1",
        "GNU.sparse.name": "repos/zeros",
        "GNU.sparse.size": str(1 << 40),
        "GNU.sparse.numblocks": "1",
        "GNU.sparse.map": "0,512",
    }

    def change(members: list[tarfile.TarInfo], texts: list[bytes]) -> None:
        members.insert(1, head)
        texts.insert(1, bytes(512))

    rewritten(file, change)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (cut, "is damaged"),
        (cut_at_a_member, "cut short"),
        (flip, "state.sqlite is not what was written"),
        (smuggle("../outside"), "no part of an index"),
        (smuggle("repos/../../outside"), "no part of an index"),
        (smuggle("/tmp/outside"), "no part of an index"),
        (smuggle("repos/link", tarfile.SYMTYPE), "no part of an index"),
        (smuggle("repos/more"), "repos/more is not what was written"),
        (smuggle("registry.sqlite"), "is damaged"),
        (smuggle("repos"), "is damaged"),
        (swell, "no part of an index"),
    ],
    ids=[
        *("cut", "cut at a member", "flipped", "up", "inside and up", "absolute", "link", "more"),
        *("twice", "file and folder", "sparse"),
    ],
)
def test_what_is_not_whole_changes_nothing(
    archive: Path, tmp_path: Path, spoil: Spoil, told: str
) -> None:
    spoil(archive)
    target = tmp_path / "target"

    with pytest.raises(IndexDamaged, match=told):
        restore(archive, target)

    assert [path.name for path in target.iterdir()] == [".gitignore"]
    assert not (tmp_path / "outside").exists()


def test_what_is_no_backup_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing of the kind")
    with pytest.raises(InvalidArgument, match="is no backup"):
        restore(tmp_path / "notes.txt", tmp_path / "target")
    with pytest.raises(NotFound, match="does not exist"):
        restore(tmp_path / "no-such", tmp_path / "target")
    assert not (tmp_path / "target").exists()


def test_a_backup_of_a_later_format_says_who_can_read_it(archive: Path, tmp_path: Path) -> None:
    def change(_: list[tarfile.TarInfo], texts: list[bytes]) -> None:
        texts[0] = b"2"

    rewritten(archive, change)
    with pytest.raises(IndexForeign, match="format '2', this program reads format 1"):
        restore(archive, tmp_path / "target")
