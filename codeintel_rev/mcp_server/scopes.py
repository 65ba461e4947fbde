"""Scopes of sessions and of calls, and what both together let through."""

from __future__ import annotations

from typing import NamedTuple

from codeintel_rev.mcp_server.callers import Caller
from codeintel_rev.mcp_server.ports import ServerContext
from codeintel_rev.text.languages import canonical_language
from codeintel_rev.types import NarrowedScope, Scope

_NOTHING = Scope(repos=[])
"""What two scopes have in common that share nothing."""


class EffectiveScope(NamedTuple):
    """What a call may see."""

    scope: Scope | None
    limits: tuple[str, ...] = ()
    """``redis_unavailable`` when the session's scope may be an old one."""


async def effective_scope(
    context: ServerContext, caller: Caller, scope: Scope | None
) -> EffectiveScope:
    """Return the scope of a call, narrowed by that of its session.

    Raises ``UnknownLanguage`` when either names a language that is not known.
    """
    if caller.scope_key is None:
        return EffectiveScope(scope)
    kept = await context.scope_store.get(caller.scope_key)
    limits = () if context.scope_store.available else ("redis_unavailable",)
    return EffectiveScope(joined(kept, scope), limits)


def joined(wide: Scope | None, narrow: Scope | None) -> Scope | None:
    """Return a scope that lets through what both let through."""
    if wide is None or narrow is None:
        return wide if narrow is None else narrow
    repos = _common(wide.repos, narrow.repos)
    branches = _common(wide.branches, narrow.branches)
    languages = _common(_canonical(wide.languages), _canonical(narrow.languages))
    commit = _common_commit(wide.commit, narrow.commit)
    if [] in (repos, branches, languages) or commit == "":
        return _NOTHING
    both = Scope(
        repos=repos,
        branches=branches,
        commit=commit,
        include_globs=narrow.include_globs or wide.include_globs,
        exclude_globs=[*(wide.exclude_globs or ()), *(narrow.exclude_globs or ())] or None,
        languages=languages,
    )
    within = [*_within(wide), *_within(narrow)]
    if wide.include_globs and narrow.include_globs:
        within.append(wide.include_globs)
    return _narrowed(both, within) if within else both


def with_repo(scope: Scope | None, repo: str | None, ref: str | None) -> Scope | None:
    """Return ``scope`` narrowed to one repository and one branch, tag or commit, where named."""
    named = Scope(repos=[repo] if repo else None, branches=[ref] if ref else None)
    return scope if named == Scope() else joined(scope, named)


def _within(scope: Scope) -> list[list[str]]:
    return scope.within_globs if isinstance(scope, NarrowedScope) else []


def _narrowed(scope: Scope, within: list[list[str]]) -> NarrowedScope:
    fields = {name: getattr(scope, name) for name in scope.__struct_fields__}
    return NarrowedScope(**fields, within_globs=within)


def _common(wide: list[str] | None, narrow: list[str] | None) -> list[str] | None:
    if wide is None or narrow is None:
        return wide if narrow is None else narrow
    return [name for name in narrow if name in wide]


def _common_commit(wide: str | None, narrow: str | None) -> str | None:
    """Return the longer of two names of one commit; empty when they name two."""
    if wide is None or narrow is None:
        return wide if narrow is None else narrow
    shorter, longer = sorted((wide, narrow), key=len)
    return longer if longer.startswith(shorter) else ""


def _canonical(names: list[str] | None) -> list[str] | None:
    return [canonical_language(name) for name in names] if names else None
