"""``related``: what is like the code at a line, over every repository in scope."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from codeintel_rev.app.held_back import damage
from codeintel_rev.app.hit_places import placed_hits
from codeintel_rev.app.requests import checked_limit, checked_scope
from codeintel_rev.errors import InvalidArgument, NotFound
from codeintel_rev.retrieval.hybrid import hit_of_record
from codeintel_rev.retrieval.query import one_line
from codeintel_rev.retrieval.related import Given, given, related
from codeintel_rev.types import ChannelScores, ChunkRecord, Scope, SearchHit, SearchResult

if TYPE_CHECKING:
    from codeintel_rev.app.local import LocalIndex
    from codeintel_rev.app.repository import OpenRepository, RepositoryView

_SPARE = 3
"""So many times the limit is looked at: copies of one text become one hit."""

_TOLD = 5
"""Files that an error names."""


class Source(NamedTuple):
    """The chunk at the line that was named."""

    opened: OpenRepository
    record: ChunkRecord

    def is_in(self, hit: SearchHit) -> bool:
        """Return whether a hit is this chunk, or another piece of the same definition."""
        own, found = self.record, hit
        if (found.repo, found.uri) != (self.opened.repository.name, own.uri):
            return False
        overlap = found.start_line <= own.end_line and own.start_line <= found.end_line
        return overlap or (bool(own.symbol) and found.symbol == own.symbol)


def related_code(
    index: LocalIndex, path: str, line: int, limit: int, scope: Scope | None
) -> SearchResult:
    """Return what is like the chunk at ``path:line``, best first; see ``LocalIndex.related``."""
    started = time.perf_counter()
    limit = checked_limit(limit)
    scope = checked_scope(scope)
    selected = index.selected(scope)
    anywhere = scope and msgspec.structs.replace(
        scope, include_globs=None, exclude_globs=None, languages=None
    )
    source = _source(selected, path, line, anywhere)
    record = source.record
    document = (record.uri, record.symbol, record.content)
    vector = index.embedder.embed_documents([document])[0]
    with source.opened.view(anywhere) as view:
        assert view is not None
        chunk = given(view.channels, vector, record.content)
    hits: list[SearchHit] = []
    limits: list[str] = []
    reached = False
    for opened in selected:
        with opened.view(scope) as view:
            if view is not None and view.channels.mask.any():
                reached = True
                hits += _hits(view, chunk, limit * _SPARE)
                limits += damage(view)
    limits += [] if reached else ["scope_empty"]
    hits.sort(key=lambda hit: (-hit.score, hit.doc_id))
    others = collapsed(hit for hit in hits if not source.is_in(hit))
    took_ms = round((time.perf_counter() - started) * 1000, 3)
    told = tuple(dict.fromkeys(limits))
    return SearchResult(f"{record.uri}:{line}", tuple(others[:limit]), told, took_ms)


def collapsed(hits: Iterable[SearchHit]) -> list[SearchHit]:
    """Return ``hits`` with copies of one text, white space aside, in the first's ``locations``."""
    by_text: dict[str, list[SearchHit]] = {}
    for hit in hits:
        by_text.setdefault(one_line(hit.code), []).append(hit)
    return [
        replace(first, locations=first.locations + tuple(map(_location, copies)))
        for first, *copies in by_text.values()
    ]


def _location(hit: SearchHit) -> dict[str, object]:
    names = ("repo", "ref", "commit", "uri", "start_line", "end_line", "content_hash")
    return {name: getattr(hit, name) for name in names}


def _hits(view: RepositoryView, chunk: Given, k: int) -> list[SearchHit]:
    likenesses = {like.row: like for like in related(view.channels, chunk, k)[:k]}
    records = view.catalog.hydrate(list(likenesses))
    hits = []
    for record in records:
        like = likenesses[record.row]
        scores = ChannelScores(faiss=like.dense, bm25=like.words)
        hits.append(hit_of_record(record, like.score, scores=scores))
    return placed_hits(view, hits, k)


def _source(
    selected: Iterable[OpenRepository], path: str, line: int, scope: Scope | None
) -> Source:
    """Return the one chunk at a line; raises when there is none, and when there are several."""
    if line < 1:
        raise InvalidArgument(f"there is no line {line}", hint="lines count from 1", value=path)
    _require_text(path)
    selected, path = _named(list(selected), path)
    found = list(_sources(selected, path, line, scope))
    whole = [source for source in found if source.record.uri == _relative(source.opened, path)]
    found = whole or found
    places = list(dict.fromkeys(_name(source, len(selected) > 1) for source in found))
    if len(places) > 1:
        told = ", ".join(places[:_TOLD]) + (", ..." if len(places) > _TOLD else "")
        raise InvalidArgument(
            f"{path} may be any of {len(places)} files: {told}",
            hint="write one of these",
            value=path,
        )
    if not found:
        raise _nothing_there(selected, path, line, scope)
    return found[0]


def _require_text(path: str) -> None:
    """Raise ``NotFound`` for a name that is no UTF-8: no file of such a name is indexed."""
    told = path.encode("utf-8", "backslashreplace").decode()
    if told != path:
        raise NotFound(f"the name {told} is no UTF-8", hint="rename the file", value=told)


def _named(selected: list[OpenRepository], path: str) -> tuple[list[OpenRepository], str]:
    """Return the repositories that ``path`` may be in, and the path: hits are told as ``repo:path``."""
    for opened in selected:
        prefix = f"{opened.repository.name}:"
        if path.startswith(prefix):
            return [opened], path.removeprefix(prefix)
    return selected, path


def _sources(
    selected: Iterable[OpenRepository], path: str, line: int, scope: Scope | None
) -> Iterator[Source]:
    for opened in selected:
        with opened.view(scope) as view:
            if view is not None:
                rows = view.catalog.located(_relative(opened, path), line)
                rows = [row for row in rows if view.channels.mask[row]]
                for record in view.catalog.hydrate(rows):
                    yield Source(opened, record)


def _relative(opened: OpenRepository, path: str) -> str:
    """Return ``path`` as the index names it: without ``./``, and without the repository's folder."""
    plain = PurePath(path.replace("\\", "/"))
    if plain.is_relative_to(opened.repository.root):
        plain = plain.relative_to(opened.repository.root)
    return plain.as_posix()


def _name(source: Source, is_one_of_many: bool) -> str:
    uri = source.record.uri
    return f"{source.opened.repository.name}:{uri}" if is_one_of_many else uri


def _nothing_there(
    selected: Iterable[OpenRepository], path: str, line: int, scope: Scope | None
) -> NotFound:
    for opened in selected:
        with opened.view(scope) as view:
            if view is not None and view.catalog.has_file(_relative(opened, path)):
                return NotFound(
                    f"{path} has no code at line {line}",
                    hint="name a line that is not blank",
                    value=f"{path}:{line}",
                )
    return NotFound(
        f"{path} is not in this index",
        hint="give the path as search shows it; `codeintel status` counts what was skipped",
        value=path,
    )
