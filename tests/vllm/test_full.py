"""What takes too long for every run: a whole package embedded, by a process that is killed."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.vllm.conftest import MINILM
from tests.vllm.servers import ROOT, Served
from tests.vllm.test_clients import metric

pytestmark = [pytest.mark.vllm, pytest.mark.vllm_full, pytest.mark.timeout(1800)]

SHARE = 0.8
FINISHED = "vllm:request_success_total"


def kept(data_dir: Path) -> int:
    """Return how many vectors have come so far."""
    for file in (data_dir / "embeddings").glob("*.sqlite"):
        with closing(sqlite3.connect(file)) as database:
            tables = database.execute("SELECT name FROM sqlite_master").fetchall()
            if ("vectors",) in tables:  # or the file was made this moment
                return int(database.execute("SELECT COUNT(*) FROM vectors").fetchone()[0])
    return 0


def test_killed_at_four_fifths_of_a_package_it_asks_for_the_rest_alone(
    minilm: Served, tmp_path: Path
) -> None:
    env = {
        **os.environ,
        "EMBEDDING_PROVIDER": "vllm",
        "EMBEDDING_MODEL_ID": MINILM,
        "VLLM_EMBEDDING_MODEL": "minilm",
        "VLLM_BASE_URL": minilm.url,
        "VLLM_TIMEOUT_S": "300",
    }
    package = str(ROOT / "codeintel_rev" / "io")

    def index(data_dir: Path) -> list[str]:
        command = [sys.executable, "-m", "codeintel_rev", "index", package]
        return [*command, "--data-dir", str(data_dir)]

    subprocess.run(index(tmp_path / "whole"), env=env, check=True, capture_output=True)
    whole = kept(tmp_path / "whole")

    with subprocess.Popen(index(tmp_path / "cut"), env=env, stderr=subprocess.DEVNULL) as process:
        while kept(tmp_path / "cut") < SHARE * whole and process.poll() is None:
            time.sleep(0.02)
        process.kill()
    assert process.returncode == -signal.SIGKILL
    left = whole - kept(tmp_path / "cut")
    assert left > 0

    while metric(minilm, "vllm:num_requests_"):  # running or waiting, for nobody
        time.sleep(0.1)
    before = metric(minilm, FINISHED)
    subprocess.run(index(tmp_path / "cut"), env=env, check=True, capture_output=True)
    assert kept(tmp_path / "cut") == whole
    assert metric(minilm, FINISHED) - before == left
