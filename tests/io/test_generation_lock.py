from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from codeintel_rev.io.generation_lock import DeletionLock, GenerationLock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "generation-1"
    made.touch()
    return made


def test_a_generation_is_not_deleted_while_it_is_read(path: Path) -> None:
    one, two = GenerationLock.share(path), GenerationLock.share(path)
    assert one is not None
    assert two is not None
    one.close()
    assert DeletionLock.take(path) is None
    two.close()
    deletion = DeletionLock.take(path)
    assert deletion is not None
    assert GenerationLock.share(path) is None
    deletion.close()
    assert not path.exists()
    assert GenerationLock.share(path) is None


def test_a_reader_that_dies_lets_go(path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from codeintel_rev.io.generation_lock import GenerationLock\n"
        "held = GenerationLock.share(Path(sys.argv[1])); print('held', flush=True)\n"
        "sys.stdin.read()\n"
    )
    reader = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == b"held\n"
        assert DeletionLock.take(path) is None
        reader.kill()
    deletion = DeletionLock.take(path)
    assert deletion is not None
    deletion.close()
