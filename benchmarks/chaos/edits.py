"""Edits beside the traffic: each has to be found, and what it replaced not any more."""

from __future__ import annotations

import http.client
import json
import time
from pathlib import Path
from threading import Event, Thread

FILES = 6
PAUSE_S = 1.0
LOOK_S = 0.2
FOUND_WITHIN_S = 120.0
"""How long the last edits may take to be found, after all faults are over."""

REPOSITORY = "edits"


def source(number: int) -> str:
    """Return the text of an edit: a function whose name tells which it is."""
    return f"def marked_{number:06}(basket):\n    return sum(basket) + {number}\n"


class Editor:
    """Writes one file after another and looks for what it wrote, on a thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.number = 0
        self.seen_after: list[tuple[float, float]] = []
        """When an edit was made, and the seconds until it was found; others were overtaken."""
        self._over = Event()
        folder.mkdir()
        for _ in range(FILES):
            self._edit()

    def follow(self, port: int) -> Thread:
        """Edit until ``stop``; returns the thread."""
        thread = Thread(target=self._run, args=(port,), daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        """Make no more edits."""
        self._over.set()

    def lost(self, port: int) -> list[str]:
        """Return what is wrong with the files as they are found, within a while."""
        deadline = time.monotonic() + FOUND_WITHIN_S
        while (wrong := self._wrong(port)) and time.monotonic() < deadline:
            time.sleep(LOOK_S)
        return wrong

    def _run(self, port: int) -> None:
        begun = time.monotonic()
        while not self._over.wait(PAUSE_S):
            made = time.monotonic()
            number = self._edit()
            while not self._over.wait(LOOK_S):
                if found(port, number):
                    now = time.monotonic()
                    self.seen_after.append((round(made - begun, 1), round(now - made, 2)))
                    break

    def _edit(self) -> int:
        """Write the next file; returns the number of the edit."""
        self.number += 1
        (self.folder / f"f{self.number % FILES}.py").write_text(source(self.number))
        return self.number

    def _wrong(self, port: int) -> list[str]:
        last = range(self.number - FILES + 1, self.number + 1)
        missing = [f"edit {number} is not found" for number in last if not found(port, number)]
        past = range(max(1, self.number - 2 * FILES + 1), self.number - FILES + 1)
        return missing + [f"edit {number} is still found" for number in past if found(port, number)]


def found(port: int, number: int) -> bool:
    """Return whether a search finds an edit; not where the search is refused."""
    body = {"query": f"marked_{number:06}", "mode": "exact", "scope": {"repos": [REPOSITORY]}}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        headers = {"Content-Type": "application/json"}
        connection.request("POST", "/v1/search", json.dumps(body), headers)
        response = connection.getresponse()
        document = json.loads(response.read())
    except OSError:
        return False
    finally:
        connection.close()
    return any(f"marked_{number:06}(" in hit["content"] for hit in document.get("hits", ()))
