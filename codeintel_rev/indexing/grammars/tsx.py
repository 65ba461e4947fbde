"""TypeScript with JSX."""

from __future__ import annotations

from codeintel_rev.indexing.grammars import typescript

GRAMMAR = typescript.GRAMMAR._replace(entry="language_tsx")
