"""Parse workers: fresh interpreters, because tree-sitter holds the interpreter lock."""

from __future__ import annotations

import queue
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from codeintel_rev.errors import Unavailable
from codeintel_rev.indexing.file_source import FileSource
from codeintel_rev.indexing.parse_worker import receive, send
from codeintel_rev.indexing.prepare import PreparedFile
from codeintel_rev.io import own_process
from codeintel_rev.types import FileEntry

_QUEUE_DEPTH = 4
"""Finished batches that may wait for the store, so that memory stays bounded."""

_WORK = "from codeintel_rev.indexing.parse_worker import main; main()"


class ParsePool:
    """A fixed number of worker processes that prepare batches of files."""

    def __init__(self, workers: int, repo: str, source: FileSource, model: Path | None) -> None:
        command, environment = own_process.python("-c", _WORK), own_process.environment()
        self._processes = [
            subprocess.Popen(
                command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            for _ in range(workers)
        ]
        self._setup = (repo, source, model)

    def run(self, batches: Sequence[list[FileEntry]]) -> Iterator[list[PreparedFile]]:
        """Yield the prepared files of each batch, in the order of completion.

        Raises ``Unavailable`` when a worker dies.
        """
        todo: queue.SimpleQueue[list[FileEntry]] = queue.SimpleQueue()
        for batch in batches:
            todo.put(batch)
        done: queue.Queue[list[PreparedFile] | Exception] = queue.Queue(_QUEUE_DEPTH)
        for process in self._processes:
            threading.Thread(target=self._feed, args=(process, todo, done), daemon=True).start()
        for _ in batches:
            result = done.get()
            if isinstance(result, Exception):
                raise Unavailable(
                    f"a parse worker died: {result!r}",
                    hint="run again; files prepared so far are kept",
                ) from result
            yield result

    def _feed(
        self,
        process: subprocess.Popen[bytes],
        todo: queue.SimpleQueue[list[FileEntry]],
        done: queue.Queue[list[PreparedFile] | Exception],
    ) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            send(process.stdin, self._setup)
            while True:
                try:
                    batch = todo.get_nowait()
                except queue.Empty:
                    return
                send(process.stdin, batch)
                done.put(receive(process.stdout))
        except (OSError, EOFError) as error:
            done.put(error)

    def close(self) -> None:
        """End every worker."""
        for process in self._processes:
            process.kill()
        for process in self._processes:
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with suppress(BrokenPipeError):  # what a dead worker never read
                        stream.close()
            process.wait()
