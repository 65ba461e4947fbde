"""Which files of a repository a scope lets through."""

from __future__ import annotations

from codeintel_rev.text.globs import GlobSet
from codeintel_rev.text.languages import canonical_language
from codeintel_rev.types import NarrowedScope, Scope


class FileFilter:
    """The globs and languages of a scope, compiled; immutable and safe to share.

    Raises ``BadGlob`` or ``UnknownLanguage``.
    """

    def __init__(self, scope: Scope) -> None:
        self._globs = GlobSet(scope.include_globs or (), scope.exclude_globs or ())
        within = scope.within_globs if isinstance(scope, NarrowedScope) else ()
        self._within = [GlobSet(globs) for globs in within]
        self._languages = {canonical_language(name) for name in scope.languages or ()}

    def match(self, path: str, language: str) -> bool:
        """Return whether a file is in."""
        return (
            (not self._languages or language in self._languages)
            and self._globs.match(path)
            and all(globs.match(path) for globs in self._within)
        )
