"""Trees and corpora as folders that can be indexed."""

from pathlib import Path

import pytest

from codeintel_rev.errors import InvalidArgument
from codeintel_rev.evaluation.datasets import Tree
from codeintel_rev.evaluation.runs import Result
from codeintel_rev.evaluation.sources import Document, corpus_source, read_corpus, tree_source
from codeintel_rev.types import SearchHit

COMMIT = "0123456789abcdef"


def hit(uri: str) -> SearchHit:
    return SearchHit(doc_id=1, score=0.5, uri=uri, start_line=2, end_line=4)


def test_a_tree_is_a_folder_named_by_owner_name_and_commit(tmp_path: Path) -> None:
    source = tree_source(tmp_path, Tree("owner/web", COMMIT))

    assert source.name == "owner+web@0123456789"
    assert source.root == tmp_path / "owner+web@0123456789"
    assert source.result(hit("a/b.py")) == Result(
        path="a/b.py", start_line=2, end_line=4, score=0.5
    )


def test_a_folder_of_a_tree_returns_paths_from_the_root_of_the_tree(tmp_path: Path) -> None:
    source = tree_source(tmp_path, Tree("owner/web", COMMIT, "lib/core"))

    assert source.name == "owner+web@0123456789+lib+core"
    assert source.root == tmp_path / "owner+web@0123456789" / "lib" / "core"
    assert source.result(hit("a.py")).path == "lib/core/a.py"


def test_each_document_is_a_file_of_its_language(tmp_path: Path) -> None:
    documents = [
        Document("../../escape", "def a(): ...", "python"),
        Document("CON", "let a = 1", "js"),
        Document("con", "???", "klingon"),
    ]

    source = corpus_source("snippets", documents, tmp_path / "docs")

    assert sorted(file.name for file in source.root.iterdir()) == [
        "00000000.py",
        "00000001.js",
        "00000002.txt",
    ]
    assert (source.root / "00000000.py").read_text("utf-8") == "def a(): ..."
    assert source.result(hit("00000000.py")) == Result(
        doc_id="../../escape", start_line=2, end_line=4, score=0.5
    )


def test_laying_a_corpus_out_again_touches_only_what_changed(tmp_path: Path) -> None:
    before = [Document("a", "one"), Document("b", "two"), Document("c", "three")]
    root = corpus_source("snippets", before, tmp_path).root
    written = {file.name: file.stat().st_mtime_ns for file in root.iterdir()}

    corpus_source("snippets", [Document("a", "one"), Document("b", "zwei")], tmp_path)

    assert {file.name: file.read_text("utf-8") for file in root.iterdir()} == {
        "00000000.txt": "one",
        "00000001.txt": "zwei",
    }
    assert (root / "00000000.txt").stat().st_mtime_ns == written["00000000.txt"]


def test_a_corpus_is_read_one_document_a_row(tmp_path: Path) -> None:
    path = tmp_path / "corpus.jsonl"
    path.write_text('{"id": "a", "code": "x = 1", "language": "python", "stars": 3}\n\n')

    assert read_corpus(path) == [Document("a", "x = 1", "python")]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "holds no document"),
        ('{"id": "a"}', r"corpus\.jsonl:1: .*`code`"),
        ('{"id": "a", "code": ""}\n{"id": "a", "code": ""}', r"corpus\.jsonl:2: .*occurs twice"),
    ],
)
def test_a_bad_corpus_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "corpus.jsonl"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(InvalidArgument, match=complaint):
        read_corpus(path)
