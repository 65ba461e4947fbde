"""What the tools ask of the program around them; results are the documents of the JSON contract.

Methods of ``Code`` are synchronous, may block, and see only what one caller may see. A search and
an answer leave their name (``TRACE_ID``) in the caller's notes.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from codeintel_rev.config.settings import Settings
from codeintel_rev.mcp_server.callers import Caller
from codeintel_rev.types import Mode, Scope

Document = dict[str, Any]
T = TypeVar("T")


class Searching(Protocol):
    """Finding code by meaning and by words."""

    def search(
        self, query: str, *, limit: int, scope: Scope | None, mode: Mode, explain: bool
    ) -> Document:
        """Return the document of a search."""
        ...

    def related(self, path: str, line: int, *, limit: int, scope: Scope | None) -> Document:
        """Return code that is like that at ``path:line``."""
        ...

    def search_text(
        self,
        query: str,
        *,
        regex: bool,
        case_sensitive: bool,
        paths: Sequence[str],
        scope: Scope | None,
        max_results: int,
    ) -> Document:
        """Return every line that holds a text or matches a regular expression, with a count."""
        ...


class Files(Protocol):
    """Looking into repositories."""

    def repositories(self) -> Document:
        """Return the repositories, and what is indexed of each."""
        ...

    def list_paths(self, path: str, *, scope: Scope | None, max_results: int) -> Document:
        """Return the files at or below ``path``."""
        ...

    def open_file(
        self, path: str, *, start_line: int | None, end_line: int | None, scope: Scope | None
    ) -> Document:
        """Return lines of a file."""
        ...


class Symbols(Protocol):
    """Following names."""

    def find_symbols(
        self, query: str, *, kind: str | None, scope: Scope | None, limit: int
    ) -> Document:
        """Return definitions whose name fits ``query``."""
        ...

    def definition_at(
        self, path: str, line: int, character: int, *, scope: Scope | None
    ) -> Document:
        """Return where the name at a place is defined."""
        ...

    def references_at(
        self, path: str, line: int, character: int, *, scope: Scope | None
    ) -> Document:
        """Return where the name at a place is used."""
        ...


class History(Protocol):
    """Asking who wrote what, and when."""

    def blame(self, path: str, start_line: int, end_line: int, *, scope: Scope | None) -> Document:
        """Return the commit behind each line."""
        ...

    def file_history(self, path: str, *, limit: int, scope: Scope | None) -> Document:
        """Return the commits that changed a file, newest first."""
        ...


class AnswerStep(NamedTuple):
    """One event of an answer that is being made."""

    event: str
    """``token``, ``citation``, ``trace``, ``error`` or, last, ``envelope``."""
    document: Document


class Answering(Protocol):
    """Answering questions."""

    def answer(
        self,
        query: str,
        *,
        scope: Scope | None,
        top_k: int,
        rerank_top_n: int,
        time_budget_ms: float | None,
    ) -> AsyncGenerator[AnswerStep, None]:
        """Yield an answer's events; the last one is the envelope."""
        ...


class Code(Searching, Files, Symbols, History, Answering, Protocol):
    """All that a caller can ask about the code that they may see."""


class Scopes(Protocol):
    """Remembers the scope of each session."""

    async def get(self, session_id: str) -> Scope | None:
        """Return the scope of a session, ``None`` when it has none."""
        ...

    async def set(self, session_id: str, scope: Scope) -> None:
        """Remember the scope of a session."""
        ...

    @property
    def available(self) -> bool:
        """Whether what is remembered is what other workers remember too."""
        ...


class ServerContext(Protocol):
    """The program around the tools."""

    @property
    def settings(self) -> Settings:
        """The settings of the process."""
        ...

    @property
    def scope_store(self) -> Scopes:
        """The scopes of sessions."""
        ...

    def code(self, caller: Caller) -> Code:
        """Return the code that a caller may see."""
        ...

    async def run(
        self, work: Callable[[], T], timeout_ms: float | None = None, *, quick: bool = False
    ) -> T:
        """Return what ``work`` returns, called on a thread for blocking work.

        What is ``quick``, a matter of milliseconds, does not wait for what is not.

        Raises ``Busy`` when too much is waiting already and ``DeadlineExceeded`` when it is late,
        by ``timeout_ms`` where that is shorter than what every request is given.
        """
        ...
