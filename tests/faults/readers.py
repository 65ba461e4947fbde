"""Readers beside a writer and compactions, against an oracle that knows what each sequence holds.

Every read is checked whole: the chunks and lines of the view are those of the files at that
sequence, each chunk is found by its own words, and its vector is its own.

``python -m tests.faults.readers --readers 8 --seconds 600`` prints what happened as JSON.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from codeintel_rev.app.compaction import compact_data_dir
from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.app.local import LocalIndex, open_index
from codeintel_rev.app.refreshing import quiet
from codeintel_rev.indexing.chunker import chunk_source
from codeintel_rev.text.code_tokenizer import tokenize
from codeintel_rev.text.languages import language_of
from tests.faults.oracle import all_rows

FILES = 12
COMPACT_EVERY = 5


def digest(chunks: Iterable[tuple[str, int, int, str]]) -> str:
    """Return one word for a set of chunks: (path, first line, last line, text)."""
    return hashlib.blake2b(repr(sorted(chunks)).encode(), digest_size=8).hexdigest()


def digest_of_files(root: Path) -> str:
    """Return the digest that an index of the files as they stand must have."""
    return digest(
        (path.name, chunk.start_line, chunk.end_line, chunk.text)
        for path in root.glob("*.py")
        for chunk in chunk_source(path.read_bytes(), language_of(path.name)).chunks
    )


class Writer:
    """Edits files, indexes them, and notes what each sequence holds."""

    def __init__(self, root: Path, seed: int) -> None:
        self._root = root
        self._rng = random.Random(seed)
        self._round = 0
        self.sequences: list[int] = []
        self.digests: list[str] = []

    def write(self) -> None:
        """Make one change and index it; now and then compact."""
        self._round += 1
        for _ in range(self._rng.randint(1, 3)):
            path = self._root / f"part{self._rng.randrange(FILES)}.py"
            if path.exists() and self._rng.random() < 0.2:
                path.unlink()
            else:
                path.write_text(self._source(path.stem))
        self.index()
        if self._round % COMPACT_EVERY == 0:
            compact_data_dir(self._root / ".codeintel", progress=quiet)

    def index(self) -> None:
        """Index the files and note the outcome."""
        report = index_repositories([self._root])
        self.sequences.append(report.repos[0]["sequence"])
        self.digests.append(digest_of_files(self._root))

    def expected(self, sequence: int) -> str:
        """Return what a view of ``sequence`` holds: the last change at or before it."""
        return self.digests[bisect_right(self.sequences, sequence) - 1]

    def _source(self, name: str) -> str:
        # some texts come back, so that rows are revived
        version = self._rng.randrange(self._round, self._round + 3)
        return "\n\n".join(
            f"def {name}_{at}_{version % 50}(value):\n    total = value + {version % 50}\n"
            f"    return total * {at}"
            for at in range(self._rng.randint(1, 6))
        )


class Reader:
    """Reads views whole until standard input closes."""

    def __init__(self, root: Path, seed: int) -> None:
        self._root = root
        self._rng = random.Random(seed)
        self.seen: dict[int, set[str]] = {}
        self.reads = 0
        self.failures: list[str] = []

    def run(self, stop: threading.Event) -> None:
        """Read until told to stop; reopen now and then."""
        while not stop.is_set():
            with open_index(self._root, refresh=False) as index:
                for _ in range(self._rng.randint(1, 40)):
                    if stop.is_set():
                        break
                    self._try(index)

    def _try(self, index: LocalIndex) -> None:
        self.reads += 1
        try:
            self._read(index)
        except Exception as error:
            self.failures.append(f"{type(error).__name__}: {error}")

    def _read(self, index: LocalIndex) -> None:
        (opened,) = index.selected(None)
        with opened.view() as view:
            assert view is not None
            records = all_rows(view)
            found = digest((r.uri, r.start_line, r.end_line, r.content) for r in records)
            self.seen.setdefault(view.sequence, set()).add(found)
            one = self._rng.choice(records)
            mask = view.channels.mask
            rows, _ = view.channels.words.search(tokenize(one.symbol), len(records), mask)
            assert one.row in rows.tolist(), f"{one.symbol} is not found by its words"
            document = (one.uri, one.symbol, one.content)
            vector = index.embedder.embed_documents([document])[0]
            rows, scores = view.channels.vectors.search(vector, len(records), mask)
            assert len(rows) == len(records), "a vector is missing"
            score = dict(zip(rows.tolist(), scores.tolist(), strict=True))[one.row]
            assert score > 0.99, f"the vector of {one.symbol} is another's ({score:.3f})"


@contextmanager
def readers(root: Path, count: int) -> Iterator[list[subprocess.Popen[str]]]:
    """Start reader processes; they are told to stop, or killed, in the end."""
    command = [sys.executable, "-m", "tests.faults.readers", "--read", str(root), "--seed"]
    started = [
        subprocess.Popen(
            [*command, str(seed)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for seed in range(count)
    ]
    try:
        yield started
    finally:
        for process in started:
            process.kill()
            process.communicate()


def play(root: Path, count: int, seconds: float, seed: int = 0) -> dict[str, Any]:
    """Let readers read while files change for ``seconds``; return what they saw, judged."""
    root.mkdir(parents=True)
    for number in range(FILES):
        (root / f"part{number}.py").write_text(f"def part{number}_first(value):\n    return value")
    writer = Writer(root, seed)
    writer.index()
    deadline = time.monotonic() + seconds
    with readers(root, count) as processes:
        while time.monotonic() < deadline:
            writer.write()
        told = [json.loads(process.communicate("", timeout=60)[0]) for process in processes]
    wrong = [
        f"sequence {sequence}"
        for reader in told
        for sequence, digests in reader["seen"].items()
        if digests != [writer.expected(int(sequence))]
    ]
    return {
        "readers": count,
        "seconds": seconds,
        "commits": writer.sequences[-1],
        "changes": len(writer.sequences),
        "compactions": len(writer.sequences) // COMPACT_EVERY,
        "reads": sum(reader["reads"] for reader in told),
        "sequences_seen": len({s for reader in told for s in reader["seen"]}),
        "failed": [failure for reader in told for failure in reader["failures"]],
        "wrong": wrong,
    }


def read(root: Path, seed: int) -> None:
    """Be one reader process."""
    stop = threading.Event()

    def wait_for_end() -> None:
        sys.stdin.read()
        stop.set()

    threading.Thread(target=wait_for_end, daemon=True).start()
    reader = Reader(root, seed)
    reader.run(stop)
    seen = {sequence: sorted(digests) for sequence, digests in reader.seen.items()}
    print(json.dumps({"reads": reader.reads, "failures": reader.failures, "seen": seen}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--readers", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--read", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.read:
        read(arguments.read, arguments.seed)
        return
    with tempfile.TemporaryDirectory() as folder:
        report = play(Path(folder) / "shop", arguments.readers, arguments.seconds, arguments.seed)
    print(json.dumps(report))
    sys.exit(bool(report["failed"] or report["wrong"]))


if __name__ == "__main__":
    main()
