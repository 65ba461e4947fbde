"""Writes 10,000 distinct requests as target files, for the generator here and for vegeta.

    python benchmarks/load/targets.py DATA_DIR FOLDER [--sets SET.jsonl ...] [--count 10000]

The queries are those of the sets, then subjects of the newest commits to what is indexed, and then as
many first sentences of documentation as names of definitions of the index in DATA_DIR, drawn with a
fixed seed. ``FOLDER/search.json``,
``answers.json`` and ``mcp.json`` hold a request a line; of ten calls in the last, six search, two open
a file, one sets a scope and one asks. vegeta reads them with

    vegeta attack -format=json -targets=FOLDER/search.json -rate=200/s -duration=30s
"""

from __future__ import annotations

import argparse
import base64
import json
import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from codeintel_rev.app.local import LocalIndex
from codeintel_rev.app.requests import plain_text
from codeintel_rev.config.settings import load_settings
from codeintel_rev.errors import Unavailable
from codeintel_rev.io.git import discover
from codeintel_rev.io.git_process import decode
from codeintel_rev.types import Symbol

SERVER = "http://127.0.0.1:8080"
SEED = 20
LIMIT = 10
MAX_CHARS = 500
"""What a question may have, in characters."""


SUBJECTS = 2_500
"""Most subjects of commits, of all repositories together."""


class Target(NamedTuple):
    """A request: where to, and what."""

    path: str
    body: bytes
    accept: str


JSON = "application/json"
MCP = f"{JSON}, text/event-stream"


def read_targets(file: Path) -> list[Target]:
    """Return the requests of a target file; its addresses count without their host."""
    rows = map(json.loads, file.read_text(encoding="utf-8").splitlines())
    return [
        Target(urlsplit(row["url"]).path, base64.b64decode(row["body"]), row["header"]["Accept"][0])
        for row in rows
    ]


def write_targets(
    file: Path, path: str, documents: Iterable[dict[str, object]], accept: str = JSON
) -> None:
    """Write requests to ``path`` in vegeta's JSON format."""
    rows = (
        {
            "method": "POST",
            "url": SERVER + path,
            "header": {"Content-Type": [JSON], "Accept": [accept]},
            "body": base64.b64encode(json.dumps(document).encode()).decode(),
        }
        for document in documents
    )
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")


def queries(symbols: Iterable[Symbol], asked: Iterable[str], count: int) -> list[str]:
    """Return ``count`` distinct queries in a random order that is the same in every run.

    Raises ``SystemExit`` where there are not as many.
    """
    draw = random.Random(SEED)
    known = sorted({(symbol.qualname, symbol.doc) for symbol in symbols})
    draw.shuffle(known)
    mixed = (text for name, doc in known for text in (doc, name) if text)
    lines = (" ".join(plain_text(text).split())[:MAX_CHARS].strip() for text in (*asked, *mixed))
    found = list(dict.fromkeys(filter(None, lines)))[:count]
    if len(found) < count:
        raise SystemExit(f"the sets and the index hold {len(found):,} queries, not {count:,}")
    draw.shuffle(found)
    return found


def calls(asked: Iterable[str], paths: Sequence[str]) -> Iterator[dict[str, object]]:
    """Yield a call of a tool for each query, as agents mix them."""
    for number, query in enumerate(asked):
        match number % 10:
            case 0:
                yield call("set_scope", {"scope": {}, "session": f"agent-{number % 500}"})
            case 3 | 6:
                path = paths[number % len(paths)]
                yield call("open_file", {"path": path, "start_line": 1, "end_line": 80})
            case 9:
                yield call("answer_query", {"query": query})
            case _:
                yield call("semantic_search", {"query": query, "limit": LIMIT})


def call(tool: str, arguments: dict[str, object]) -> dict[str, object]:
    """Return a call of a tool in JSON-RPC."""
    parameters = {"name": tool, "arguments": arguments}
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": parameters}


def symbols_of(data_dir: Path) -> Iterator[tuple[str, Symbol]]:
    """Yield every definition of the newest snapshots of an index, and its file."""
    with LocalIndex(data_dir, load_settings({})) as index:
        for opened in index.opened:
            with opened.view() as view:
                assert view is not None, "the index has no repository that can be read"
                for path, _, symbol in view.catalog.symbols_like(opened.snapshots()[0], ""):
                    yield path, symbol


def subjects_of(data_dir: Path) -> list[str]:
    """Return what the newest commits to the repositories of an index say they did.

    A folder has none where it is not committed, as one that the repository around it ignores.
    """
    with LocalIndex(data_dir, load_settings({})) as index:
        roots = [Path(opened.repository.root) for opened in index.opened]
    trees = [(root, tree) for root in roots if (tree := discover(root)) is not None]
    found = []
    for root, tree in trees:
        with suppress(Unavailable):  # no commit yet
            newest = f"--max-count={SUBJECTS // len(trees)}"
            folder = root.relative_to(tree.root).as_posix().removeprefix(".")
            found += decode(
                tree.run("log", "--format=%s", newest, "--", f":(top,literal){folder}")
            ).splitlines()
    return found


def questions(sets: Iterable[Path]) -> Iterator[str]:
    """Yield the queries of sets of judged queries."""
    for file in sets:
        for line in file.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            yield row.get("title") or row["query"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sets", type=Path, nargs="*", default=[])
    parser.add_argument("--count", type=int, default=10_000)
    options = parser.parse_args()
    defined = list(symbols_of(options.data_dir))
    symbols = (symbol for _, symbol in defined)
    first = [*questions(options.sets), *subjects_of(options.data_dir)]
    asked = queries(symbols, first, options.count)
    options.folder.mkdir(parents=True, exist_ok=True)
    searches = ({"query": query, "limit": LIMIT} for query in asked)
    write_targets(options.folder / "search.json", "/v1/search", searches)
    write_targets(options.folder / "answers.json", "/v1/answers", ({"query": q} for q in asked))
    paths = sorted({path for path, _ in defined})
    write_targets(options.folder / "mcp.json", "/mcp", calls(asked, paths), MCP)


if __name__ == "__main__":
    main()
