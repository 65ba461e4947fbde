"""What each stage of a search costs the processor.

    python benchmarks/search_stages.py DATA_DIR [--queries 1000]

Asks an index distinct queries (names and first sentences of documentation) through the Python API,
in one thread, after as many others have warmed it. ``cpu_ms`` is processor time a search, of which
``rest`` is fusing, ranking and placing hits. Prints one JSON document.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from machine import machine
from server import LIMIT, queries_of

from codeintel_rev.app.local import LocalIndex
from codeintel_rev.app.stage_times import StageTimes
from codeintel_rev.config.settings import load_settings


class CpuTimes(StageTimes):
    """Milliseconds of processor time by stage."""

    @contextmanager
    def measured(self, stage: str) -> Iterator[None]:
        """Add what the block costs to a stage."""
        started = time.thread_time()
        try:
            yield
        finally:
            spent = (time.thread_time() - started) * 1000
            self.ms[stage] = self.ms.get(stage, 0.0) + spent


def measured(index: LocalIndex, queries: list[str]) -> dict[str, object]:
    """Return what searches cost: on the whole, and by stage."""
    stages: Counter[str] = Counter()
    totals = []
    for query in queries:
        times = CpuTimes()
        started = time.thread_time()
        index.search(query, limit=LIMIT, times=times)
        totals.append((time.thread_time() - started) * 1000)
        stages.update(times.ms)
        stages["rest"] += totals[-1] - sum(times.ms.values())
    return {
        "cpu_ms": round(statistics.mean(totals), 3),
        "cpu_ms_p50": round(statistics.median(totals), 3),
        "stages": {name: round(spent / len(queries), 3) for name, spent in stages.most_common()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--queries", type=int, default=1000)
    options = parser.parse_args()
    result: dict[str, object] = {"machine": machine()}
    with LocalIndex(options.data_dir, load_settings({})) as index:
        queries = queries_of(index, 2 * options.queries)
        warm, asked = queries[: options.queries], queries[options.queries :]
        for query in warm:
            index.search(query, limit=LIMIT)
        with index.opened[0].view() as view:
            result["chunks"] = int(view.live.sum())
        result["queries"] = len(asked)
        result |= measured(index, asked)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
