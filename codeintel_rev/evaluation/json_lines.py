"""Files of one JSON object a line, read so that a bad line can be found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from codeintel_rev.errors import InvalidArgument, NotFound
from codeintel_rev.text.json_faults import NOT_JSON

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def read_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number, object) for each line that is not blank.

    Raises ``NotFound`` when there is no such file, ``InvalidArgument`` naming file and line when
    a line is no JSON object.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise NotFound(
            f"cannot read {path}: {error.strerror}",
            hint="name a readable .jsonl file",
            value=str(path),
        ) from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield number, msgspec.json.decode(line, type=dict[str, Any])
        except NOT_JSON as error:
            raise bad_row(path, number, f"not a JSON object: {error}") from error


def bad_row(path: Path, line: int, why: str, hint: str = "") -> InvalidArgument:
    """Return the error about one line of a file."""
    return InvalidArgument(
        f"{path}:{line}: {why}",
        hint=hint or "docs/evaluation.md shows the format of a row",
        value=f"{path.name}:{line}",
    )
