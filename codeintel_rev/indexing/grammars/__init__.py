"""One syntax table a language, loaded with its parser when the language is first met."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Final

from tree_sitter import Language, Parser

from codeintel_rev.indexing.grammars.grammar import Grammar

GRAMMAR_LANGUAGES: Final = (
    *("bash", "c", "cpp", "csharp", "css", "elixir", "go", "haskell", "hcl", "html", "java"),
    *("javascript", "kotlin", "lua", "php", "python", "ruby", "rust", "scala", "sql", "swift"),
    *("tsx", "typescript", "zig"),
)
"""Each has a module of its name here that holds its ``GRAMMAR``."""


@cache
def load_grammar(lang: str) -> tuple[Grammar, Parser] | None:
    """Return a language's table and this process's parser of it, ``None`` where there is none."""
    if lang not in GRAMMAR_LANGUAGES:
        return None
    grammar: Grammar = import_module(f"{__name__}.{lang}").GRAMMAR
    entry = getattr(import_module(grammar.package), grammar.entry)
    return grammar, Parser(Language(entry()))
