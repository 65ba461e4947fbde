"""The parent's side of a parse worker, which is replaced when it dies."""

from __future__ import annotations

import logging
import subprocess
from contextlib import suppress
from pathlib import Path
from threading import Lock

from codeintel_rev.errors import Unavailable
from codeintel_rev.indexing.file_source import FileSource
from codeintel_rev.indexing.parse_worker import receive, send
from codeintel_rev.indexing.prepare import PreparedFile
from codeintel_rev.io import own_process
from codeintel_rev.types import FileEntry

_log = logging.getLogger(__name__)

_WORK = "from codeintel_rev.indexing.parse_worker import main; main()"

_GONE = (OSError, EOFError, ValueError)
"""What talking to a process that died raises; the last where ``close`` ended it meanwhile."""


class WorkerProcess:
    """A process that prepares one batch of files at a time.

    Grammars are C code that files of any origin reach. A file that ends its process is found by
    halving the batch, and is cut by lines.
    """

    def __init__(
        self, repo: str, source: FileSource, model: Path | None, *, embeds: bool = True
    ) -> None:
        """Start the process, which also embeds the chunks with ``model`` or leaves that out."""
        self._setup = (repo, source, model, embeds)
        self._changing = Lock()
        self._closed = False
        self._process = self._start()

    @property
    def pid(self) -> int:
        """Number of the process that works now."""
        return self._process.pid

    def prepare(self, batch: list[FileEntry]) -> list[PreparedFile]:
        """Return what the store keeps of each file of ``batch``.

        Raises ``Unavailable`` when the process dies whatever it is given.
        """
        try:
            return self._ask(batch, by_lines=False)
        except _GONE:
            self._replace()
        if len(batch) > 1:
            middle = len(batch) // 2
            return self.prepare(batch[:middle]) + self.prepare(batch[middle:])
        _log.warning("%s is cut by lines: its syntax ended the parse worker", batch[0].path)
        try:
            return self._ask(batch, by_lines=True)
        except _GONE as error:
            raise Unavailable(
                f"parse workers die at once: {error!r}",
                hint="look for its reason above; files prepared so far are kept",
                value=batch[0].path,
            ) from error

    def close(self) -> None:
        """End the process; whoever waits for it is told that nothing works."""
        with self._changing:
            self._closed = True
            self._end()

    def _ask(self, batch: list[FileEntry], *, by_lines: bool) -> list[PreparedFile]:
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        send(process.stdin, (batch, by_lines))
        prepared: list[PreparedFile] = receive(process.stdout)
        return prepared

    def _replace(self) -> None:
        with self._changing:
            if self._closed:
                raise Unavailable("the parse workers were ended", hint="run again")
            self._end()
            self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            own_process.python("-c", _WORK),
            env=own_process.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert process.stdin is not None
        with suppress(BrokenPipeError):  # a process that is gone already shows at the first batch
            send(process.stdin, self._setup)
        return process

    def _end(self) -> None:
        self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):  # what a dead process never read
                    stream.close()
        self._process.wait()
