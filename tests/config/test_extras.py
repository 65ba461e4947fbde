"""Which command installs an optional part, wherever the program came from."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from codeintel_rev.config.extras import install_command, requirement

SOURCE = Path("/src/code intel")


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        pytest.param(None, ["codeintel-rev[server]"], id="from an index"),
        pytest.param(
            '{"url": "file:///src/x", "dir_info": {"editable": true}}',
            ["-e", "/src/code intel[server]"],
            id="editable",
        ),
        pytest.param(
            '{"url": "file:///src/x", "dir_info": {}}',
            ["codeintel-rev[server] @ file:///src/x"],
            id="from a folder",
        ),
        pytest.param(
            '{"url": "file:///tmp/x.whl", "archive_info": {}}',
            ["codeintel-rev[server] @ file:///tmp/x.whl"],
            id="from a wheel",
        ),
        pytest.param(
            '{"url": "https://host/x.git", "vcs_info": {"vcs": "git", "commit_id": "c0ffee"}}',
            ["codeintel-rev[server] @ git+https://host/x.git"],
            id="from git",
        ),
    ],
)
def test_an_extra_comes_from_where_the_program_came(
    origin: str | None, expected: list[str]
) -> None:
    assert requirement("server", origin, SOURCE) == expected


def test_the_command_is_for_this_python() -> None:
    python, *words = shlex.split(install_command("lucene"))
    assert python == sys.executable
    assert words[:3] == ["-m", "pip", "install"]
    assert words[-1].partition(" @ ")[0].endswith("[lucene]")
