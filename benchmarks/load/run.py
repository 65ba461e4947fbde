"""How many requests a server takes, in how long, and what becomes of those that are too many.

    PYTHONPATH=.:benchmarks python benchmarks/load/run.py DATA_DIR TARGETS PROFILE... [--workers 2] [--seconds S]

Starts ``codeintel serve`` on the index in DATA_DIR and runs the profiles of ``profiles.py`` with the
target files in the folder TARGETS (``targets.py`` makes them); ``--seconds`` shortens every step. Times
count from when a request was due (``generator.py``), over an open loop. The generator runs on the
same machine: ``lateness`` says how long after it was due a request left, and ``server_cpu_ms`` what
the server's processes spent on each that was answered. ``knee`` is the highest rate up to which every
step kept the goal: all answered, 95 of 100 within 50 ms (2 s where a language model writes). Prints one JSON document, and a table of
it on standard error.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import itertools
import json
import os
import random
import re
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from generator import Outcome, Phase
from machine import machine
from models import MODELS, ModelProcess
from process import Server
from profiles import PROFILES, SATURATED, Profile, Step
from server import serving
from table import progress, table
from targets import SEED, Target, read_targets

from codeintel_rev.app.local import LocalIndex
from codeintel_rev.config.settings import load_settings

if TYPE_CHECKING:
    from codeintel_rev.app.repository import OpenRepository

_STAGES = """
WITH spent AS (
  SELECT embed_latency_ms + greatest(faiss_latency_ms, bm25_latency_ms) + fusion_latency_ms AS retrieval,
         hydration_latency_ms AS hydration, rerank_latency_ms AS rerank, ttft_ms AS first_token,
         synthesis_latency_ms AS synthesis, total_latency_ms AS total
  FROM read_parquet($files, union_by_name = true) WHERE timestamp >= $begun
)
SELECT name, round(quantile_cont(ms, 0.95), 1)
FROM (UNPIVOT spent ON COLUMNS(*) INTO NAME name VALUE ms) GROUP BY name ORDER BY name
"""
WARM_UP = Step(20, 6)
SETTLED_S = 3.0
"""Vectors are packed in the background meanwhile."""
_LOOKUPS = re.compile(
    r'^codeintel_result_cache_lookups_total\{outcome="(\w+)"\} (\S+)', re.MULTILINE
)


async def run_step(
    server: Server, step: Step, targets: Iterator[Target], goal_p95_ms: float
) -> dict[str, object]:
    """Return what a step measured."""
    load, spent, own = os.getloadavg()[0], server.cpu_s(), time.process_time()
    began = time.perf_counter()
    outcome = await Phase(server.port, step.rate, step.seconds).run(targets)
    took = time.perf_counter() - began
    answered = len(outcome.answered)
    return {
        "offered_per_s": step.rate,
        "seconds": step.seconds,
        "answered_per_s": round(answered / took, 1),
        "saturated": answered / took < SATURATED * step.rate,
        "statuses": dict(outcome.statuses),
        "answered": outcome.answered.summary(),
        **refusals(outcome),
        "lateness": outcome.lateness.summary(),
        "calm_after_s": calm_after(outcome, goal_p95_ms),
        "server_cpu_ms": round((server.cpu_s() - spent) * 1000 / answered, 2) if answered else None,
        "generator_cores": round((time.process_time() - own) / took, 2),
        "load_before": round(load, 2),
        "kept": kept(outcome, goal_p95_ms),
        "held": server.held(),
    }


def refusals(outcome: Outcome) -> dict[str, object]:
    """Return the times of what was refused, where anything was."""
    if not len(outcome.refused):
        return {}
    return {
        "refused": outcome.refused.summary(),
        "refused_since_sent": outcome.refused_since_sent.summary(),
    }


def kept(outcome: Outcome, goal_p95_ms: float) -> bool:
    """Return whether a step kept the goal."""
    p95 = outcome.answered.percentile_ms(95)
    return set(outcome.statuses) == {"200"} and p95 is not None and p95 <= goal_p95_ms


def calm_after(outcome: Outcome, goal_p95_ms: float) -> int | None:
    """Return the second of the step from which on all kept the goal, ``None`` where none did."""
    calm = None
    for second, times in sorted(outcome.by_second.items(), reverse=True):
        if (times.percentile_ms(95) or 0.0) > goal_p95_ms:
            break
        calm = second
    return calm


async def run_profile(server: Server, profile: Profile, targets: list[Target]) -> dict[str, object]:
    """Return what the steps of a profile measured, and its knee."""
    supply = zipf(targets) if profile.cached else itertools.cycle(targets)
    await run_step(server, WARM_UP, iter(targets[::-1]), profile.goal_p95_ms)
    await asyncio.sleep(SETTLED_S)
    before, steps = server.held(), []
    for step in profile.steps:
        steps.append(await run_step(server, step, supply, profile.goal_p95_ms))
        print(progress(steps[-1]), file=sys.stderr, flush=True)
        if profile.to_the_knee and steps[-1]["saturated"]:
            break
    told: dict[str, object] = {"held_before": before, "steps": steps, "held_after": server.held()}
    if profile.cached:
        told["cache_lookups"] = cache_lookups(server.port)
    return told | ({"knee": knee(steps)} if profile.to_the_knee else {})


def zipf(targets: list[Target]) -> Iterator[Target]:
    """Yield targets at random, the n-th of them 1/n as often as the first."""
    draw = random.Random(SEED)
    weights = list(itertools.accumulate(1 / rank for rank in range(1, len(targets) + 1)))
    while True:
        yield from draw.choices(targets, cum_weights=weights, k=1000)


def cache_lookups(port: int) -> dict[str, float]:
    """Return how many searches had been asked before, by the server's own count."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/metrics")
    found = _LOOKUPS.findall(connection.getresponse().read().decode())
    return {outcome: float(count) for outcome, count in found}


def knee(steps: list[dict[str, object]]) -> object:
    """Return the highest rate up to which every step kept the goal."""
    good = list(itertools.takewhile(lambda step: step["kept"], steps))
    return good[-1]["offered_per_s"] if good else None


def shortened(profile: Profile, seconds: float | None) -> Profile:
    """Return a profile with no step longer than ``seconds``."""
    if seconds is None:
        return profile
    steps = tuple(Step(step.rate, min(step.seconds, seconds)) for step in profile.steps)
    return profile._replace(steps=steps)


def chunks(data_dir: Path) -> int:
    """Return how many chunks an index serves."""
    with LocalIndex(data_dir, load_settings({})) as index:
        return sum(live_rows(opened) for opened in index.opened)


def live_rows(opened: OpenRepository) -> int:
    """Return how many chunks a repository serves."""
    with opened.view() as view:
        return 0 if view is None else int(view.live.sum())


def measured(
    profile: Profile, data_dir: Path, workers: int, targets: list[Target]
) -> dict[str, object]:
    """Start what a profile needs, and run it."""
    begun = datetime.now(UTC)
    with ExitStack() as running:
        os.environ["SERVER_RESULT_CACHE"] = str(profile.cached)
        # a line a request would hide the table
        os.environ["SERVER_LOG_REQUESTS"] = "false"
        for name in MODELS:
            os.environ.pop(name, None)
        if profile.has_chat:
            models = ModelProcess()
            running.callback(models.kill)
            os.environ |= MODELS | {"VLLM_BASE_URL": models.url}
        pid, port = running.enter_context(serving(data_dir, workers))
        told = asyncio.run(run_profile(Server(pid, port), profile, targets))
    return told | ({"stages": stages(data_dir, begun)} if profile.has_chat else {})


def stages(data_dir: Path, begun: datetime) -> dict[str, float]:
    """Return the 95th percentile of the stages of answers since ``begun``, by their traces, in ms."""
    files = str(data_dir / "traces" / "*.parquet")
    found = duckdb.execute(_STAGES, {"files": files, "begun": begun}).fetchall()
    return dict(found)


def use_fast_loop() -> str:
    """Make the generator cheap where it can be; returns the event loop's name."""
    try:
        import uvloop
    except ImportError:
        return "asyncio"
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    return "uvloop"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("targets", type=Path)
    parser.add_argument("profiles", nargs="+", choices=PROFILES)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seconds", type=float)
    options = parser.parse_args()
    told: dict[str, object] = {"machine": machine(), "chunks": chunks(options.data_dir)}
    told |= {"workers": options.workers, "generator": use_fast_loop()}
    for name in options.profiles:
        profile = shortened(PROFILES[name], options.seconds)
        targets = read_targets(options.targets / profile.targets)
        print(name, file=sys.stderr)
        told[name] = measured(profile, options.data_dir, options.workers, targets)
    print(json.dumps(told, indent=1))
    print(f"\n{table(told, options.profiles)}", file=sys.stderr)


if __name__ == "__main__":
    main()
