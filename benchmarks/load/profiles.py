"""What is asked of a server, and how fast."""

from __future__ import annotations

from typing import NamedTuple


class Step(NamedTuple):
    """Requests a second, for some seconds."""

    rate: float
    seconds: float


class Profile(NamedTuple):
    """Steps one after another, with the requests of one target file."""

    targets: str
    steps: tuple[Step, ...]
    to_the_knee: bool = False
    """Whether to stop after the first step in which less than ``SATURATED`` was answered."""
    cached: int = 0
    """Results that the server keeps. With any, requests repeat: the n-th is asked 1/n as often."""
    has_chat: bool = False
    """Whether a model server that replays a recorded completion orders the hits and writes answers."""
    goal_p95_ms: float = 50.0
    """Within what 95 of 100 are to be answered."""


SATURATED = 0.9

RATES = (25, 50, 100, 150, 200, 250, 300, 400, 500, 600, 800, 1000)
RAMP = tuple(Step(rate, 10) for rate in RATES)
CHAT_RAMP = tuple(Step(rate, 10) for rate in (10, 20, 30, 40, 50, 60, 80, 100))
SUSTAINED = (Step(1000, 300),)
WARMED = (Step(100, 20), Step(200, 30), Step(400, 300), *SUSTAINED)
"""Asked slowly first, until the kept results fill their room: what memory grows by then is a leak."""
CHAT_GOAL_MS = 2000.0
BURST = (Step(50, 5), Step(5000, 30), Step(50, 15))

PROFILES = {
    "ramp": Profile("search.json", RAMP, to_the_knee=True),
    "sustained": Profile("search.json", SUSTAINED),
    "sustained-cached": Profile("search.json", WARMED, cached=6_000),
    "burst": Profile("search.json", BURST),
    "soak": Profile("search.json", (Step(100, 300),) * 12),
    "mcp": Profile("mcp.json", RAMP, to_the_knee=True),
    "answers": Profile("answers.json", RAMP, to_the_knee=True),
    "answers-sustained": Profile("answers.json", SUSTAINED),
    "answers-burst": Profile("answers.json", BURST),
    "answers-chat": Profile(
        "answers.json", (Step(100, 300),), has_chat=True, goal_p95_ms=CHAT_GOAL_MS
    ),
    "answers-chat-ramp": Profile(
        "answers.json", CHAT_RAMP, to_the_knee=True, has_chat=True, goal_p95_ms=CHAT_GOAL_MS
    ),
}
