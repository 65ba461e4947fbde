"""Parse workers: fresh interpreters, because tree-sitter holds the interpreter lock."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from codeintel_rev.errors import Unavailable
from codeintel_rev.indexing.file_source import FileSource
from codeintel_rev.indexing.prepare import PreparedFile
from codeintel_rev.indexing.worker_process import WorkerProcess
from codeintel_rev.types import FileEntry

_QUEUE_DEPTH = 4
"""Finished batches that may wait for the store, so that memory stays bounded."""


class ParsePool:
    """A fixed number of worker processes that prepare batches of files."""

    def __init__(
        self,
        workers: int,
        repo: str,
        source: FileSource,
        model: Path | None,
        *,
        embeds: bool = True,
    ) -> None:
        """Start the workers, which also embed the chunks with ``model`` or leave that out."""
        self._workers = [WorkerProcess(repo, source, model, embeds=embeds) for _ in range(workers)]

    @property
    def pids(self) -> list[int]:
        """Numbers of the processes that work now."""
        return [worker.pid for worker in self._workers]

    def run(self, batches: Sequence[list[FileEntry]]) -> Iterator[list[PreparedFile]]:
        """Yield the prepared files of each batch, in the order of completion.

        Raises ``Unavailable`` when workers die whatever they are given.
        """
        todo: queue.SimpleQueue[list[FileEntry]] = queue.SimpleQueue()
        for batch in batches:
            todo.put(batch)
        done: queue.Queue[list[PreparedFile] | Unavailable] = queue.Queue(_QUEUE_DEPTH)
        for worker in self._workers:
            threading.Thread(target=_feed, args=(worker, todo, done), daemon=True).start()
        for _ in batches:
            result = done.get()
            if isinstance(result, Unavailable):
                raise result
            yield result

    def close(self) -> None:
        """End every worker."""
        for worker in self._workers:
            worker.close()


def _feed(
    worker: WorkerProcess,
    todo: queue.SimpleQueue[list[FileEntry]],
    done: queue.Queue[list[PreparedFile] | Unavailable],
) -> None:
    try:
        while True:
            done.put(worker.prepare(todo.get_nowait()))
    except queue.Empty:
        return
    except Unavailable as error:
        done.put(error)
