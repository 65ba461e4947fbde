"""SQL over the chunks in a scope: parameters, never pasted values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from codeintel_rev.text.globs import GlobSet, like_prefilter, like_subset
from codeintel_rev.text.languages import canonical_language

RECORD_COLUMNS = "row, id, uri, start_line, end_line, lang, symbol, kind, content, content_hash"
"""What a ``ChunkRecord`` is made of, in its order."""


class DuckDBQueryBuilder:
    """Builds queries over ``chunks``; without state, safe to share."""

    def build_filter_query(
        self,
        chunk_ids: Sequence[int] | None = None,
        include_globs: Sequence[str] | None = None,
        exclude_globs: Sequence[str] | None = None,
        languages: Sequence[str] | None = None,
        *,
        columns: str = RECORD_COLUMNS,
    ) -> tuple[str, dict[str, Any]]:
        """Return (sql, params) of the chunks with these ids, paths and languages.

        ``None`` does not restrict; an empty list of ids selects nothing. LIKE cannot say all that
        a glob says, so the rows hold every path that the globs let through and maybe more: an exact
        matcher (``GlobSet``) has to decide on ``uri``. ``columns`` is SQL, no foreign text.

        Raises ``BadGlob`` or ``UnknownLanguage``.
        """
        GlobSet(include_globs or (), exclude_globs or ())
        params: dict[str, Any] = {}
        conditions = []
        if chunk_ids is not None:
            conditions.append("id = ANY($ids)")
            params["ids"] = list(chunk_ids)
        if include_globs:
            likes = list(filter(None, map(like_prefilter, include_globs)))
            conditions.append(_any_like("include", likes, params))
        if exclude_globs and (excluded := _exact_likes(exclude_globs)):
            conditions.append(f"NOT {_any_like('exclude', excluded, params)}")
        if languages:
            conditions.append("lang = ANY($languages)")
            params["languages"] = list(dict.fromkeys(map(canonical_language, languages)))
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return f"SELECT {columns} FROM chunks{where}", params  # noqa: S608  no foreign text


def _exact_likes(globs: Iterable[str]) -> list[str]:
    """Return patterns for no more than ``globs`` match; none where a later one takes back."""
    likes: list[str] = []
    for glob in globs:
        if glob.startswith("!"):
            likes.clear()
        elif like := like_subset(glob):
            likes.append(like)
    return likes


def _any_like(name: str, likes: Sequence[str], params: dict[str, Any]) -> str:
    """Return a condition that any of ``likes`` fits the path, and add its parameters."""
    params |= {f"{name}_{number}": like for number, like in enumerate(likes)}
    tests = [f"uri LIKE ${name}_{number} ESCAPE '\\'" for number in range(len(likes))]
    return f"({' OR '.join(tests)})"
