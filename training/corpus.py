"""Files of the fetched packages, cleaned: one copy each, no generated or excluded ones."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from training.exclusions import ExcludedNames

LANGUAGES = {
    ".py": "python", ".js": "javascript", ".mjs": "javascript", ".cjs": "javascript",
    ".jsx": "javascript", ".ts": "typescript", ".tsx": "tsx", ".go": "go", ".java": "java",
    ".rs": "rust", ".c": "c", ".h": "cpp", ".cc": "cpp", ".cpp": "cpp", ".cxx": "cpp",
    ".hpp": "cpp", ".rb": "ruby", ".php": "php", ".cs": "c_sharp", ".kt": "kotlin",
    ".scala": "scala", ".lua": "lua", ".ex": "elixir", ".exs": "elixir", ".sh": "bash",
    ".swift": "swift", ".zig": "zig", ".md": "markdown", ".rst": "markdown",
}  # fmt: skip

MAX_FILE_BYTES = 300_000
MAX_MEAN_LINE = 120
"""Longer mean lines mark minified and data files."""


class SourceFile(NamedTuple):
    """A source file of one package."""

    package: str
    path: str
    language: str
    text: str


def source_files(root: Path, excluded: ExcludedNames) -> Iterator[SourceFile]:
    """Yield the files below ``root/<registry>/<package>`` in a fixed order, each content once."""
    seen: set[bytes] = set()
    for package in sorted(root.glob("*/*")):
        if excluded.covers(package.name):
            continue
        for path in sorted(package.rglob("*")):
            language = LANGUAGES.get(path.suffix)
            relative = path.relative_to(package).as_posix()
            if language is None or excluded.covers(relative) or ".min." in path.name:
                continue
            text = _read(path)
            digest = blake2b(text.encode(), digest_size=16).digest()
            if text and digest not in seen:
                seen.add(digest)
                yield SourceFile(package.name, relative, language, text)


def _read(path: Path) -> str:
    """Return the text of a hand-written file, or nothing."""
    if path.is_symlink() or not path.is_file() or path.stat().st_size > MAX_FILE_BYTES:
        return ""
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        return ""
    head = text[:600].lower()
    if "do not edit" in head or "@generated" in head or "\0" in head:
        return ""
    return text if len(text) <= MAX_MEAN_LINE * (text.count("\n") + 1) else ""
