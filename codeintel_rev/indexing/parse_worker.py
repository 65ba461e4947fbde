"""A parse worker process: takes batches of files on standard input until it closes."""

from __future__ import annotations

import os
import pickle
import signal
import sys
from typing import IO, Any

from codeintel_rev.types import FileEntry


def send(stream: IO[bytes], message: Any) -> None:
    """Write one length-prefixed message."""
    data = pickle.dumps(message, protocol=5)
    stream.write(len(data).to_bytes(8, "little"))
    stream.write(data)
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """Read one message; raises ``EOFError`` when the other side is gone."""
    header = stream.read(8)
    if len(header) < 8:
        raise EOFError
    size = int.from_bytes(header, "little")
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return pickle.loads(data)  # noqa: S301  both ends of this pipe are this program


def main() -> None:
    """Serve batches; ends when the parent closes the pipe, so a killed parent leaves no worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests = sys.stdin.buffer
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a stray print must not corrupt the replies
    try:
        repo, source, model, embeds = receive(requests)
        from codeintel_rev.indexing import parse_limit
        from codeintel_rev.indexing.prepare import prepare_files
        from codeintel_rev.io.static_embedder import StaticEmbedder

        parse_limit.arm()
        embedder = StaticEmbedder(model) if embeds else None
        while True:
            batch: list[FileEntry]
            batch, by_lines = receive(requests)
            send(replies, prepare_files(repo, source, batch, embedder, by_lines=by_lines))
    except (EOFError, BrokenPipeError):
        return
