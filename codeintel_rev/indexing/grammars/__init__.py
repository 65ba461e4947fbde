"""One syntax table a language, loaded with its parser when the language is first met."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Final

from tree_sitter import Language, Parser

from codeintel_rev.indexing.grammars.grammar import Grammar

_TABLES: Final = {
    "c": ("c", "GRAMMAR"),
    "cpp": ("cpp", "GRAMMAR"),
    "go": ("go", "GRAMMAR"),
    "java": ("java", "GRAMMAR"),
    "javascript": ("javascript", "GRAMMAR"),
    "python": ("python", "GRAMMAR"),
    "rust": ("rust", "GRAMMAR"),
    "tsx": ("typescript", "TSX_GRAMMAR"),
    "typescript": ("typescript", "GRAMMAR"),
}
"""Language -> the module here and the table in it."""

GRAMMAR_LANGUAGES: Final = tuple(_TABLES)


@cache
def load_grammar(lang: str) -> tuple[Grammar, Parser] | None:
    """Return a language's table and this process's parser of it, ``None`` where there is none."""
    if lang not in _TABLES:
        return None
    module, name = _TABLES[lang]
    grammar: Grammar = getattr(import_module(f"{__name__}.{module}"), name)
    entry = getattr(import_module(grammar.package), grammar.entry)
    return grammar, Parser(Language(entry()))
