"""Code like that at a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.app.local import LocalIndex, open_index
from codeintel_rev.errors import InvalidArgument, NotFound
from codeintel_rev.types import Scope

RETRY = '''def {name}(request, attempts):
    """Send a request again until it succeeds."""
    for attempt in range(attempts):
        response = transport.send(request)
        if response.status < 500:
            return response
        sleep_with_backoff(attempt)
'''
FILES = {
    "web/client.py": RETRY.format(name="send_with_retries"),
    "web/worker.py": RETRY.format(name="deliver_with_retries"),
    "jobs/copied.py": RETRY.format(name="deliver_with_retries"),
    "web/colour.py": "def mix_colours(red, green):\n    return (red + green) / 2\n",
    "jobs/colour.py": "def darken(shade):\n    return shade * 0.9\n",
    "web/blank.py": "\n\nimport os\n",
}


@pytest.fixture
def index(tmp_path: Path) -> Iterator[LocalIndex]:
    for repository in ("shop", "bank"):
        for name, text in FILES.items():
            path = tmp_path / repository / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    index_repositories([tmp_path / "shop", tmp_path / "bank"], data_dir=tmp_path / "data")
    with open_index(data_dir=tmp_path / "data", refresh=False) as opened:
        yield opened


SHOP = Scope(repos=["shop"])


def test_the_nearest_stands_first_and_the_chunk_itself_is_left_out(index: LocalIndex) -> None:
    found = index.related("web/client.py", 4, scope=SHOP)
    assert found.query == "web/client.py:4"
    assert found.hits[0].symbol == "deliver_with_retries"
    assert all(hit.uri != "web/client.py" for hit in found.hits)
    best, *others = [hit.score for hit in found.hits]
    assert 0.5 < best < 1.0
    assert all(score < best for score in others)


def test_copies_are_one_hit_that_names_the_others(index: LocalIndex) -> None:
    best = index.related("web/client.py", 1, scope=SHOP).hits[0]
    places = {best.uri, *(place["uri"] for place in best.locations)}
    assert places == {"web/worker.py", "jobs/copied.py"}


def test_the_same_code_in_another_repository_is_like_it(index: LocalIndex) -> None:
    best = index.related("shop:web/client.py", 4, scope=Scope(languages=["python"])).hits[0]
    assert (best.repo, best.uri) == ("bank", "web/client.py")
    assert best.score == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("path", ["./web/worker.py", "worker.py", "web\\worker.py"])
def test_a_path_may_be_written_in_several_ways(index: LocalIndex, path: str) -> None:
    assert index.related(path, 2, scope=SHOP).query == "web/worker.py:2"


def test_the_scope_says_what_is_found_and_not_where_to_start(index: LocalIndex) -> None:
    jobs = Scope(repos=["shop"], include_globs=["jobs/"])
    assert index.related("web/client.py", 4, scope=jobs).hits[0].uri == "jobs/copied.py"
    nothing = index.related("web/client.py", 4, scope=Scope(repos=["shop"], languages=["go"]))
    assert (nothing.hits, nothing.limits) == ((), ("scope_empty",))


def test_the_limit_counts_hits(index: LocalIndex) -> None:
    assert len(index.related("web/client.py", 4, limit=1, scope=SHOP).hits) == 1


@pytest.mark.parametrize(
    ("path", "line", "told"),
    [
        ("gone.py", 1, "gone.py is not in this index"),
        ("web/client.py", 900, "web/client.py has no code at line 900"),
        ("colour.py", 900, "colour.py has no code at line 900"),
        ("web/\udcff.py", 1, r"web/\\udcff.py is no UTF-8"),
    ],
)
def test_nothing_there_is_told(index: LocalIndex, path: str, line: int, told: str) -> None:
    with pytest.raises(NotFound, match=told):
        index.related(path, line, scope=SHOP)


def test_a_path_that_may_be_several_files_is_an_error_that_names_them(index: LocalIndex) -> None:
    with pytest.raises(InvalidArgument, match=r"web/colour\.py"):
        index.related("colour.py", 1, scope=SHOP)
    with pytest.raises(InvalidArgument, match=r"bank:web/client\.py, shop:web/client\.py"):
        index.related("web/client.py", 1)


@pytest.mark.parametrize(("line", "limit"), [(0, 10), (-1, 10), (1, 0)])
def test_lines_and_limits_are_checked(index: LocalIndex, line: int, limit: int) -> None:
    with pytest.raises(InvalidArgument):
        index.related("web/client.py", line, limit=limit, scope=SHOP)
