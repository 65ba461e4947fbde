"""What is wrong with a command line that cannot be read, and how it was probably meant (pure)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from codeintel_rev.errors import InvalidArgument

_REWORDED: Final = (
    (r"^Invalid value: ", ""),
    (r"a valid int(?:eger)?(?: range)?\b", "a whole number"),
    (r"Got unexpected extra arguments?(?:\(s\))? \((.*)\)", r"one word too many: \1"),
)
"""What the parser says, and plainer words for it."""

ELSEWHERE: Final = {
    "completion": "codeintel --install-completion",
    "help": "codeintel --help",
    "outline": "codeintel search --all --symbol --regex . --include PATH",
    "version": "codeintel --version",
}
"""What people look for as a command, and where it is."""

ASKING: Final = ("search", "ask")
"""Commands whose words are a person's own; all other words are ours."""


def usage_error(error: Exception, words: Sequence[str], commands: Sequence[str]) -> InvalidArgument:
    """Return what to tell of ``error``, which the parser raised for ``words``."""
    text = " ".join(str(getattr(error, "message", error)).split()).rstrip(".")
    if callable(tell := getattr(error, "format_message", None)):
        text = " ".join(tell().split()).rstrip(".")
    for pattern, words_for_it in _REWORDED:
        text = re.sub(pattern, words_for_it, text)
    command = next((word for word in words if word in commands), None)
    option = getattr(error, "option_name", None)
    likely = list(getattr(error, "possibilities", None) or ())
    if likely:
        text = text.partition(" (")[0]
    hint = _hint(text, words, command, commands, likely)
    return InvalidArgument(f"{text[:1].lower()}{text[1:]}", hint=hint, value=option)


def _hint(
    text: str,
    words: Sequence[str],
    command: str | None,
    commands: Sequence[str],
    likely: Sequence[str],
) -> str:
    page = f"see codeintel {command} --help" if command else "see codeintel --help"
    if command == "index" and text.endswith("--repo"):
        return "the repository is a PATH: `codeintel index PATH`"
    if likely:
        return f"did you mean {' or '.join(likely)}? {page}"
    if command is None:
        return _command_hint(words, commands) or page
    if command in ASKING and text.startswith("No such option"):
        option = text.rpartition(" ")[2]
        word = next((word for word in words if word.startswith(option)), option)
        return f'{page}; a query with a dash goes behind --: `codeintel {command} -- "{word}"`'
    if command in ASKING and "one word too many" in text:
        return f'put a query of several words in quotes, as in `codeintel {command} "two words"`'
    return page


def _command_hint(words: Sequence[str], commands: Sequence[str]) -> str:
    """Return which command the first word that is no option was probably meant for."""
    from difflib import get_close_matches

    word = next((word for word in words if not word.startswith("-")), "")
    if word in ELSEWHERE:
        return f"that is `{ELSEWHERE[word]}`"
    near = get_close_matches(word, commands, n=1)
    if near:
        return f"did you mean {near[0]}?"
    if any(mark in word for mark in " ?."):
        return f'to search, write `codeintel search "{word}"`'
    return f"commands are: {', '.join(commands)}" if word else ""
