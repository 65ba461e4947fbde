"""The fields of the lexical index, shared by its writer and its searcher."""

from __future__ import annotations

import atexit
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tantivy

from codeintel_rev.errors import IndexDamaged

ROW = "row"
FIELDS = ("body", "symbol", "path", "doc")
"""Text fields: the chunk's terms, and those of its symbol, its path and its docstring."""

_ANALYZER = "terms"
"""Fields arrive as terms of the code tokenizer joined by spaces."""


def create_index(folder: Path) -> tantivy.Index:
    """Return the lexical index in ``folder``, made empty when the folder holds none."""
    folder.mkdir(parents=True, exist_ok=True)
    builder = tantivy.SchemaBuilder()
    builder.add_integer_field(ROW, indexed=True, stored=False, fast=True)
    for name in FIELDS:
        builder.add_text_field(name, stored=False, tokenizer_name=_ANALYZER, index_option="freq")
    return _with_analyzer(tantivy.Index(builder.build(), path=str(folder), reuse=True))


def open_index(folder: Path) -> tantivy.Index:
    """Return the lexical index in ``folder``; raises ``IndexDamaged`` when it cannot be read."""
    if not (folder / "meta.json").exists():  # or tantivy would make an empty one
        raise damaged(folder, "meta.json is missing")
    with reading(folder):
        place = folder if os.access(folder, os.W_OK) else _linked(folder)
        return _with_analyzer(tantivy.Index.open(str(place)))


@contextmanager
def reading(folder: Path) -> Iterator[None]:
    """Turn what tantivy raises for files that it cannot read into ``IndexDamaged``."""
    try:
        yield
    except BaseException as error:
        # a panic of the Rust library, as some flipped bits cause, is no Exception
        if isinstance(error, ValueError | OSError) or type(error).__name__ == "PanicException":
            raise damaged(folder, " ".join(str(error).split())) from error
        raise


def damaged(folder: Path, why: str) -> IndexDamaged:
    """Return the error for a lexical index that cannot be read."""
    return IndexDamaged(
        f"the word index {folder.name} of {folder.parent.parent} cannot be read: {why}",
        hint="run `codeintel doctor --repair`",
        value=str(folder),
    )


def _linked(folder: Path) -> Path:
    """Return a folder of links to a read-only index: tantivy's readers must write a lock file."""
    place = tempfile.TemporaryDirectory(prefix="codeintel-")
    atexit.register(place.cleanup)
    for file in folder.iterdir():
        if file.suffix != ".lock":
            (Path(place.name) / file.name).symlink_to(file.absolute())
    return Path(place.name)


def _with_analyzer(index: tantivy.Index) -> tantivy.Index:
    whitespace = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
    index.register_tokenizer(_ANALYZER, whitespace)
    return index
