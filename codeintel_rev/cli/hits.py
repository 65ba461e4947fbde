"""Hits as every command that finds code prints them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codeintel_rev.cli.output import Output
    from codeintel_rev.types import SearchResult


def show_hits(output: Output, result: SearchResult, roots: Mapping[str, str]) -> None:
    """Print a result; ``roots`` maps repository names to folders."""
    if output.json:
        from codeintel_rev.app.documents import search_document

        output.document(search_document(result))
    elif not result.hits:
        output.note("nothing found")
    elif output.is_terminal:
        from codeintel_rev.cli.styled import styled_hits

        output.styled(styled_hits(result, roots))
    else:
        from codeintel_rev.cli.blocks import hits_text

        output.text(hits_text(result, name_repos=len(roots) > 1))
    output.limits(result.limits)
