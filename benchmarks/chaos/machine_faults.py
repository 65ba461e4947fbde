"""Faults of the machine under a server: a disk that is full or slow, and a clock that jumps."""

from __future__ import annotations

import mmap
import os
import struct
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

SOURCE = Path(__file__).with_name("preload.c")
DISK_MIB = 256
"""Takes the index of a repository of some thousand files."""

_DISK = "codeintel-chaos-"
"""What a small disk is called, before the number of the process that mounted it."""


class Preload:
    """What the library that is preloaded into processes started from here does to them."""

    def __init__(self, folder: Path, running: ExitStack) -> None:
        """Compile the library; raises ``OSError`` or ``CalledProcessError`` where that fails."""
        library, control = folder / "preload.so", folder / "control"
        command = ("gcc", "-shared", "-fPIC", "-O2", "-o", library, SOURCE, "-ldl")
        subprocess.run(command, check=True, capture_output=True)
        control.write_bytes(bytes(16))
        with control.open("r+b") as file:
            self._control = running.enter_context(mmap.mmap(file.fileno(), 16))
        os.environ |= {"LD_PRELOAD": str(library), "CHAOS_CONTROL": str(control)}

    @contextmanager
    def slow_disk(self, delay_ms: float) -> Iterator[None]:
        """Let each write and each sync of a file take ``delay_ms`` longer."""
        self._set(delay_us=round(delay_ms * 1000))
        yield
        self._set()

    @contextmanager
    def clock_off_by(self, seconds: int) -> Iterator[None]:
        """Set the time of day forward, and back again."""
        self._set(skew_s=seconds)
        yield
        self._set()

    def _set(self, delay_us: int = 0, skew_s: int = 0) -> None:
        self._control[:] = struct.pack("ll", delay_us, skew_s)


class SmallDisk:
    """A file system in memory, which can be filled; mounting it takes the rights of root."""

    def __init__(self, folder: Path, running: ExitStack) -> None:
        """Mount it at ``folder``; raises ``CalledProcessError`` where that is not allowed."""
        _unmount_forgotten()
        folder.mkdir()
        size = f"size={DISK_MIB}m"
        mount = ("mount", "-t", "tmpfs", "-o", size, f"{_DISK}{os.getpid()}", folder)
        subprocess.run(mount, check=True, capture_output=True)
        running.callback(subprocess.run, ("umount", "--lazy", folder), check=True)
        self._ballast = folder / "ballast"

    @contextmanager
    def full(self) -> Iterator[None]:
        """Leave no room on the disk."""
        room = os.statvfs(self._ballast.parent)
        with self._ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, room.f_bavail * room.f_frsize)
        yield
        self._ballast.unlink()


def _unmount_forgotten() -> None:
    """Unmount the disks of runs that were killed."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        name, folder, *_ = line.split()
        if name.startswith(_DISK) and not Path("/proc", name.removeprefix(_DISK)).exists():
            subprocess.run(("umount", "--lazy", folder), check=True)
