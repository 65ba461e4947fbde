"""Sentences out of documentation, fit to be quoted in one line."""

from __future__ import annotations

import re

MAX_QUOTE = 200
"""Characters of the longest quotation."""

_SENTENCE_END = re.compile(r"(?<!\be\.g)(?<!\bi\.e)(?<!\bvs)(?<!\betc)[.!?](?=\s|$)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def first_sentence(text: str) -> str:
    """Return the first sentence of the first paragraph, in one line, cut at a word if too long."""
    paragraph = re.split(r"\n\s*\n", text.strip(), maxsplit=1)[0]
    line = one_line(paragraph)
    end = _SENTENCE_END.search(line)
    return shortened(line[: end.end()] if end else line)


def one_line(text: str) -> str:
    """Return the text with control characters and runs of blanks made one blank."""
    return " ".join(_CONTROL.sub(" ", text).split())


def printable(text: str) -> str:
    """Return the text with each run of control characters made a question mark."""
    return _CONTROL.sub("?", text)


def shortened(line: str, limit: int = MAX_QUOTE) -> str:
    """Return the line, cut after a whole word and marked when it exceeds ``limit`` characters."""
    if len(line) <= limit:
        return line
    cut = line[: limit - 1]
    return cut[: cut.rfind(" ")].rstrip(",;:") + "…" if " " in cut else cut + "…"


def inline_code(text: str) -> str:
    """Return the text as one line of Markdown code, whatever backticks it holds."""
    line = one_line(text)
    longest = max((len(run) for run in re.findall(r"`+", line)), default=0)
    ticks = "`" * (longest + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{ticks}{pad}{line}{pad}{ticks}"


def fence_for(text: str) -> str:
    """Return a fence that nothing in the text can close."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    return "`" * max(3, longest + 1)


def fenced(text: str, language: str = "") -> str:
    """Return the text as a block of Markdown code."""
    fence = fence_for(text)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def quoted(text: str) -> str:
    """Return the text as a quotation in one line."""
    return f"\u201c{shortened(one_line(text))}\u201d"


def plain_heading(heading: str) -> str:
    """Return a heading of a document without links, tags and the doubled ticks of reStructuredText."""
    unlinked = re.sub(r"\[([^\[\]]*)\]\([^()]*\)", r"\1", heading)
    return one_line(re.sub(r"</?[A-Za-z][^<>]*>", "", unlinked).replace("``", "`"))
