"""What a repository's index is kept in."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from codeintel_rev.errors import StorageFailed
from codeintel_rev.indexing.store import RepositoryFolder


def test_a_data_directory_that_takes_nothing_is_told() -> None:
    with tempfile.TemporaryDirectory() as name:
        data_dir = Path(name)
        data_dir.chmod(0o555)
        former = os.geteuid()
        if former == 0:
            os.seteuid(65534)
        try:
            with pytest.raises(StorageFailed, match="Permission denied"):
                RepositoryFolder(data_dir / "repos" / "a").create({})
        finally:
            os.seteuid(former)
            data_dir.chmod(0o755)
