"""An answer's text for a terminal, each place in it a link."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from codeintel_rev.cli.printable import printable, printable_line
from codeintel_rev.types import Citation


def styled_text(
    text: str,
    citations: Sequence[Citation],
    roots: Mapping[str, str],
    console: Console | None = None,
) -> str:
    """Return a stretch of an answer as terminal text, each place in it a link."""
    shown = Text(printable(text))
    for cited in citations:
        where = printable_line(f"{cited.uri}:{cited.start_line}-{cited.end_line}")
        link = link_style(roots.get(cited.repo), cited.uri, cited.start_line)
        for found in re.finditer(re.escape(where), shown.plain):
            shown.stylize(f"cyan{link}", *found.span())
    console = console or Console()
    with console.capture() as capture:
        console.print(shown, end="", soft_wrap=True)  # the next stretch goes on in this line
    return capture.get()


def link_style(root: str | None, uri: str, line: int) -> str:
    """Return the style of a link to a file, empty when its folder is not known."""
    return f" link {(Path(root) / uri).as_uri()}#{line}" if root else ""
