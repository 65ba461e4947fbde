"""What HTTP requests hold; what they are answered with is in ``mcp_server.schemas``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from codeintel_rev.mcp_server.schemas import ScopeIn

Limit = Annotated[int, Field(ge=1, le=1000)]

TEXT_PATTERN = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"
"""What a query may hold. It is told, not enforced, here: what is refused has a code of its own."""


def _query(most: int, what: str) -> Any:
    told: dict[str, Any] = {"minLength": 1, "maxLength": most, "pattern": TEXT_PATTERN}
    return Field(description=what, json_schema_extra=told)


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class SearchRequest(_Request):
    """A search."""

    query: str = _query(32_768, "Words, a question, a name, `path:line` or a pasted text.")
    scope: ScopeIn | None = None
    limit: Limit = 10
    mode: Literal["hybrid", "dense", "lexical", "exact"] = "hybrid"
    explain: bool = False
    time_budget_ms: float | None = Field(default=None, gt=0, le=120_000)


class TextSearchRequest(_Request):
    """A search for every line that holds a text."""

    query: str = _query(32_768, "The text, or with `regex` an RE2 expression.")
    regex: bool = False
    case_sensitive: bool = False
    paths: list[str] = Field(default=[], max_length=100)
    scope: ScopeIn | None = None
    max_results: Limit = 50


class AnswerRequest(_Request):
    """A question."""

    query: str = _query(500, "One question in plain words.")
    scope: ScopeIn | None = None
    top_k: Annotated[int, Field(ge=1, le=50)] = 10
    rerank_top_n: Annotated[int, Field(ge=1, le=200)] = 50
    time_budget_ms: float | None = Field(default=None, gt=0, le=120_000)


class ProblemOut(BaseModel):
    """A problem document (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    message: str
    hint: str
    request_id: str


class HealthOut(BaseModel):
    """The process lives."""

    status: Literal["ok"]
    version: str


class CheckOut(BaseModel):
    """What one look found."""

    ok: bool
    detail: str


class ReadinessOut(BaseModel):
    """Whether the server can do its work."""

    ready: bool
    mode: Literal["ready", "degraded", "down"]
    detail: str
    checks: dict[str, CheckOut]
