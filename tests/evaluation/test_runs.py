"""Run files."""

import json
from pathlib import Path

import pytest

from codeintel_rev.errors import InvalidArgument, NotFound
from codeintel_rev.evaluation.runs import Result, read_run, run_files, write_run


def test_a_run_is_json_that_names_only_what_it_knows(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "run.json"
    run = {
        "q1": [Result(path="a.py", start_line=1, end_line=9, score=0.5)],
        "q2": [Result(doc_id="d1", start_line=2, end_line=3, score=0.25)],
        "q3": [],
    }

    write_run(run, run_files(path, ["a"])["a"])

    assert json.loads(path.read_text("utf-8")) == {
        "q1": [{"path": "a.py", "start_line": 1, "end_line": 9, "score": 0.5}],
        "q2": [{"doc_id": "d1", "start_line": 2, "end_line": 3, "score": 0.25}],
        "q3": [],
    }
    assert read_run(path) == run
    assert [file.name for file in path.parent.iterdir()] == ["run.json"]


def test_one_set_goes_to_the_file_and_several_to_a_folder(tmp_path: Path) -> None:
    out = tmp_path / "out"

    assert run_files(out, ["a"]) == {"a": out}
    assert run_files(out, ["a", "b"]) == {"a": out / "a.json", "b": out / "b.json"}
    assert run_files(tmp_path, ["a"]) == {"a": tmp_path / "a.json"}


def test_several_sets_do_not_fit_into_a_file(tmp_path: Path) -> None:
    out = tmp_path / "run.json"
    out.touch()

    with pytest.raises(InvalidArgument, match="is a file, but 2 sets"):
        run_files(out, ["a", "b"])


@pytest.mark.parametrize("names", [["a"], ["a", "b"]])
def test_a_place_that_no_run_fits_is_told_before_anything_is_asked(
    tmp_path: Path, names: list[str]
) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(InvalidArgument, match="cannot be made"):
        run_files(tmp_path / "file" / "out", names)


@pytest.mark.parametrize(
    "data", [b"", b"[]", b'{"q": [{"score": "high"}]}', b'{"\xb2": []}', b"[" * 20_000]
)
def test_a_file_that_is_no_run_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "run.json"
    path.write_bytes(data)

    with pytest.raises(InvalidArgument, match="is no run"):
        read_run(path)


def test_an_absent_run_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="cannot read"):
        read_run(tmp_path / "run.json")
