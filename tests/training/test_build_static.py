"""The steps of a build can be interrupted."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from training.build_static import RUNS, average, combined, step, without_common_component
from training.fetch import listed, settled

ROOT = Path(__file__).parents[2]
ROW = {"language": "python", "package": "p", "path": "p.py", "symbol": "f", "doc": ""}


@pytest.fixture
def functions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(ROOT)
    path = tmp_path / "functions.jsonl"
    body = "def f(x):\n    # Return what was found\n    return x.found or self.missing\n"
    path.write_text(json.dumps({**ROW, "body": body}) + "\n")
    return path


def test_a_step_that_is_done_is_not_run_again(functions: Path, tmp_path: Path) -> None:
    result = tmp_path / "comments.jsonl"
    step(result, "comments", functions, result)
    assert json.loads(result.read_text())["doc"] == "Return what was found"
    functions.unlink()
    step(result, "comments", functions, result)


def test_a_step_that_fails_leaves_no_result(functions: Path, tmp_path: Path) -> None:
    functions.write_text(functions.read_text() + "cut off in the mid")
    result = tmp_path / "comments.jsonl"
    with pytest.raises(subprocess.CalledProcessError):
        step(result, "comments", functions, result)
    assert not result.exists()


def test_packages_that_could_not_be_had_are_tried_again(tmp_path: Path) -> None:
    log = tmp_path / "licences.tsv"
    assert settled(log) == set()
    log.write_text(
        "npm\ta\tkept\tMIT\ndeb\tb\tdropped\tGPL-2\npypi\tc\tdropped\tnot fetched: OSError\n"
    )
    assert settled(log) == {("npm", "a"), ("deb", "b")}


def test_every_listed_package_names_its_registry() -> None:
    assert {registry for registry, _ in listed()} == {"pypi", "npm", "deb", "debsrc"}


def test_an_average_does_not_depend_on_the_lengths_of_the_tables() -> None:
    table = np.array([[3.0, 4.0], [0.0, 5.0]], np.float32)
    other = np.array([[1.0, 0.0], [0.0, 1.0]], np.float32)
    expected = (table / 5 + other) / 2
    assert average([table, other]) == pytest.approx(expected)
    assert average([10 * table, other]) == pytest.approx(expected)
    assert average([table, other], [3, 1]) == pytest.approx((3 * table / 5 + other) / 4)


def test_what_all_texts_share_is_removed() -> None:
    table = np.array([[9.0, 0.1], [9.0, -0.1], [9.0, 0.2]], np.float32)
    left = without_common_component(table, np.ones(3, np.float32))
    assert np.abs(left).max() < 0.3
    assert left[:, 1] == pytest.approx(table[:, 1], abs=0.15)


def test_plain_and_taught_trainings_have_equal_halves_of_the_model() -> None:
    plain, taught = np.eye(4, dtype=np.float32)[:2], np.eye(4, dtype=np.float32)[2:]
    tables = {run: (taught if run.is_taught else plain) for run in RUNS}
    model = combined(tables, np.array([1.0, 1e-6], np.float32))
    # The frequent term of the taught half is its common component.
    assert model == pytest.approx(np.array([[0.5, 0, 0, 0], [0, 0.5, 0, 1.0]]), abs=1e-3)
