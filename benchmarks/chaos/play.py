"""What becomes of requests while parts of a server, and of the machine under it, are hurt.

    PYTHONPATH=.:benchmarks:benchmarks/load python benchmarks/chaos/play.py REPOSITORY
        [--rate 100] [--pause 6] [--only DEED ...]

Indexes a copy of REPOSITORY and a repository that is edited all the time, serves both with two
workers, a Redis and a model server, and asks while one thing after another goes wrong (``scene.py``).
The text of REPOSITORY stays as it is, so that every reply has to be the one that was given before
anything was hurt, or to name what it lacks; every edit has to be found in the end, and every answer
to have left its trace. Prints one JSON document, and ends with 1 where one of these was broken.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from generator import Outcome, Phase
from machine import machine
from run import use_fast_loop
from scene import Deed, Scene
from verdicts import Verdicts

CLEAN = {"200", "429", "503", "broken"}
CALM_S = 10
"""How long is asked before anything is hurt, and after everything was."""
LEARN_RATE = 20.0
LEARN_ROUNDS = 5
SLACK_S = 2.0
"""For what a deed takes to begin and to be over."""
TIMES_USUAL = 3.0
"""How much slower than before anything was hurt a second may be that went as usual."""
UNWRITTEN_S = 7.0
"""The traces of so long before are lost with the worker that is killed."""


async def learned(scene: Scene) -> Verdicts:
    """Return what tells whether replies are right, by asking everything until it is answered in full.

    Raises ``SystemExit`` where a server that nobody hurts does not get there.
    """
    verdicts, left = Verdicts(), scene.targets
    for _ in range(LEARN_ROUNDS):
        phase = Phase(scene.server.port, LEARN_RATE, len(left) / LEARN_RATE, verdicts.learn)
        await phase.run(iter(left))
        left = [target for target in scene.targets if target.body not in verdicts.usual]
        if not left:
            return verdicts
    raise SystemExit(f"{len(left)} requests are not answered in full, as {left[0].body!r}")


async def hurt(deeds: Iterable[Deed], pause_s: float) -> list[dict[str, Any]]:
    """Do one thing after another to a server; returns when each began and was over."""
    begun, done = time.perf_counter(), []
    await asyncio.sleep(CALM_S)
    for deed in deeds:
        at = time.perf_counter() - begun
        with ExitStack() as over:
            await asyncio.to_thread(over.enter_context, deed.begin())
            await asyncio.sleep(deed.seconds)
            await asyncio.to_thread(over.close)
        ended = time.perf_counter() - begun
        done.append({"deed": deed.name, "at_s": round(at, 1), "ended_s": round(ended, 1)})
        await asyncio.sleep(pause_s)
    return done


async def played(
    scene: Scene, deeds: list[Deed], rate: float, pause_s: float
) -> tuple[dict[str, Any], Verdicts]:
    """Return what became of the requests of a whole schedule, and of the edits beside it."""
    verdicts = await learned(scene)
    lasting = sum(deed.seconds + pause_s + SLACK_S for deed in deeds)
    port = scene.server.port
    phase = Phase(port, rate, 2 * CALM_S + lasting, verdicts.is_right)
    verdicts.begun = time.perf_counter()
    editing = scene.editor.follow(port)
    supply = itertools.cycle(scene.targets)
    outcome, done = await asyncio.gather(phase.run(supply), hurt(deeds, pause_s))
    scene.editor.stop()
    await asyncio.to_thread(editing.join)
    lost = await asyncio.to_thread(scene.editor.lost, port)
    usual_ms = usual_p95_ms(outcome, done[0]["at_s"])
    return {
        "seconds": 2 * CALM_S + lasting,
        "statuses": dict(outcome.statuses),
        "answered": outcome.answered.summary(),
        "refused": outcome.refused_since_sent.summary(),
        "usual_p95_ms": usual_ms,
        "deeds": list(told(done, outcome, verdicts, usual_ms)),
        "limits": dict(verdicts.limits),
        "wrong": verdicts.wrong,
        "edits": edits(scene, done) | {"lost": lost},
        "answers": len(verdicts.traces),
        "faults": faults(deeds, outcome, lost),
    }, verdicts


def usual_p95_ms(outcome: Outcome, until_s: float) -> float:
    """Return the median of p95 over the seconds before anything was hurt."""
    calm = [
        times.percentile_ms(95) or 0.0
        for second, times in outcome.by_second.items()
        if 1 <= second < until_s
    ]
    return statistics.median(calm)


def told(
    done: list[dict[str, Any]], outcome: Outcome, verdicts: Verdicts, usual_ms: float
) -> Iterator[dict[str, Any]]:
    """Yield what each deed did to requests until the next, and when all was as usual again."""
    ends = [deed["at_s"] for deed in done[1:]] + [max(outcome.by_second) + 1]
    for deed, end in zip(done, ends, strict=True):
        seconds = range(int(deed["at_s"]) - 1, int(end) - 1)  # some are under way when it begins
        worst = max((outcome.by_second[s].percentile_ms(95) or 0.0) for s in seconds)
        usual = [s for s in seconds if is_usual(s, outcome, verdicts, usual_ms)]
        after = [s for s in usual if s >= int(deed["ended_s"])]
        yield deed | {
            "broken": sum(outcome.broken_by_second[s] for s in seconds),
            "refused": sum(outcome.refused_by_second[s] for s in seconds),
            "limited": sum(verdicts.limited_by_second[s] for s in seconds),
            "worst_p95_ms": worst,
            "usual_after_s": max(0.0, round(after[0] - deed["ended_s"], 1)) if after else None,
        }


def is_usual(second: int, outcome: Outcome, verdicts: Verdicts, usual_ms: float) -> bool:
    """Return whether a second went as those before anything was hurt."""
    hurt_ = (outcome.broken_by_second, outcome.refused_by_second, verdicts.limited_by_second)
    p95_ms = outcome.by_second[second].percentile_ms(95)
    return (
        not any(counts[second] for counts in hurt_)
        and p95_ms is not None
        and p95_ms <= max(50.0, TIMES_USUAL * usual_ms)
    )


def edits(scene: Scene, done: list[dict[str, Any]]) -> dict[str, Any]:
    """Return how many edits were made, and how long they took to be found, by what was done."""
    seen = scene.editor.seen_after
    slowest = {}
    for deed, after in zip(done, [*done[1:], {"at_s": float("inf")}], strict=True):
        times = [took for at, took in seen if deed["at_s"] <= at < after["at_s"]]
        slowest[deed["deed"]] = max(times, default=None)
    waits = sorted(took for _, took in seen)
    median = waits[len(waits) // 2] if waits else None
    return {"made": scene.editor.number, "found_after_s": median, "slowest_s": slowest}


def faults(deeds: list[Deed], outcome: Outcome, lost: list[str]) -> list[str]:
    """Return what must not be, whatever is broken."""
    clean = CLEAN if any(deed.may_break for deed in deeds) else CLEAN - {"broken"}
    return [f"{n} {status}" for status, n in outcome.statuses.items() if status not in clean] + lost


def untraced(
    verdicts: Verdicts, kept: set[str], done: list[dict[str, Any]]
) -> dict[str, list[float]]:
    """Return when the answers came that left no trace: before a kill, or else they are lost."""
    kills = [deed["at_s"] for deed in done if deed["deed"] == "kill_worker"]
    times = [round(at, 1) for trace, at in verdicts.traces.items() if trace not in kept]
    lost = [at for at in times if not any(-1 <= kill - at <= UNWRITTEN_S for kill in kills)]
    return {"untraced_at_kills": sorted(set(times) - set(lost)), "untraced": lost}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("repository", type=Path)
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--pause", type=float, default=6)
    parser.add_argument("--only", nargs="+", default=[], metavar="DEED")
    options = parser.parse_args()
    use_fast_loop()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        scene = Scene(Path(folder), options.repository, running)
        deeds = [deed for deed in scene.deeds if not options.only or deed.name in options.only]
        found, verdicts = asyncio.run(played(scene, deeds, options.rate, options.pause))
        scene.end()
        found |= untraced(verdicts, scene.traced(), found["deeds"])
        found["faults"] += [*scene.damage(), *(f"no trace of {at} s" for at in found["untraced"])]
    report = {"machine": machine(), "rate": options.rate, "left_out": scene.left_out, **found}
    print(json.dumps(report, indent=1))
    raise SystemExit(1 if found["faults"] else 0)


if __name__ == "__main__":
    main()
