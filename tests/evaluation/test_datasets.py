"""Reading query sets."""

import json
from pathlib import Path
from typing import Any

import pytest

from codeintel_rev.errors import InvalidArgument, NotFound
from codeintel_rev.evaluation.datasets import Judgement, Tree, read_sets

COMMIT = "0123456789abcdef0123456789abcdef01234567"
GOOD = {
    "id": "q1",
    "query": "where are routes matched?",
    "repo": "owner/web",
    "commit": COMMIT,
    "relevant": [{"path": "src/router.py", "start_line": 3, "end_line": 9, "grade": 2}],
}


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_a_row_becomes_a_query_on_a_tree(tmp_path: Path) -> None:
    path = write(tmp_path / "web.jsonl", {**GOOD, "index_root": "./src/", "language": "python"})

    (query_set,) = read_sets(path)

    (query,) = query_set.queries
    assert (query_set.name, query_set.skipped) == ("web", 0)
    assert (query.id, query.text) == ("q1", "where are routes matched?")
    assert query.judgements == (Judgement(path="src/router.py", start_line=3, end_line=9, grade=2),)
    assert query.tree == Tree("owner/web", COMMIT, "src")
    assert query.tree.folder == "owner+web@0123456789"
    assert query.fields["language"] == "python"


def test_judged_documents_are_asked_of_the_corpus(tmp_path: Path) -> None:
    row = {"id": "q", "query": "reverse a list", "repo": None, "relevant": [{"doc_id": "d"}]}

    (query_set,) = read_sets(write(tmp_path / "s.jsonl", row))

    assert query_set.queries[0].tree is None


def test_rows_without_judgements_are_counted_whatever_else_they_lack(tmp_path: Path) -> None:
    path = write(tmp_path / "s.jsonl", GOOD, {"id": "a"}, {"relevant": []}, {"relevant": None})

    (query_set,) = read_sets(path)

    assert (len(query_set.queries), query_set.skipped) == (1, 3)


def test_a_folder_holds_one_set_a_file(tmp_path: Path) -> None:
    for name in ("b.jsonl", "a.jsonl", "notes.md"):
        write(tmp_path / name, GOOD)

    assert [query_set.name for query_set in read_sets(tmp_path)] == ["a", "b"]


def test_another_field_can_be_the_query(tmp_path: Path) -> None:
    path = write(tmp_path / "s.jsonl", {**GOOD, "title": "Routing"})

    (query_set,) = read_sets(path, "title")

    assert query_set.queries[0].text == "Routing"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"query": " "}, "no text in the field 'query'"),
        ({"query": ["a"]}, "no text in the field 'query'"),
        ({"id": 7}, r"Expected `str`, got `int` - at `\$.id`"),
        ({"id": ""}, r"\$.id"),
        ({"relevant": "router.py"}, r"\$.relevant"),
        ({"relevant": [{"grade": 1}]}, "either `path` or `doc_id`"),
        ({"relevant": [{"path": "a", "doc_id": "b"}]}, "either `path` or `doc_id`"),
        ({"relevant": [{"path": "a", "grade": 0}]}, r"\$.relevant\[0\].grade"),
        ({"relevant": [{"path": "a", "start_line": 0, "end_line": 1}]}, "start_line"),
        ({"relevant": [{"path": "a", "start_line": 4}]}, "go together"),
        ({"relevant": [{"path": "a", "start_line": 4, "end_line": 3}]}, "3 is before"),
        ({"relevant": [{"path": "a"}, {"doc_id": "b"}]}, "mixes paths and documents"),
        ({"repo": None}, "judged paths need `repo` and `commit`"),
        ({"repo": "web"}, r"\$.repo"),
        ({"commit": "HEAD"}, r"\$.commit"),
        ({"index_root": "../other"}, "leaves the tree"),
        ({"index_root": "/etc"}, "leaves the tree"),
        ({}, "the id 'q1' occurs twice"),
    ],
)
def test_a_bad_row_is_named_by_file_and_line(
    tmp_path: Path, change: dict[str, Any], complaint: str
) -> None:
    path = write(tmp_path / "s.jsonl", GOOD, {**GOOD, **change})

    with pytest.raises(InvalidArgument, match=rf"s\.jsonl:2: .*{complaint}") as caught:
        read_sets(path)

    assert caught.value.value == "s.jsonl:2"
    assert caught.value.hint


@pytest.mark.parametrize(
    "line", [b"{", b"[1]", b'{"id": "\xff"}', b"null", b'{"id":' + b"[" * 9_999]
)
def test_a_line_that_is_no_json_object_is_named(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "s.jsonl"
    path.write_bytes(b"\n" + line + b"\n")

    with pytest.raises(InvalidArgument, match=r"s\.jsonl:2: not a JSON object"):
        read_sets(path)


def test_no_set_at_all_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"no \.jsonl file"):
        read_sets(tmp_path)
    with pytest.raises(NotFound, match="cannot read"):
        read_sets(tmp_path / "absent.jsonl")
