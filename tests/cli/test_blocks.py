"""Plain text that reads, and greps, well."""

from __future__ import annotations

from dataclasses import replace

from codeintel_rev.cli.blocks import hits_text, index_text, status_text
from codeintel_rev.types import IndexReport, SearchHit, SearchResult, StatusReport

HIT = SearchHit(
    doc_id=1,
    score=0.03252,
    repo="web",
    uri="src/router.py",
    start_line=10,
    end_line=11,
    symbol="Router.match",
    kind="method",
    code="def match(self, url):\n    return url\n",
)


def test_a_hit_is_a_line_with_its_place_and_then_its_code() -> None:
    text = hits_text(SearchResult("match", (HIT, replace(HIT, symbol="", kind="block"))))
    assert text == (
        "src/router.py:10-11  Router.match  method  (0.0325)\n"
        "def match(self, url):\n"
        "    return url\n"
        "\n"
        "src/router.py:10-11  (0.0325)\n"
        "def match(self, url):\n"
        "    return url"
    )


def test_a_repository_is_named_where_there_are_several() -> None:
    text = hits_text(SearchResult("match", (replace(HIT, stale=True),)), name_repos=True)
    assert text.startswith("web:src/router.py:10-11  Router.match  method  (0.0325)  [changed")


def test_reasons_stand_below_the_place() -> None:
    told = {
        "exact": True,
        "meaning": {"cosine": 0.5523, "rank": 2},
        "words": {"bm25": 31.44, "rank": None},
        "match": 0.93,
        "signals": {"definition": 1.0, "test_path": 1.0, "file": 0.16},
        "effects": {"definition": "+0.050", "test_path": "x0.60", "file": "+0.160"},
        "repository": 0.71,
    }
    lines = hits_text(SearchResult("match", (replace(HIT, explain=told),))).splitlines()
    assert lines[1:9] == [
        "  exact      defines what is asked for, or holds it verbatim",
        "  meaning    cosine 0.552, rank 2",
        "  words      BM25 31.4, not among the best of this channel",
        "  match      0.930 of 1, from both",
        "  +0.050     definition: is a definition",
        "  x0.60      test_path: is a test or an example",
        "  +0.160     file: its whole file",
        "  x0.71      repository: how well it fits beside the others",
    ]


def test_what_an_index_run_did_is_said_in_two_lines() -> None:
    report = IndexReport(repos=[{"name": "web"}], added=1200, skipped=3, seconds=2.0, lines=90_000)
    assert index_text(report) == (
        "web: 1,200 added, 0 changed, 0 removed, 0 unchanged, 3 skipped\n"
        "90,000 lines in 2.00 s, 45,000 lines/s"
    )


def test_status_says_how_far_each_ref_is_behind() -> None:
    main = {"ref": "main", "commit": "0" * 40, "behind": 2, "changed_files": 1, "default": True}
    dev = {"ref": "dev", "commit": "1" * 40, "behind": 0, "changed_files": None, "default": False}
    gone = dev | {"ref": "gone", "behind": None}
    report = StatusReport(
        repos=[{"name": "web", "sequence": 1, **main, "refs": [main, dev, gone]}],
        files=1,
        chunks=1,
        skipped={},
        model={"id": "static", "dim": 256, "fingerprint": "ab"},
        bytes=5,
        writer=None,
    )
    assert status_text(report).splitlines()[:3] == [
        "repository web  main at 000000000000, 2 commits and 1 changed file behind",
        "           web  dev at 111111111111",
        "           web  gone at 111111111111",
    ]


def test_status_names_what_was_skipped_most_first() -> None:
    report = StatusReport(
        repos=[{"name": "web", "ref": "main", "commit": "0123456789abcdef", "sequence": 1}],
        files=1200,
        chunks=5000,
        skipped={"binary": 2, "generated": 7},
        model={"id": "static", "dim": 256, "fingerprint": "ab"},
        bytes=5 * 1024 * 1024,
        writer=None,
    )
    assert status_text(report).splitlines() == [
        "repository web  main at 0123456789ab",
        "files      1,200",
        "chunks     5,000",
        "skipped    7 generated, 2 binary",
        "model      static, 256 dimensions",
        "size       5.0 MiB",
        "writer     none",
    ]


def test_status_names_the_first_places_of_secrets() -> None:
    report = StatusReport(
        repos=[],
        files=1,
        chunks=1,
        skipped={},
        model={"id": "static", "dim": 256, "fingerprint": "ab"},
        bytes=5,
        writer=None,
        secrets=[
            {"repo": "web", "uri": "a.py", "line": line, "kind": "password"} for line in range(1, 5)
        ],
    )
    assert status_text(report).splitlines()[3] == (
        "secrets    4 in the text, a.py:1 (password), a.py:2 (password), a.py:3 (password), ..."
    )
