"""Retrieval stage by stage against a search in one call."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.app.local import LocalIndex, open_index
from codeintel_rev.app.local_answers import StagedRetriever
from codeintel_rev.retrieval.fusion import fuse_hits
from codeintel_rev.types import Scope, SearchHit

from .conftest import write

ROUTES = '''\
class RouteTable:
    """Request routes."""

    def match_request(self, request):
        """Return the route whose pattern matches the path of an HTTP request."""
        return next(route for route in self.routes if route.pattern.match(request.path))
'''
PARCELS = '''\
def parcel_route(parcel):
    """Return the shortest way for a parcel."""
    return shortest(parcel.start, parcel.goal)
'''
QUERY = "match the path of an http request to a route pattern"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalIndex]:
    """Two repositories, of which one answers the query and the other shares a word with it."""
    folder = tmp_path_factory.mktemp("several")
    for name, text in (("parcels", PARCELS), ("web", ROUTES)):
        write(folder / name, "routes.py", text)
    data_dir = folder / "data"
    index_repositories([folder / "parcels", folder / "web"], data_dir=data_dir)
    with open_index(data_dir=data_dir, refresh=False) as opened:
        yield opened


def staged(index: LocalIndex, query: str, limit: int) -> list[SearchHit]:
    retriever = StagedRetriever(index)
    dense = retriever.retrieve_dense(query, None, 50)
    words = retriever.retrieve_lexical(query, None, 50)
    return retriever.finish(query, fuse_hits({"faiss": dense, "bm25": words}), None, limit)


def test_repositories_are_weighed_as_in_a_search_in_one_call(index: LocalIndex) -> None:
    at_once = index.search(QUERY, limit=5).hits
    in_stages = staged(index, QUERY, 5)
    assert {hit.repo for hit in in_stages} == {"web", "parcels"}
    assert [(hit.repo, hit.doc_id) for hit in in_stages] == [
        (hit.repo, hit.doc_id) for hit in at_once
    ]
    assert [hit.score for hit in in_stages] == pytest.approx([hit.score for hit in at_once])


def test_the_word_channel_leads_with_the_repository_that_covers_the_query(
    index: LocalIndex,
) -> None:
    hits = StagedRetriever(index).retrieve_lexical(QUERY, None, 50)
    assert hits[0].repo == "web"
    assert {hit.repo for hit in hits} == {"web", "parcels"}


def test_only_the_best_are_returned(index: LocalIndex) -> None:
    (hit,) = staged(index, QUERY, 1)
    assert (hit.repo, hit.code != "") == ("web", True)


def test_a_scope_that_is_no_text_has_an_answer_and_traces(index: LocalIndex) -> None:
    halves = Scope(include_globs=["\udcff*"])
    assert not index.ask(QUERY, scope=halves).citations
    assert index.search(QUERY, scope=halves).limits == ("scope_empty",)
