"""What seeing inside costs a search: its metrics, its share of the traces, and its line in the log.

    python benchmarks/observability.py DATA_DIR [--queries 300] [--rounds 30]

Each query is searched as a server does it and without anything that observes, one right after the
other and in turns first, in one process; metrics go to a folder that several workers could share, as
they do with ``--workers 2``, and the log goes to a file. HTTP is left out: what it costs would only
make the share smaller. Times are of the processor: of the thread that searches, and of those that
write the log and the traces. Prints one JSON document.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from machine import machine
from server import queries_of

TRACE_SHARE = 0.01
LIMIT = 10


Ask = Callable[[str], object]


def cpu_ms(ask: Ask, query: str) -> float:
    """Return the processor time of a query, in ms."""
    before = time.thread_time()
    ask(query)
    return (time.thread_time() - before) * 1000


def pair(plain: Ask, observed: Ask, query: str, backwards: bool) -> tuple[float, float]:
    """Return the times of both, whichever of them goes first."""
    if backwards:
        after = cpu_ms(observed, query)
        return cpu_ms(plain, query), after
    return cpu_ms(plain, query), cpu_ms(observed, query)


def turn(plain: Ask, observed: Ask, queries: Sequence[str], number: int) -> tuple[float, float]:
    """Return the means of both over all queries; the threads that write count as observed."""
    before = written_ms()
    pairs = [
        pair(plain, observed, query, bool((place + number) % 2))
        for place, query in enumerate(queries)
    ]
    written = (written_ms() - before) / len(queries)
    plain_ms, observed_ms = (statistics.mean(column) for column in zip(*pairs, strict=True))
    return plain_ms, observed_ms + written


def written_ms() -> float:
    """Return the processor time of the threads that write the log and the traces, in ms."""
    clocks = [
        time.pthread_getcpuclockid(thread.ident)
        for thread in threading.enumerate()
        if thread.name in ("log", "traces") and thread.ident is not None
    ]
    return sum(map(time.clock_gettime, clocks)) * 1000


def compared(data_dir: Path, folder: Path, count: int, rounds: int) -> dict[str, object]:
    """Return medians over ``rounds`` of searching with and without being observed."""
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)  # read when the library is imported
    from codeintel_rev.app.documents import search_document
    from codeintel_rev.app.logs import encoded
    from codeintel_rev.app.request_records import RequestRecords
    from codeintel_rev.app.served.code import ServedCode
    from codeintel_rev.app.served.index import ServedIndex
    from codeintel_rev.config.settings import load_settings
    from codeintel_rev.observability.log_lines import LogLines
    from codeintel_rev.observability.metrics import Metrics

    log = os.open(folder / "requests.log", os.O_WRONLY | os.O_CREAT)
    lines = LogLines(str, log)
    metrics = Metrics()
    settings = load_settings({"TRACE_SEARCH_SHARE": str(TRACE_SHARE)})
    served = ServedIndex(data_dir, settings, metrics=metrics)
    code = ServedCode(served, None)
    records = RequestRecords(
        lambda *_: None, metrics=metrics, log=lambda line: lines.put(encoded(line))
    )  # type: ignore[arg-type,return-value]
    scope = {"path": "/v1/search", "method": "POST", "state": {"request_id": "0" * 32}}

    with served.use() as index:
        queries = queries_of(index, count)

    def plain(query: str) -> object:
        with served.use() as index:
            return search_document(index.search(query, limit=LIMIT))

    def observed(query: str) -> object:
        found = code.search(query, limit=LIMIT, scope=None, mode="hybrid", explain=False)
        # what is done at a request's end
        metrics.backlog.put(records._record, scope, 200, 0.01, time.time())  # noqa: SLF001
        return found

    turn(plain, observed, queries, 0)
    time.sleep(6)  # vectors are packed meanwhile, and the first traces written
    turns = [turn(plain, observed, queries, number) for number in range(rounds)]
    served.close()
    lines.close()
    os.close(log)
    shares = [observed / plain - 1 for plain, observed in turns]
    return {
        "queries": len(queries),
        "rounds": rounds,
        "plain_cpu_ms": round(statistics.median(plain for plain, _ in turns), 3),
        "observed_cpu_ms": round(statistics.median(observed for _, observed in turns), 3),
        "more": round(statistics.median(shares), 4),
        "more_by_round": [round(share, 4) for share in shares],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    told: dict[str, object] = {"machine": machine()}
    with tempfile.TemporaryDirectory() as folder:
        told |= compared(options.data_dir, Path(folder), options.queries, options.rounds)
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
