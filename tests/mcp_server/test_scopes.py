"""A scope of a call narrows that of its session, and never widens it."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from codeintel_rev.app.config_context import ApplicationContext
from codeintel_rev.app.file_filter import FileFilter
from codeintel_rev.config.settings import RedisConfig, Settings
from codeintel_rev.errors import UnknownLanguage
from codeintel_rev.mcp_server.adapters import files, history, semantic, symbols, text_search
from codeintel_rev.mcp_server.callers import Caller
from codeintel_rev.mcp_server.scopes import joined, with_repo
from codeintel_rev.types import Scope

NOTHING = Scope(repos=[])

PATHS = ["a.py", "src/a.py", "src/b.go", "src/gen/c.py", "docs/d.md", "tests/a.py"]
LANGUAGES = ["python", "python", "go", "python", "markdown", "python"]
FILE_SCOPES = [
    Scope(),
    Scope(include_globs=["src/**"]),
    Scope(include_globs=["*.py", "docs"]),
    Scope(exclude_globs=["gen/"]),
    Scope(include_globs=["src/**", "!src/gen/"], exclude_globs=["*.go"]),
    Scope(languages=["py"]),
    Scope(languages=["golang", "md"]),
    Scope(include_globs=["tests"], languages=["python"]),
]


def let_through(scope: Scope | None) -> set[str]:
    if scope == NOTHING:
        return set()
    files = FileFilter(scope or Scope())
    return {p for p, lang in zip(PATHS, LANGUAGES, strict=True) if files.match(p, lang)}


@pytest.mark.parametrize(("wide", "narrow"), list(itertools.product(FILE_SCOPES, FILE_SCOPES)))
def test_what_both_let_through_passes_and_nothing_else(wide: Scope, narrow: Scope) -> None:
    assert let_through(joined(wide, narrow)) == let_through(wide) & let_through(narrow)


@pytest.mark.parametrize("scopes", list(itertools.permutations(FILE_SCOPES, 3)))
def test_a_third_scope_does_not_widen_two(scopes: tuple[Scope, Scope, Scope]) -> None:
    first, second, third = scopes
    wanted = let_through(first) & let_through(second) & let_through(third)
    assert let_through(joined(joined(first, second), third)) == wanted
    assert let_through(joined(first, joined(second, third))) == wanted


def test_a_missing_scope_does_not_restrict() -> None:
    scope = Scope(repos=["shop"])
    assert joined(None, scope) == joined(scope, None) == scope
    assert joined(None, None) is None


@pytest.mark.parametrize(
    ("wide", "narrow", "both"),
    [
        (Scope(repos=["a", "b"]), Scope(repos=["b", "c"]), Scope(repos=["b"])),
        (Scope(repos=["a"]), Scope(repos=["b"]), NOTHING),
        (Scope(branches=["main"]), Scope(repos=["a"]), Scope(branches=["main"], repos=["a"])),
        (Scope(branches=["main"]), Scope(branches=["dev"]), NOTHING),
        (Scope(languages=["py"]), Scope(languages=["python"]), Scope(languages=["python"])),
        (Scope(languages=["py"]), Scope(languages=["go"]), NOTHING),
        (Scope(commit="abc1234"), Scope(commit="abc12345"), Scope(commit="abc12345")),
        (Scope(commit="abc1234"), Scope(commit="abc9999"), NOTHING),
    ],
)
def test_names_are_intersected(wide: Scope, narrow: Scope, both: Scope) -> None:
    assert joined(wide, narrow) == both


def test_a_repository_and_a_ref_narrow_too() -> None:
    scope = Scope(languages=["go"])
    assert with_repo(scope, None, None) is scope
    assert with_repo(scope, "shop", "main") == Scope(
        repos=["shop"], branches=["main"], languages=["go"]
    )
    assert with_repo(None, "", None) is None


def test_a_language_that_nobody_knows_is_refused() -> None:
    with pytest.raises(UnknownLanguage):
        joined(Scope(languages=["klingon"]), Scope(languages=["go"]))


async def test_every_document_tells_that_a_scope_may_be_unknown(settings: Settings) -> None:
    away = replace(settings, redis=RedisConfig(url="redis://127.0.0.1:1"))
    context = await ApplicationContext.create(away)
    try:
        caller = Caller(session="nobody-knows-it")
        for document in (
            await files.list_paths(context, caller),
            await files.open_file(context, caller, "cart.py"),
            await semantic.semantic_search(context, caller, "price"),
            await symbols.symbol_search(context, caller, "total_price"),
            await history.file_history(context, caller, "prices.py"),
            await text_search.search_text(context, caller, "price"),
        ):
            assert document["limits"] == ["redis_unavailable"]
        assert "limits" not in await files.list_paths(context, Caller()), "it has no session"
    finally:
        await context.close()
