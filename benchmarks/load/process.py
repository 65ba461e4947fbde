"""What the processes of a server take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from server import cpu_s


@dataclass(frozen=True)
class Server:
    """A server under load."""

    pid: int
    port: int

    @property
    def pids(self) -> list[int]:
        """The process that was started, and all that it has."""
        return [self.pid, *_descendants(self.pid)]

    def cpu_s(self) -> float:
        """Return the processor time of its processes so far."""
        return sum(cpu_s(pid) for pid in self.pids)

    def held(self) -> dict[str, float]:
        """Return the memory that its processes have for themselves, and their descriptors."""
        private = sum(_private_kib(pid) for pid in self.pids) / 1024
        descriptors = sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in self.pids)
        return {"private_mib": round(private, 1), "descriptors": descriptors}


def _private_kib(pid: int) -> int:
    rows = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return sum(int(row.split()[1]) for row in rows if row.startswith("Private_"))


def _descendants(pid: int) -> Iterator[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    for child in map(int, children.split()):
        yield child
        yield from _descendants(child)
