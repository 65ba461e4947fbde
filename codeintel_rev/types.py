"""Values that travel between layers: frozen, slotted, without behaviour beyond derivation.

Lines and columns are 1-based, ranges are inclusive, byte offsets are 0-based and half-open.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Source = Literal["faiss", "bm25", "splade"]
"""A retrieval channel: ``faiss`` is the dense one whatever serves it, ``bm25`` the words."""

Mode = Literal["hybrid", "dense", "lexical", "exact"]
"""How a search retrieves; ``hybrid`` fuses every channel."""


# --- What a parse yields ----------------------------------------------------------------------


class Chunk(msgspec.Struct, frozen=True, gc=False):
    """A piece of one file version, cut along syntax."""

    text: str
    """The chunk's own text, decoded."""
    start_line: int
    end_line: int
    start_byte: int
    end_byte: int
    kind: str = "block"
    """``function, method, class, interface, struct, enum, trait, impl, module, type, constant,
    property, macro, section`` (of a document, of data, of a style sheet), ``block`` (merged
    siblings) or ``lines`` (no grammar)."""
    symbol: str = ""
    """Path of the definition it is or belongs to, or empty: names of code are joined by dots
    (``Class.method``), titles of a document by `` > `` (``Guide > Install``)."""
    doc: str = ""
    """Docstring or leading comment of that definition, without its markers."""


class Symbol(msgspec.Struct, frozen=True, gc=False):
    """A definition found in one file version."""

    name: str
    qualname: str
    """Path inside the file, as in ``Chunk.symbol``."""
    kind: str
    start_line: int
    end_line: int
    line: int
    """The line on which the name stands."""
    column: int
    doc: str = ""
    """First sentence of its docstring or leading comment, at most 200 characters."""


class ParsedFile(msgspec.Struct, frozen=True):
    """All that one file version yields."""

    chunks: list[Chunk]
    symbols: list[Symbol]
    line_count: int


class FileEntry(msgspec.Struct, frozen=True, gc=False):
    """A file that the walker found and did not skip."""

    path: str
    """Repository-relative, ``/`` between its parts."""
    size: int
    mtime_ns: int
    inode: int = 0
    """In a commit, where files have none, a number made from the blob's name."""
    oid: bytes = b""
    """Git's name for the file's bytes when they come from a commit, else empty."""


# --- Scope and search -------------------------------------------------------------------------


class Scope(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a search may see; an absent field does not restrict."""

    repos: list[str] | None = None
    branches: list[str] | None = None
    commit: str | None = None
    include_globs: list[str] | None = None
    exclude_globs: list[str] | None = None
    languages: list[str] | None = None

    @property
    def filters_files(self) -> bool:
        """Whether the scope narrows the files inside a repository."""
        return bool(self.include_globs or self.exclude_globs or self.languages)

    @property
    def file_restrictions(self) -> tuple[list[str] | None, ...]:
        """All that narrows the files inside a repository."""
        return self.include_globs, self.exclude_globs, self.languages


class NarrowedScope(Scope, frozen=True):
    """A scope inside others: files match the globs of all."""

    within_globs: list[list[str]] = []
    """Globs of each outer scope, of which one matches too."""

    @property
    def file_restrictions(self) -> tuple[list[str] | None, ...]:
        """All that narrows the files inside a repository."""
        return *super().file_restrictions, *self.within_globs


class LinePattern(msgspec.Struct, frozen=True):
    """What an exhaustive search looks for in each line."""

    text: str
    """What has to stand there, or a regular expression in RE2 syntax."""
    regex: bool = False
    ignore_case: bool = False


class LineMatches(NamedTuple):
    """Lines of numbered texts that match: three arrays of one length."""

    rows: NDArray[np.int64]
    """The text of each."""
    offsets: NDArray[np.int64]
    """Its line in the text, from 0."""
    digests: NDArray[np.uint64]
    """Equal for equal lines."""


class SparseVector(NamedTuple):
    """A text as weighted terms of a model's vocabulary: two arrays of one length."""

    terms: NDArray[np.int32]
    """Numbers of terms, ascending."""
    weights: NDArray[np.float32]
    """Greater than 0."""


class ChunkHead(msgspec.Struct, frozen=True, gc=False):
    """What ranking needs to know of a stored chunk."""

    row: int
    id: int
    uri: str
    lang: str
    kind: str
    symbol: str


class ChunkRecord(msgspec.Struct, frozen=True, gc=False):
    """A stored chunk as one snapshot sees it."""

    row: int
    id: int
    uri: str
    start_line: int
    end_line: int
    lang: str
    symbol: str
    kind: str
    content: str
    content_hash: str
    """Hex hash of the file version's bytes."""


@dataclass(frozen=True, slots=True)
class ChannelScores:
    """A hit's score in each channel; ``None`` means that the channel did not return it."""

    faiss: float | None = None
    bm25: float | None = None
    splade: float | None = None
    rrf: float | None = None
    rerank: float | None = None


@dataclass(frozen=True, slots=True)
class SearchHit:
    """One search result, hydrated or not.

    ``score`` is the score of the last stage that ordered the hits, comparable only within one
    result list.
    """

    doc_id: int
    score: float
    source: Source = "faiss"
    row: int = -1
    repo: str = ""
    ref: str = ""
    commit: str | None = None
    uri: str = ""
    start_line: int = 0
    end_line: int = 0
    language: str = ""
    symbol: str = ""
    kind: str = ""
    code: str = ""
    content_hash: str = ""
    column: int | None = None
    """Where the first match begins in the line of an exhaustive search's hit."""
    end_column: int | None = None
    """Where it ends; before ``column`` when it is empty."""
    stale: bool = False
    scores: ChannelScores = field(default_factory=ChannelScores)
    locations: tuple[dict[str, Any], ...] = ()
    explain: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The answer to one search."""

    query: str
    hits: tuple[SearchHit, ...]
    limits: tuple[str, ...] = ()
    took_ms: float = 0.0
    total: int | None = None
    stage_ms: Mapping[str, float] = field(default_factory=dict)
    """How long each stage took, where that was asked for: ``embed``, ``faiss``, ``bm25`` ..."""


# --- Answers ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Citation:
    """A place that an answer's text names, checked before it leaves."""

    n: int
    uri: str
    start_line: int
    end_line: int
    repo: str = ""
    language: str = ""
    commit: str | None = None
    content_hash: str = ""
    snippet_id: int = 0
    verified: bool = False


@dataclass(frozen=True, slots=True)
class Snippet:
    """A retrieved chunk as an answer shows it."""

    id: int
    uri: str
    start_line: int
    end_line: int
    language: str
    code: str
    score: float
    repo: str = ""
    symbol: str = ""
    kind: str = ""
    cited: bool = False


@dataclass(frozen=True, slots=True)
class AnswerPlan:
    """How an answer came to be."""

    retrieval: str = "failed"
    """``exact | hybrid-rrf | faiss-only | bm25-only | splade-only | text-scan | failed``."""
    synthesizer: str = "extractive"
    k_faiss: int = 0
    k_bm25: int = 0
    nprobe: int | None = None
    rerank_k: int = 0
    synth_tokens: int = 0


@dataclass(frozen=True, slots=True)
class AnswerEnvelope:
    """A whole answer: text, the snippets behind it, the places it cites, and what went wrong."""

    query: str
    answer: str
    snippets: tuple[Snippet, ...] = ()
    citations: tuple[Citation, ...] = ()
    plan: AnswerPlan = field(default_factory=AnswerPlan)
    limits: tuple[str, ...] = ()
    confidence: float = 0.0
    low_confidence: bool = False
    trace_id: str = ""


@dataclass(frozen=True, slots=True)
class AnswerEvent:
    """One step of a streamed answer; only the field that ``type`` names is filled.

    The stream ends with one ``envelope`` event.
    """

    type: Literal["token", "citation", "trace", "error", "envelope"]
    content: str = ""
    citation: Citation | None = None
    trace: dict[str, Any] | None = None
    error: dict[str, str] | None = None
    envelope: AnswerEnvelope | None = None


# --- Reports ----------------------------------------------------------------------------------


class IndexReport(msgspec.Struct, frozen=True):
    """What one run of ``index`` did."""

    repos: list[dict[str, Any]]
    """``{name, sequence}`` for each repository."""
    added: int = 0
    changed: int = 0
    removed: int = 0
    unchanged: int = 0
    skipped: int = 0
    seconds: float = 0.0
    lines: int = 0
    """Lines of the files that were added or changed."""


class StatusReport(msgspec.Struct, frozen=True):
    """What a data directory holds."""

    repos: list[dict[str, Any]]
    """``{name, ref, commit, behind, sequence, generation}`` for each repository."""
    files: int
    chunks: int
    skipped: dict[str, int]
    model: dict[str, Any]
    """``{id, dim, fingerprint}``."""
    bytes: int
    writer: str | None
    """Who holds the writer lock, if anyone."""
    secrets: list[dict[str, Any]] = []
    """``{repo, uri, line, kind}`` for each key, token or password seen in the text."""
