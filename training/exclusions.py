"""What must stay out of the training data: evaluation repositories and evaluation snippets."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

RUN_LENGTH = 50
"""A function that shares a run of this many tokens with an evaluation snippet is left out."""

# Names under which registries and vendoring projects carry what the repository's own name hides.
ALIASES = {
    "abseil-cpp": ["absl", "abseil"],
    "axum": ["axum-core", "axum-macros", "axum-extra"],
    "commons-lang": ["commons-lang3", "lang3", "libcommons-lang3-java"],
    "framework": ["illuminate", "laravel", "laravel-framework"],
    "fmt": ["fmtlib", "libfmt"],
    "json": ["nlohmann", "nlohmann-json"],
    "kotlinx.coroutines": ["kotlinx-coroutines", "coroutines"],
    "MessagePack-CSharp": ["messagepack"],
    "Newtonsoft.Json": ["newtonsoft"],
    "pydantic": ["pydantic-core", "pydantic-v1"],
    "pytest": ["_pytest"],
    "rails": [
        "actioncable", "actionmailbox", "actionmailer", "actionpack", "actiontext", "actionview",
        "activejob", "activemodel", "activerecord", "activestorage", "activesupport", "railties",
    ],
    "redux": ["reduxjs", "redux-toolkit", "@reduxjs"],
    "serde": ["serde-derive", "serde_core"],
    "tokio": ["tokio-macros", "tokio-util", "tokio-stream", "tokio-test"],
    "trpc": ["@trpc"],
    "vitest": ["@vitest"],
}  # fmt: skip

_WORD = re.compile(r"\w+")
_PACKAGING = re.compile(r"^(lib)?(golang|librust|ruby|php|node|python3?)-|-dev$|[-_.@]|\d+$")


def normalised(text: str) -> list[str]:
    """Return the lower-case words of ``text``: what is compared, whatever its layout."""
    return _WORD.findall(text.lower())


class ExcludedNames:
    """Tells whether a path belongs to an excluded package, its vendored copies included."""

    def __init__(self, repositories: Iterable[str]) -> None:
        names: set[str] = set()
        for repository in repositories:
            name = repository.rpartition("/")[2]
            names |= {self._key(name), *map(self._key, ALIASES.get(name, []))}
        self._names = names

    def covers(self, path: str) -> bool:
        """Return whether any part of ``path``, with or without suffix, is an excluded name."""
        parts = PurePosixPath(path).parts
        return any(
            self._key(part) in self._names or self._key(part.split(".")[0]) in self._names
            for part in parts
        )

    @staticmethod
    def _key(name: str) -> str:
        return _PACKAGING.sub("", name.lower())


class ExcludedSnippets:
    """Tells whether a function repeats an evaluation snippet."""

    def __init__(self, snippets: Iterable[str]) -> None:
        self._wholes: set[str] = set()
        runs = []
        for snippet in snippets:
            words = normalised(snippet)
            self._wholes |= {" ".join(words), " ".join(normalised(_docstring(snippet)))}
            runs.append(run_hashes(words))
        self._wholes.discard("")
        self._runs = np.unique(np.concatenate(runs)) if runs else np.empty(0, np.uint64)

    def cover(self, text: str, doc: str = "") -> bool:
        """Return whether ``text`` or ``doc`` equals a snippet or shares a long run with one."""
        words = normalised(text)
        wholes = (" ".join(words), " ".join(normalised(doc)))
        if any(whole in self._wholes for whole in wholes):
            return True
        hashes = run_hashes(words)
        if not len(hashes) or not len(self._runs):
            return False
        at = np.minimum(np.searchsorted(self._runs, hashes), len(self._runs) - 1)
        return bool((self._runs[at] == hashes).any())


def run_hashes(words: Sequence[str]) -> NDArray[np.uint64]:
    """Return one hash for each run of ``RUN_LENGTH`` words, in order."""
    count = len(words) - RUN_LENGTH + 1
    if count <= 0:
        return np.empty(0, np.uint64)
    singles = np.array([_hash(word) for word in words], np.uint64)
    total = np.zeros(count, np.uint64)
    for offset in range(RUN_LENGTH):
        total = total * np.uint64(0x9E3779B97F4A7C15) + singles[offset : offset + count]
    return total


def _hash(word: str) -> int:
    return int.from_bytes(blake2b(word.encode(), digest_size=8).digest(), "little")


def _docstring(snippet: str) -> str:
    try:
        tree = ast.parse(snippet)
    except (SyntaxError, ValueError):
        return ""
    docs = [
        ast.get_docstring(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    ]
    return docs[0] or "" if docs else ""


def load(repositories: Sequence[Path], snippets: Path) -> tuple[ExcludedNames, ExcludedSnippets]:
    """Read exclusions from JSON lines: ``{"repo": ...}`` files and one ``{"code": ...}`` file."""
    names = [json.loads(line)["repo"] for path in repositories for line in path.open()]
    codes = [json.loads(line)["code"] for line in snippets.open()]
    return ExcludedNames(names), ExcludedSnippets(codes)
