"""What each worker of a server is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn

from codeintel_rev.app.connection import Connection
from codeintel_rev.app.listener import ListeningLoop


class WorkerConfig(uvicorn.Config):
    """The library's settings, and where the workers count their connections."""

    def __init__(self, app: Callable[..., Any], counts: Path, **options: Any) -> None:
        """Share ``counts`` (see ``create_counts``) with the other workers."""
        super().__init__(app, factory=True, http=Connection, **options)
        self.counts = counts

    def get_loop_factory(self) -> Callable[[], asyncio.AbstractEventLoop]:
        """Return what makes the event loop of the worker that asks."""
        return partial(ListeningLoop, self.counts)
