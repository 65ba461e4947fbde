"""Metrics as Prometheus reads them."""

from __future__ import annotations

import os
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector


def exposition(
    registry: CollectorRegistry, accept: str, shared: Path | None = None
) -> tuple[bytes, str]:
    """Return all metrics in the format that ``accept`` asks for, and its content type.

    ``shared`` is the folder in which several workers keep theirs, which are then added up.
    """
    encode, content_type = choose_encoder(accept)
    return encode(registry if shared is None else _of_all_workers(shared)), content_type


def _of_all_workers(shared: Path) -> CollectorRegistry:
    _forget_dead(shared)
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(shared))  # type: ignore[no-untyped-call]
    return registry


def _forget_dead(shared: Path) -> None:
    """Drop the gauges of workers that are gone; what they counted stays."""
    for file in shared.glob("gauge_live*_*.db"):
        try:
            os.kill(int(file.stem.rpartition("_")[2]), 0)
        except ProcessLookupError:
            file.unlink(missing_ok=True)
        except PermissionError:  # somebody else's process has the number now: it is one that lives
            continue
