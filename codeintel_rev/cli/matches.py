"""The hits of an exhaustive search: a line each, as grep writes them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from codeintel_rev.cli.log_notes import LogNotes
from codeintel_rev.cli.output import Output
from codeintel_rev.types import SearchHit, SearchResult


def show_matches(output: Output, result: SearchResult, roots: Mapping[str, str], what: str) -> None:
    """Write the hits, and beside them how many there are; ``what`` is what is counted."""
    if output.json:
        from codeintel_rev.app.documents import search_document

        output.document(search_document(result))
        return
    if output.is_terminal:
        from codeintel_rev.cli.styled import styled_matches

        output.styled(styled_matches(result, roots))
    elif result.hits:
        output.text("\n".join(match_text(hit, name_repos=len(roots) > 1) for hit in result.hits))
    output.note(count_text(result, what))
    output.limits(result.limits)


def match_text(hit: SearchHit, *, name_repos: bool) -> str:
    """Return ``path:line:text``, with ``repo:`` before it when the index holds several."""
    repo = f"{hit.repo}:" if name_repos else ""
    return f"{repo}{hit.uri}:{hit.start_line}:{hit.code}"


def count_text(result: SearchResult, what: str) -> str:
    """Return how many hits there are, and how many of them are listed if not all."""
    total = result.total or 0
    if not total:
        return "nothing found"
    counted = f"{total:,} {what}{'s'[: total > 1]}"
    return counted if len(result.hits) == total else f"the first {len(result.hits):,} of {counted}"


def cancellable(find: Callable[[], SearchResult]) -> SearchResult:
    """Return what ``find`` does, letting Ctrl-C stop it: a query in the main thread is deaf."""
    from concurrent.futures import ThreadPoolExecutor

    from codeintel_rev.cancellation import Cancellation

    cancellation = Cancellation()
    with ThreadPoolExecutor(1) as thread:
        found = thread.submit(cancellation.run, find)
        try:
            return found.result()
        except BaseException:
            cancellation.cancel()
            raise


@contextmanager
def queries_told(output: Output, *, wanted: bool) -> Iterator[None]:
    """Tell the catalog's queries in the block, and their times, if ``wanted``."""
    if not wanted:
        yield
        return
    log = logging.getLogger("codeintel_rev.io.duckdb_manager")
    handler, before = LogNotes(output, logging.DEBUG), log.level
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(before)
