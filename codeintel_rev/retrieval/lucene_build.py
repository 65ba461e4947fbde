"""Building a Lucene index of chunks, with pyserini's indexer in a process of its own.

``python -m codeintel_rev.retrieval.lucene_build ARGUMENTS`` is ``python -m pyserini.index.lucene
ARGUMENTS`` with a Java that starts: the indexer ends its process on errors, and takes memory that a
server had better not keep.
"""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from codeintel_rev.errors import Unavailable
from codeintel_rev.retrieval import java
from codeintel_rev.retrieval.lucene_index import FIELD_NAMES
from codeintel_rev.retrieval.tantivy_writer import LexicalDocument

_EMPTY = "."
"""Stands for a body without words, which the indexer would leave out; no query has it."""

_THREADS = 2

STORED = ("--storePositions", "--storeDocvectors", "--storeRaw")
"""Keeps all that other programs may ask an index for; a search needs none of it."""


def build_lucene(
    folder: Path,
    batches: Iterable[Iterable[LexicalDocument]],
    command: list[str],
    environment: Mapping[str, str],
    *,
    stored: bool = False,
) -> int:
    """Write an index of the documents into ``folder``, which must not exist; returns their number.

    ``command`` runs a module of this program, in ``environment``. With ``stored`` the index keeps
    its documents too. A folder that is there is whole: it gets its name last.

    Raises ``Unavailable`` when the indexer fails or the extra ``lucene`` is not installed.
    """
    java.require()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
        documents, made = Path(scratch, "documents"), Path(scratch, "index")
        documents.mkdir()
        count = sum(
            _write(documents / f"{number}.jsonl", batch) for number, batch in enumerate(batches)
        )
        arguments = _arguments(documents, made, stored=stored)
        done = subprocess.run(
            [*command, "-m", __name__, *arguments],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode or not any(made.glob("segments_*")):
            tail = "\n".join((done.stdout + done.stderr).splitlines()[-5:])
            raise Unavailable(
                f"Lucene's indexer ended with status {done.returncode}: {tail}", value=str(folder)
            )
        made.rename(folder)
    return count


def _write(path: Path, documents: Iterable[LexicalDocument]) -> int:
    encode = msgspec.json.encode
    lines = [encode(_record(document)) for document in documents]
    path.write_bytes(b"\n".join([*lines, b""]))
    return len(lines)


def _record(document: LexicalDocument) -> dict[str, str]:
    """Return a document as the indexer reads it: its id and its terms, field by field."""
    terms = {FIELD_NAMES[field]: getattr(document, field) for field in FIELD_NAMES}
    contents = terms["contents"] or _EMPTY
    return {"id": str(document.row), **terms, "contents": contents}


def _arguments(documents: Path, index: Path, *, stored: bool) -> list[str]:
    options = {
        "--collection": "JsonCollection",
        "--input": str(documents),
        "--index": str(index),
        "--generator": "DefaultLuceneDocumentGenerator",
        "--threads": str(_THREADS),
    }
    fields = [name for name in FIELD_NAMES.values() if name != "contents"]
    return [
        *(word for option in options.items() for word in option),
        *(STORED if stored else ()),
        "--optimize",
        "--pretokenized",
        "--fields",
        *fields,
    ]


def main(arguments: list[str]) -> None:
    """Run pyserini's indexer in this process."""
    java.start()
    sys.argv = ["pyserini.index.lucene", *arguments]
    runpy.run_module("pyserini.index.lucene", run_name="__main__", alter_sys=True)
    sys.stdout.flush()
    os._exit(0)  # Java's threads need no goodbye


if __name__ == "__main__":
    main(sys.argv[1:])
