import re

from rich.console import Console

from codeintel_rev.cli.styled_text import styled_text
from codeintel_rev.types import Citation

LINK = re.compile(r"\x1b]8;[^;]*;([^\x1b]+)\x1b")


def terminal() -> Console:
    return Console(force_terminal=True, width=40, color_system="standard", legacy_windows=False)


def test_each_citation_in_a_stretch_is_a_link() -> None:
    text = styled_text(
        "f is a function (src/a.py:1-2).",
        [Citation(1, "src/a.py", 1, 2, repo="web")],
        {"web": "/home/me/web"},
        terminal(),
    )
    assert LINK.findall(text) == ["file:///home/me/web/src/a.py#1"]


def test_stretches_go_on_in_one_line_however_long() -> None:
    assert styled_text("word " * 20, [], {}, terminal()) == "word " * 20


def test_escapes_in_a_stretch_are_not_obeyed() -> None:
    evil = "\x1b]0;owned\x07"
    shown = styled_text(f"[red]{evil}[/red] is it", [], {}, terminal())
    assert shown == "[red]␛]0;owned␇[/red] is it"
