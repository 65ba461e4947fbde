"""A model server in a process of its own, which replays what is recorded and can be hurt.

    PYTHONPATH=.:benchmarks python benchmarks/load/models.py [PORT]

Prints its address, and then reads what it streams next from standard input, a name a line:
``fair`` or ``garbage``.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from tests.fakes.model_server import DONE, USAGE, ModelServer, chunk, serving

STREAMS = {
    "fair": [
        chunk("", role="assistant"),
        *(chunk(word) for word in ["It is done ", "in the code ", "that stands "] * 7),
        chunk("first [1] and second [2]."),
        chunk("", finish_reason="stop"),
        USAGE,
        DONE,
    ],
    "garbage": [chunk("It is "), b"data: {\n\n", b"\xff\xfe\0\r\n\r\n", b"data: [1, 2]\n\n"],
}
MODELS = {"VLLM_CHAT_MODEL": "chat", "VLLM_SCORE_MODEL": "score"}


class ModelProcess:
    """The server as its owner sees it; it keeps its address when it is started again."""

    def __init__(self) -> None:
        self._port = "0"
        self._process = self._started()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it again."""
        self._process = self._started()

    def kill(self) -> None:
        """End it where it stands."""
        self._process.kill()
        self._process.communicate()

    def stall(self) -> None:
        """Let it take connections and do nothing."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """End a stall."""
        self._process.send_signal(signal.SIGCONT)

    def say(self, stream: str) -> None:
        """Let it stream ``stream`` from now on."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{stream}\n")
        self._process.stdin.flush()

    def _started(self) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__)), self._port],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        self._port = process.stdout.readline().strip().rpartition(":")[2]
        return process


def main() -> None:
    server = ModelServer()
    server.stream = STREAMS["fair"]
    server.asked = Forgetful()
    server.models = list(MODELS.values())
    with serving(server, int(sys.argv[1]) if len(sys.argv) > 1 else 0):
        print(server.url, flush=True)
        for line in sys.stdin:
            server.stream = STREAMS[line.strip()]


class Forgetful(list[object]):
    """Keeps nothing: a server under load is asked too much to remember."""

    def append(self, _item: object) -> None:
        """Forget it."""


if __name__ == "__main__":
    main()
