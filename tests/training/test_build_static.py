"""The steps of a build can be interrupted."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from training.build_static import step
from training.fetch import settled

ROOT = Path(__file__).parents[2]
ROW = {
    "language": "python", "package": "p", "path": "p.py", "symbol": "find", "doc": "Find it.",
    "body": "def find(x):\n    return x.found\n",
}  # fmt: skip


@pytest.fixture
def functions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(ROOT)
    np.savez(tmp_path / "start.npz", terms=np.array(["find", "it", "found"]))
    path = tmp_path / "functions.jsonl"
    path.write_text(json.dumps(ROW) + "\n")
    return path


def test_a_step_that_is_done_is_not_run_again(functions: Path, tmp_path: Path) -> None:
    result = tmp_path / "pairs.npz"
    step(result, "pairs", functions, tmp_path / "start.npz", result)
    assert np.load(result)["doc_ids"].tolist() == [0, 1]
    functions.unlink()
    step(result, "pairs", functions, tmp_path / "start.npz", result)


def test_a_step_that_fails_leaves_no_result(functions: Path, tmp_path: Path) -> None:
    functions.write_text(functions.read_text() + "cut off in the mid")
    result = tmp_path / "pairs.npz"
    with pytest.raises(subprocess.CalledProcessError):
        step(result, "pairs", functions, tmp_path / "start.npz", result)
    assert not result.exists()


def test_packages_that_could_not_be_had_are_tried_again(tmp_path: Path) -> None:
    log = tmp_path / "licences.tsv"
    assert settled(log) == set()
    log.write_text(
        "npm\ta\tkept\tMIT\ndeb\tb\tdropped\tGPL-2\npypi\tc\tdropped\tnot fetched: OSError\n"
    )
    assert settled(log) == {("npm", "a"), ("deb", "b")}
