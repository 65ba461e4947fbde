"""Shapes of what tools take and return, from which the JSON schemas are made."""

from __future__ import annotations

from typing import Annotated, Any, NotRequired

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

_Names = Annotated[list[str], Field(max_length=100)]


@with_config(ConfigDict(extra="forbid"))
class ScopeIn(TypedDict, total=False):
    """What a search may see; an absent field does not restrict."""

    repos: Annotated[_Names | None, Field(description="Names of repositories.")]
    branches: Annotated[
        _Names | None, Field(description="Branches or tags, as indexed. Default: the work tree.")
    ]
    commit: Annotated[str | None, Field(description="An indexed commit, or its first digits.")]
    include_globs: Annotated[
        _Names | None,
        Field(description="Only files like these, in the syntax of .gitignore: 'src/**', '*.py'."),
    ]
    exclude_globs: Annotated[_Names | None, Field(description="No files like these: 'tests/**'.")]
    languages: Annotated[_Names | None, Field(description="Only these: 'python', 'typescript'.")]


class LimitedOut(TypedDict):
    """What held a call back, if anything did."""

    limits: NotRequired[list[str]]


class SetScopeOut(TypedDict):
    """The scope that a session has now."""

    effective_scope: ScopeIn
    session_id: str
    status: str


class ChannelScoresOut(TypedDict):
    """A hit's score in each channel; null = the channel did not return it."""

    faiss: float | None
    bm25: float | None
    splade: float | None
    rrf: float | None
    rerank: float | None


class HitOut(TypedDict):
    """A piece of code that fits a search."""

    id: str
    repo: str
    ref: str
    commit: str | None
    uri: str
    start_line: int
    end_line: int
    lang: str
    symbol: str
    kind: str
    score: float
    scores: ChannelScoresOut
    stale: bool
    content_hash: str
    content: str
    locations: NotRequired[list[dict[str, Any]]]
    explain: NotRequired[dict[str, Any]]


class HitsOut(TypedDict):
    """Hits, best first, and what held the search back."""

    hits: list[HitOut]
    limits: list[str]


class SearchOut(HitsOut):
    """The document of a search."""

    query: str
    took_ms: float
    total: NotRequired[int]
    cached: NotRequired[bool]


class AnswerQueryIn(TypedDict):
    """A question, and how much to retrieve for it."""

    query: str
    scope: NotRequired[ScopeIn | None]
    top_k: NotRequired[int]
    rerank_top_n: NotRequired[int]
    time_budget_ms: NotRequired[float | None]


class SnippetOut(TypedDict):
    """A piece of code behind an answer."""

    id: str
    repo: str
    uri: str
    start_line: int
    end_line: int
    language: str
    code: str
    score: float
    cited: bool


class CitationOut(TypedDict):
    """A place that the text names."""

    n: int
    repo: str
    uri: str
    start_line: int
    end_line: int
    language: str
    commit: str | None
    content_hash: str
    snippet_id: str
    verified: bool


class PlanOut(TypedDict):
    """How an answer came to be."""

    retrieval: str
    synthesizer: str
    k_faiss: int
    k_bm25: int
    nprobe: int | None
    rerank_k: int
    synth_tokens: int


class AnswerEnvelopeOut(TypedDict):
    """An answer, the code behind it, the places that it cites, and how far to trust it."""

    query: str
    answer: str
    snippets: list[SnippetOut]
    citations: list[CitationOut]
    plan: PlanOut
    limits: list[str]
    confidence: float
    low_confidence: bool
    trace_id: str


class PathOut(TypedDict):
    """A file."""

    path: str
    size: int
    modified: str | None
    repo: NotRequired[str]


class ListPathsOut(LimitedOut):
    """Files in the order of their paths."""

    items: list[PathOut]
    total: int
    truncated: bool


class OpenFileOut(LimitedOut):
    """Lines of a file."""

    path: str
    content: str
    lines: int
    size: int
    start_line: int
    end_line: int
    truncated: bool


class MatchOut(TypedDict):
    """A place where a text stands."""

    path: str
    line: int
    column: int
    preview: str
    repo: NotRequired[str]


class SearchTextOut(LimitedOut):
    """Places in the order of path and line; ``total`` counts those that are not listed too."""

    matches: list[MatchOut]
    total: int
    truncated: bool


class SymbolOut(TypedDict):
    """A definition."""

    name: str
    qualname: str
    kind: str
    path: str
    line: int
    column: int
    start_line: int
    end_line: int
    doc: str
    repo: NotRequired[str]


class SymbolsOut(LimitedOut):
    """Definitions, best first; ``total`` counts those that are not listed too."""

    symbols: list[SymbolOut]
    total: int


class LocationOut(TypedDict):
    """A place in the code."""

    path: str
    line: int
    column: int
    preview: str
    name: NotRequired[str]
    kind: NotRequired[str]
    end_line: NotRequired[int]
    repo: NotRequired[str]


class LocationsOut(LimitedOut):
    """Places, best first."""

    locations: list[LocationOut]
    total: int
    truncated: bool


class BlameLineOut(TypedDict):
    """The commit that a line is from; ``commit`` is null for a line that is not committed."""

    line: int
    commit: str | None
    author: str
    date: str | None
    message: str


class BlameOut(LimitedOut):
    """Blame, a line each."""

    blame: list[BlameLineOut]


class CommitOut(TypedDict):
    """A commit."""

    sha: str
    full_sha: str
    author: str
    email: str
    date: str
    message: str


class HistoryOut(LimitedOut):
    """Commits, newest first."""

    commits: list[CommitOut]
