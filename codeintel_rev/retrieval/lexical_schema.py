"""The fields of the lexical index, shared by its writer and its searcher."""

from __future__ import annotations

from pathlib import Path

import tantivy

ROW = "row"
FIELDS = ("body", "symbol", "path", "doc")
"""Text fields: the chunk's terms, and those of its symbol, its path and its docstring."""

_ANALYZER = "terms"
"""Fields arrive as terms of the code tokenizer joined by spaces."""


def open_index(folder: Path) -> tantivy.Index:
    """Open the lexical index in ``folder``, made empty when the folder holds none."""
    folder.mkdir(parents=True, exist_ok=True)
    builder = tantivy.SchemaBuilder()
    builder.add_integer_field(ROW, indexed=False, stored=False, fast=True)
    for name in FIELDS:
        builder.add_text_field(name, stored=False, tokenizer_name=_ANALYZER, index_option="freq")
    index = tantivy.Index(builder.build(), path=str(folder), reuse=True)
    whitespace = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
    index.register_tokenizer(_ANALYZER, whitespace)
    return index
