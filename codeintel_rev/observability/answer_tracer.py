"""Takes the traces of a serving process and writes them in batches, on a thread of its own."""

from __future__ import annotations

import logging
import os
import secrets
import threading
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from codeintel_rev.observability.trace_files import folder_of, tidy, write_flush
from codeintel_rev.observability.trace_schema import KINDS, Trace

Write = Callable[[Path, str, int, Sequence[Trace]], None]

log = logging.getLogger(__name__)


class AnswerTracer:
    """A sink of traces (``TraceSink``): ``emit`` never waits and never raises.

    A batch is written when it is full or ``flush_seconds`` after its first trace, so that is the
    most that a killed process loses. A batch that cannot be written, as on a full disk, is kept and
    tried again after as long; of more than ``capacity`` waiting traces the oldest go, and are counted. Once a day
    days that are over are made one file each, and those older than ``keep_days`` deleted.
    """

    def __init__(
        self,
        folder: Path,
        *,
        batch_size: int = 100,
        flush_seconds: float = 5.0,
        capacity: int = 10_000,
        keep_days: int | None = None,
        write: Write = write_flush,
    ) -> None:
        self._folder = folder
        self._batch_size = batch_size
        self._flush_seconds = flush_seconds
        self._keep_days = keep_days
        self._tidied: date | None = None
        self._write = write
        self._worker = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._flushes = 0
        self._waiting: deque[Trace] = deque(maxlen=capacity)
        self._news = threading.Condition()
        self._closing = False
        self._refused = False
        self._thread: threading.Thread | None = None
        self.emitted = 0
        self.written = 0
        self.dropped = 0
        """Traces that were given up because too many were waiting, or at the end."""
        self.failed_writes = 0

    def emit(self, trace: Trace) -> None:
        """Take one trace, to be written soon."""
        with self._news:
            self.emitted += 1
            if self._closing:
                self.dropped += 1
                return
            self.dropped += len(self._waiting) == self._waiting.maxlen
            self._waiting.append(trace)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="traces", daemon=True)
                self._thread.start()
            if len(self._waiting) >= self._batch_size:
                self._news.notify()

    def close(self) -> None:
        """Write what is waiting, and stop; what cannot be written now is given up and counted."""
        with self._news:
            self._closing = True
            self._news.notify()
        if self._thread is not None:
            self._thread.join()
        with self._news:
            self.dropped += len(self._waiting)
            self._waiting.clear()

    def _run(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(self._is_due, timeout=self._flush_seconds)
                closing = self._closing
            while self._flush() and closing:
                pass
            if closing:
                return

    def _is_due(self) -> bool:
        is_full = len(self._waiting) >= self._batch_size
        return self._closing or (is_full and not self._refused)

    def _flush(self) -> bool:
        """Settle one batch; returns whether there may be another."""
        with self._news:
            batch = [
                self._waiting.popleft() for _ in range(min(len(self._waiting), self._batch_size))
            ]
        if not batch:
            return False
        self._refused = False
        try:
            self._write(self._folder, self._worker, self._flushes, batch)
        except OSError as error:
            self._keep(batch, error)
            return False
        except Exception:
            # no disk will ever take it: tried again it would keep all others waiting
            log.exception("%d traces cannot be written and are given up", len(batch))
            self.dropped += len(batch)
            return True
        self._flushes += 1
        self.written += len(batch)
        self._tidy()
        return True

    def _tidy(self) -> None:
        today = datetime.now(UTC).date()
        if self._keep_days is None or self._closing or self._tidied == today:
            return
        self._tidied = today
        try:
            for record in KINDS:
                tidy(folder_of(self._folder, record), record, today, self._keep_days)
        except Exception:
            # nothing of earlier days is worth the traces of this one
            log.exception("the traces of earlier days stay as they are")

    def _keep(self, batch: Sequence[Trace], error: Exception) -> None:
        log.warning("%d traces could not be written and wait: %s", len(batch), error)
        self._refused = True
        with self._news:
            self.failed_writes += 1
            room = (self._waiting.maxlen or 0) - len(self._waiting)
            self.dropped += max(0, len(batch) - room)
            self._waiting.extendleft(reversed(batch[max(0, len(batch) - room) :]))
