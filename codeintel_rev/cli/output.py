"""Where a command's words go: results to standard output, everything else to standard error."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple, TextIO

from codeintel_rev.cli.printable import printable, printable_line
from codeintel_rev.errors import StorageFailed


class OutputLostError(StorageFailed):
    """Raised when standard output takes no more, as on a full disk."""


class Output(NamedTuple):
    """How this run of the program speaks."""

    json: bool = False
    """Standard output gets exactly one JSON document."""
    debug: bool = False
    """Errors come with a traceback."""

    @property
    def is_terminal(self) -> bool:
        """Whether results are read by a person at a terminal."""
        return not self.json and sys.stdout.isatty()

    def text(self, text: str) -> None:
        """Write foreign text, made safe to show."""
        _write(sys.stdout, f"{printable(text)}\n")

    def piece(self, text: str) -> None:
        """Write a stretch of foreign text that goes on, made safe to show."""
        _write(sys.stdout, printable(text))

    def styled(self, text: str) -> None:
        """Write text that is safe already and holds terminal styles."""
        _write(sys.stdout, text)

    def document(self, document: dict[str, Any]) -> None:
        """Write the one JSON document, indented for a person at a terminal."""
        _write(sys.stdout, _encoded(document, indent=2 if sys.stdout.isatty() else 0) + "\n")

    def note(self, text: str) -> None:
        """Tell something beside the result, on one line; nobody hears when that cannot be."""
        with suppress(OutputLostError):
            _write(sys.stderr, f"codeintel: {printable_line(text)}\n")

    def limits(self, words: Sequence[str]) -> None:
        """Tell a person what held a result back."""
        if words and not self.json:
            self.note(f"limits: {', '.join(words)}")


def take_output_flags(arguments: Sequence[str]) -> tuple[list[str], Output]:
    """Split ``--json`` and ``--debug`` from the other arguments, up to a ``--``.

    They are read before all else because they say how a mistake in the rest is told.
    """
    end = arguments.index("--") if "--" in arguments else len(arguments)
    flags = {"--json", "--debug"}
    given = flags.intersection(arguments[:end])
    rest = [word for word in arguments[:end] if word not in flags]
    return [*rest, *arguments[end:]], Output("--json" in given, "--debug" in given)


def _encoded(document: dict[str, Any], indent: int) -> str:
    import msgspec

    try:
        encoded = msgspec.json.encode(document)
        return (msgspec.json.format(encoded, indent=indent) if indent else encoded).decode()
    except UnicodeEncodeError:  # half a surrogate pair, as in a file name that is no UTF-8
        import json

        return json.dumps(document, indent=indent or None)


def _write(stream: TextIO, text: str) -> None:
    """Write and flush; a reader that went away (``| head``) is no error.

    Raises ``OutputLostError`` when the stream takes no more.
    """
    try:
        try:
            stream.write(text)
        except UnicodeEncodeError:
            encoding = stream.encoding or "ascii"
            stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()
    except OSError as error:
        # the interpreter flushes once more at exit: let that go nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        if not isinstance(error, BrokenPipeError):
            raise OutputLostError(
                f"the output cannot be written: {error.strerror}",
                hint="free space where it goes, or send it elsewhere",
            ) from error
