"""Query sets: what is asked, of which tree, and what the right answers are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import msgspec

from codeintel_rev.errors import NotFound
from codeintel_rev.evaluation.json_lines import bad_row, read_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

COMMIT_DIGITS = 10
"""How many digits of a commit stand in the name of an exported tree."""


class Judgement(msgspec.Struct, frozen=True):
    """One right answer: a file, lines of a file, or a document of a corpus."""

    path: str | None = None
    doc_id: str | None = None
    start_line: Annotated[int, msgspec.Meta(ge=1)] | None = None
    end_line: Annotated[int, msgspec.Meta(ge=1)] | None = None
    grade: Annotated[int, msgspec.Meta(ge=1)] = 1

    def __post_init__(self) -> None:
        """Refuse what names no file and spans that end before they start."""
        if bool(self.path) == bool(self.doc_id):
            raise ValueError("a judgement needs either `path` or `doc_id`")
        if (self.start_line is None) != (self.end_line is None):
            raise ValueError("`start_line` and `end_line` go together")
        if self.start_line and self.end_line and self.end_line < self.start_line:
            raise ValueError(f"`end_line` {self.end_line} is before `start_line` {self.start_line}")

    @property
    def key(self) -> str:
        """What is counted once in file scores: the document's id or the file's path."""
        return self.doc_id or self.path or ""


class Tree(NamedTuple):
    """One state of a repository, or one folder of it."""

    repo: str
    """``OWNER/NAME``."""
    commit: str
    index_root: str = ""
    """The only folder that is indexed, ``/`` between its parts; empty for the whole tree."""

    @property
    def folder(self) -> str:
        """Name of the exported tree, ``OWNER+NAME@COMMIT10``."""
        return f"{self.repo.replace('/', '+')}@{self.commit[:COMMIT_DIGITS]}"


@dataclass(frozen=True, slots=True)
class Query:
    """One question with its judgements."""

    id: str
    text: str
    judgements: tuple[Judgement, ...]
    tree: Tree | None
    """What is searched; ``None`` stands for the corpus of documents."""
    fields: Mapping[str, Any]
    """The row as it was read, for grouping."""


@dataclass(frozen=True, slots=True)
class QuerySet:
    """The queries of one file."""

    name: str
    queries: tuple[Query, ...]
    skipped: int = 0
    """Rows that have no judgements."""


class _Row(msgspec.Struct, frozen=True):
    id: Annotated[str, msgspec.Meta(min_length=1)]
    relevant: tuple[Judgement, ...] = ()
    repo: Annotated[str, msgspec.Meta(pattern=r"^[^/]+/[^/]+$")] | None = None
    commit: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{10,64}$")] | None = None
    index_root: str | None = None

    def tree(self) -> Tree | None:
        """Return the tree that is searched, or ``None`` when documents are judged."""
        documents = {judgement.doc_id is not None for judgement in self.relevant}
        if len(documents) > 1:
            raise ValueError("`relevant` mixes paths and documents")
        if documents == {True}:
            return None
        if not self.repo or not self.commit:
            raise ValueError("judged paths need `repo` and `commit`")
        root = PurePosixPath(self.index_root or "")
        if root.is_absolute() or ".." in root.parts:
            raise ValueError(f"`index_root` {self.index_root!r} leaves the tree")
        return Tree(self.repo, self.commit, "/".join(root.parts))


def read_sets(path: Path, query_field: str = "query", *, unjudged: bool = False) -> list[QuerySet]:
    """Read one ``.jsonl`` file, or every one of a folder in the order of their names.

    Rows without judgements are skipped, unless they are wanted ``unjudged``.

    Raises ``NotFound`` when there is none, ``InvalidArgument`` for the first bad row.
    """
    files = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    if not files:
        raise NotFound(
            f"no .jsonl file in {path}",
            hint="name a query set or a folder of them",
            value=str(path),
        )
    return [_read_set(file, query_field, unjudged=unjudged) for file in files]


def _read_set(path: Path, query_field: str, *, unjudged: bool) -> QuerySet:
    queries: dict[str, Query] = {}
    skipped = 0
    for line, fields in read_rows(path):
        if not fields.get("relevant") and not unjudged:
            skipped += 1
            continue
        query = _read_query(path, line, fields, query_field)
        if query.id in queries:
            raise bad_row(path, line, f"the id {query.id!r} occurs twice")
        queries[query.id] = query
    return QuerySet(path.stem, tuple(queries.values()), skipped)


def _read_query(path: Path, line: int, fields: dict[str, Any], query_field: str) -> Query:
    text = fields.get(query_field)
    if not isinstance(text, str) or not text.strip():
        raise bad_row(
            path, line, f"no text in the field {query_field!r}", "choose another with --query-field"
        )
    try:
        row = msgspec.convert(fields, _Row)
        return Query(row.id, text, row.relevant, row.tree(), fields)
    except (msgspec.ValidationError, ValueError) as error:
        raise bad_row(path, line, str(error)) from error
