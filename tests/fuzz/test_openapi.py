"""Requests made from the OpenAPI document, good and bad ones: every answer fits the document."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.functional.conftest import running

ROOT = Path(__file__).parents[2]
SCHEMATHESIS = ROOT / ".venv-fuzz" / "bin" / "schemathesis"
"""Where `make fuzz-http` installs it."""


@pytest.mark.fuzz
@pytest.mark.timeout(300)
def test_the_api_answers_as_its_document_says(shop: Path, tmp_path: Path) -> None:
    with running("--repo", str(shop), SERVER_QUEUE="1000") as (_, address):
        ran = subprocess.run(
            [
                str(SCHEMATHESIS),
                *("--config-file", str(ROOT / "scripts" / "fuzz" / "schemathesis.toml")),
                *("run", f"{address}/openapi.json", "--seed", "1", "--max-examples", "100"),
                *("--generation-database", "none", "--no-color"),
            ],
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
            cwd=tmp_path,
        )
    assert ran.returncode == 0, ran.stdout[-8000:] + ran.stderr[-2000:]
