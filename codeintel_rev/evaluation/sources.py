"""What an evaluation indexes: trees of repositories, and corpora of documents."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import msgspec

from codeintel_rev.errors import InvalidArgument, UnknownLanguage
from codeintel_rev.evaluation.datasets import Tree
from codeintel_rev.evaluation.json_lines import bad_row, read_rows
from codeintel_rev.evaluation.runs import Result
from codeintel_rev.text.languages import LANGUAGES, canonical_language
from codeintel_rev.types import SearchHit

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Source:
    """A folder that is indexed as one repository."""

    name: str
    root: Path
    prefix: str = ""
    """What stands before a hit's path to make it relative to the repository's root."""
    documents: Mapping[str, str] | None = None
    """For a corpus: file name to document id."""

    def result(self, hit: SearchHit) -> Result:
        """Return a hit as a run names it."""
        if self.documents is None:
            path, document = self.prefix + hit.uri, None
        else:
            path, document = None, self.documents[hit.uri]
        return Result(path, document, hit.start_line, hit.end_line, hit.score)


class Document(msgspec.Struct, frozen=True):
    """One snippet of a corpus."""

    id: Annotated[str, msgspec.Meta(min_length=1)]
    code: str
    language: str = ""


def tree_source(trees: Path, tree: Tree) -> Source:
    """Return the folder of a tree below ``trees``; it need not exist."""
    root = trees / tree.folder
    if not tree.index_root:
        return Source(tree.folder, root)
    name = f"{tree.folder}+{tree.index_root.replace('/', '+')}"
    return Source(name, root / tree.index_root, prefix=f"{tree.index_root}/")


def read_corpus(path: Path) -> list[Document]:
    """Read a corpus; raises ``InvalidArgument`` for the first bad row and for an empty corpus."""
    documents: dict[str, Document] = {}
    for line, fields in read_rows(path):
        try:
            document = msgspec.convert(fields, Document)
        except msgspec.ValidationError as error:
            raise bad_row(path, line, str(error)) from error
        if document.id in documents:
            raise bad_row(path, line, f"the id {document.id!r} occurs twice")
        documents[document.id] = document
    if not documents:
        raise InvalidArgument(f"{path} holds no document", value=str(path))
    return list(documents.values())


def corpus_source(name: str, documents: Iterable[Document], folder: Path) -> Source:
    """Lay the documents out in ``folder``, which holds nothing else, one file each.

    Only files that differ are written, so that a second run finds its index fresh. A file's name
    is the document's number, for an id may hold any character and its words are not to be found.
    """
    folder.mkdir(parents=True, exist_ok=True)
    left = {file.name for file in folder.glob("[0-9]" * 8 + ".*")}
    names: dict[str, str] = {}
    for number, document in enumerate(documents):
        file = f"{number:08}.{_suffix(document.language)}"
        names[file] = document.id
        _write_if_changed(folder / file, document.code.encode())
    for stale in left - names.keys():
        (folder / stale).unlink()
    return Source(name, folder, documents=names)


def _suffix(language: str) -> str:
    """Return the file name ending of a language; documents of any other are plain text."""
    with suppress(UnknownLanguage):
        name = canonical_language(language)
        known = next(known for known in LANGUAGES if known.name == name)
        return next(iter(known.suffixes.split()), "txt")
    return "txt"


def _write_if_changed(path: Path, data: bytes) -> None:
    if not path.exists() or path.read_bytes() != data:
        path.write_bytes(data)
