"""Opening the index that a command acts on, with progress when that takes long."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from codeintel_rev.app.local import LocalIndex
    from codeintel_rev.cli.output import Output
    from codeintel_rev.config.settings import Settings


@contextmanager
def fresh_index(
    output: Output, settings: Settings, repo: Path | None, data_dir: Path | None
) -> Iterator[LocalIndex]:
    """Open an index that is made or brought up to date first."""
    from codeintel_rev.app import surveyors

    if not (data_dir or settings.data_dir):
        _start_survey(settings, repo)
    from codeintel_rev.app.local import open_index
    from codeintel_rev.cli.progress import reporting
    from codeintel_rev.indexing import parse_limit

    parse_limit.arm()
    with reporting(output) as reporter:
        try:
            index = open_index(
                repo,
                data_dir=data_dir,
                settings=settings,
                progress=reporter,
                on_wait=reporter.waiting,
            )
        finally:
            surveyors.drop_all()
    with index:
        yield index


def _start_survey(settings: Settings, repo: Path | None) -> None:
    """Let git look for changes while this process still imports what it searches with."""
    from codeintel_rev.app import surveyors
    from codeintel_rev.app.data_dir import data_dir_for_search

    _, root = data_dir_for_search(None, repo, settings.data_home)
    surveyors.start(root)


def roots_of(index: LocalIndex) -> dict[str, str]:
    """Return the folder of each repository, by its name."""
    return {repository.name: repository.root for repository in index.repositories}
