"""Parse workers: fresh interpreters, because tree-sitter holds the interpreter lock."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from codeintel_rev.indexing.file_source import FileSource
from codeintel_rev.indexing.prepare import PreparedFile
from codeintel_rev.indexing.worker_process import WorkerProcess
from codeintel_rev.types import FileEntry

_QUEUE_DEPTH = 4
"""Finished batches that may wait for the store, so that memory stays bounded."""
_LOOK_S = 0.05
"""Pause between two looks whether a thread has ended."""


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
        self._done: queue.Queue[list[PreparedFile] | Exception] = queue.Queue(_QUEUE_DEPTH)
        self._feeders: list[threading.Thread] = []
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
        self._feeders = [
            threading.Thread(target=_feed, args=(worker, todo, self._done), daemon=True)
            for worker in self._workers
        ]
        for feeder in self._feeders:
            feeder.start()
        for _ in batches:
            result = self._done.get()
            if isinstance(result, Exception):
                raise result
            yield result

    def close(self) -> None:
        """End every worker, and the threads that wait for somebody to take what they have."""
        for worker in self._workers:
            worker.close()
        for feeder in self._feeders:
            while feeder.is_alive():
                with suppress(queue.Empty):
                    self._done.get(timeout=_LOOK_S)


def _feed(
    worker: WorkerProcess,
    todo: queue.SimpleQueue[list[FileEntry]],
    done: queue.Queue[list[PreparedFile] | Exception],
) -> None:
    try:
        while True:
            done.put(worker.prepare(todo.get_nowait()))
    except queue.Empty:
        return
    except Exception as error:  # whoever waits for the batch has to hear of it
        done.put(error)
