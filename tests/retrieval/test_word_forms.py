from __future__ import annotations

import pytest

from codeintel_rev.retrieval.word_forms import inflections, stem


@pytest.mark.parametrize(
    ("forms", "shared"),
    [
        (("cache", "caches", "cached", "caching"), "cach"),
        (("query", "queries", "queried", "querying"), "query"),
        (("route", "routes", "routed", "routing"), "rout"),
        (("run", "runs", "running"), "run"),
        (("call", "calls", "called", "calling"), "call"),
        (("match", "matches", "matched", "matching"), "match"),
    ],
)
def test_the_forms_of_a_word_share_a_stem(forms: tuple[str, ...], shared: str) -> None:
    long_enough = [form for form in forms if len(form) > 3]
    assert {stem(form) for form in long_enough} <= {shared, shared[:-1] + "i"}


@pytest.mark.parametrize("term", ["", "io", "ids", "utf8", "straße", "class", "status", "this"])
def test_what_is_no_inflected_word_stays(term: str) -> None:
    assert stem(term) == term


@pytest.mark.parametrize(
    ("term", "form"),
    [
        ("session", "sessions"),
        ("sessions", "session"),
        ("retries", "retry"),
        ("retry", "retries"),
        ("caching", "cache"),
        ("stop", "stopped"),
        ("stopping", "stops"),
    ],
)
def test_a_word_finds_its_other_forms(term: str, form: str) -> None:
    assert form in inflections(term)
    assert term not in inflections(term)


@pytest.mark.parametrize("term", ["", "io", "utf8", "get_url"])
def test_names_have_no_other_forms(term: str) -> None:
    assert not inflections(term)
