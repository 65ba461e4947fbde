"""What the path of a file, and of a symbol, says about code (pure)."""

from __future__ import annotations

import re
from functools import lru_cache

from codeintel_rev.retrieval.word_forms import stem
from codeintel_rev.text.code_tokenizer import tokenize

_TEST = re.compile(
    r"(^|/)(tests?|t|testing|specs?|__tests__|testdata|fixtures?|mocks?|benchmarks?|examples?|samples?|demos?)(/|$)"
    r"|(^|/)(test_[^/]*|conftest\.py|[^/]*(_test|_spec|\.test|\.spec|Tests?|Spec)\.\w+)$",
)
_COPIED = re.compile(
    r"(^|/)(dist|vendor(ed)?|_vendor|third[_-]?party|3rdparty|node_modules|bower_components|googletest|gtest|gmock)(/|$)"
    r"|^deps/|(^|/)jquery[-.\d][^/]*$|\.min\.",
)

_KEPT = 1 << 10
"""Paths remembered: the chunks of a file are met one after the other."""


@lru_cache(maxsize=_KEPT)
def is_test(path: str) -> bool:
    """Return whether it is that of a test, a fixture or an example."""
    return _TEST.search(path) is not None


def is_in_test_module(symbol: str) -> bool:
    """Return whether a symbol is of a module of tests inside the file that they test, as in Rust."""
    return symbol.startswith(("test.", "tests."))


@lru_cache(maxsize=_KEPT)
def is_copied(path: str) -> bool:
    """Return whether it is that of something built here or copied from another project."""
    return _COPIED.search(path) is not None


def file_words(path: str) -> frozenset[str]:
    """Return the stems of the words in the file's name, without its ending."""
    name = path.rpartition("/")[2]
    return frozenset(map(stem, tokenize(name.rpartition(".")[0] or name)))
