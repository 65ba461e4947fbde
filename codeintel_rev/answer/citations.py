"""Citations: ``[N]`` in a streamed text, and how a place is written in an answer.

What counts as a mention, in the text outside code:

- ``[2]``, ``[1, 3]``, ``[1-3]`` and ``[1][2]``; numbers that name no snippet are left out and noted;
- code is never searched: neither a fence (a line that opens with three backticks or more, up to a
  line with as many) nor inline code (up to as many backticks as opened it, or the line's end, so
  that a stray backtick spoils one line at most);
- brackets attached to a name or to other brackets (``rows[1]``, ``grid[0][1]``) are an index, not
  a mention, even where the backticks were forgotten.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from codeintel_rev.types import Citation

MAX_GROUP = 64
"""Characters of the longest bracket that is read as a mention."""

_GROUP = re.compile(r"\[\s*\d+\s*(?:[-,\u2013]\s*\d+\s*)*\]")
_GROUP_CHARACTERS = frozenset("0123456789 ,-\u2013")
_RANGE = re.compile(r"(\d+)(?:\s*[-\u2013]\s*(\d+))?")
_FENCE = 3


@dataclass(frozen=True, slots=True)
class Mention:
    """A place in the text that names snippets by number, each once, as written."""

    numbers: tuple[int, ...]


@dataclass(slots=True)
class CitationParser:
    """Splits a streamed text into text and mentions, however the stream was cut.

    ``count`` is how many snippets there are: valid numbers are 1 to ``count``. ``invalid`` collects
    the others. Text that may yet become a mention is held back until it is decided.
    """

    count: int
    invalid: list[int] = field(default_factory=list)
    _held: str = ""
    """Blanks, then perhaps an opened bracket; written out or dropped once it is decided."""
    _previous: str = ""
    """The last character written; ``]`` of a mention does not count."""
    _ticks: int = 0
    """Length of the run of backticks being read."""
    _run_opens_line: bool = False
    _line_is_blank: bool = True
    _inline: int = 0
    """Backticks that close the inline code we are in; 0 outside."""
    _fence: int = 0

    def feed(self, text: str) -> list[str | Mention]:
        """Return what the next piece of the stream settles."""
        out: list[str | Mention] = []
        for character in text:
            self._step(character, out)
        return _coalesced(out)

    def close(self) -> list[str | Mention]:
        """Return what was held back when the stream ended."""
        out: list[str | Mention] = []
        self._release(out)
        return _coalesced(out)

    def _step(self, character: str, out: list[str | Mention]) -> None:
        if character == "`":
            self._release(out)
            self._run_opens_line = self._run_opens_line if self._ticks else self._line_is_blank
            self._ticks += 1
            self._line_is_blank = False
            self._write(character, out)
            return
        if self._ticks:
            self._end_run()
        if character == "\n":
            self._inline = 0
        if self._fence or self._inline:
            self._write(character, out)
        else:
            self._step_in_prose(character, out)
        self._line_is_blank = character == "\n" or (self._line_is_blank and character.isspace())

    def _end_run(self) -> None:
        """Enter or leave code, now that a run of backticks is complete."""
        length, self._ticks = self._ticks, 0
        if self._fence:
            if self._run_opens_line and length >= self._fence:
                self._fence = 0
        elif self._inline:
            if length == self._inline:
                self._inline = 0
        elif self._run_opens_line and length >= _FENCE:
            self._fence = length
        else:
            self._inline = length

    def _step_in_prose(self, character: str, out: list[str | Mention]) -> None:
        if "[" in self._held:
            if character == "]":
                self._close_bracket(out)
                return
            if character in _GROUP_CHARACTERS and len(self._held) < MAX_GROUP:
                self._held += character
                return
            self._release(out)
        if character == " " or (character == "[" and (self._held or not self._attached())):
            self._held += character
        else:
            self._release(out)
            self._write(character, out)

    def _close_bracket(self, out: list[str | Mention]) -> None:
        blanks, bracket, rest = self._held.partition("[")
        if not _GROUP.fullmatch(bracket + rest + "]"):
            self._held += "]"
            self._release(out)
            return
        self._held = ""
        numbers = self._numbers(rest)
        if numbers:
            self._write(blanks, out)
            out.append(Mention(numbers))
            self._previous = ""

    def _numbers(self, group: str) -> tuple[int, ...]:
        """Return the valid numbers of a group and note the others; a range is cut, not unrolled."""
        numbers: list[int] = []
        for first, last in _RANGE.findall(group):
            low, high = sorted((int(first), int(last or first)))
            self.invalid.extend(n for n in dict.fromkeys((low, high)) if not 1 <= n <= self.count)
            numbers.extend(range(max(1, low), min(high, self.count) + 1))
        return tuple(dict.fromkeys(numbers))

    def _attached(self) -> bool:
        return self._previous.isalnum() or self._previous in ("_", "]")

    def _release(self, out: list[str | Mention]) -> None:
        self._write(self._held, out)
        self._held = ""

    def _write(self, text: str, out: list[str | Mention]) -> None:
        if text:
            out.append(text)
            self._previous = text[-1]


def _coalesced(pieces: Sequence[str | Mention]) -> list[str | Mention]:
    """Return the pieces with neighbouring texts joined."""
    joined: list[str | Mention] = []
    text: list[str] = []
    for piece in pieces:
        if isinstance(piece, str):
            text.append(piece)
            continue
        if text:
            joined.append("".join(text))
            text = []
        joined.append(piece)
    if text:
        joined.append("".join(text))
    return joined


def place(citation: Citation, *, with_repo: bool = False) -> str:
    """Return where a citation points, ``uri:start-end``, after ``repo:`` when that is asked."""
    repo = f"{citation.repo}:" if with_repo and citation.repo else ""
    return f"{repo}{citation.uri}:{citation.start_line}-{citation.end_line}"


def rendered(citations: Sequence[Citation], *, with_repo: bool = False) -> str:
    """Return how a mention of these citations reads in an answer's text."""
    return "(" + ", ".join(place(c, with_repo=with_repo) for c in citations) + ")"
