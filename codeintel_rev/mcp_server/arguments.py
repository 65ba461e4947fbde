"""The arguments of tools: what each means to a model, and its bounds."""

from __future__ import annotations

from typing import Annotated

import msgspec
from pydantic import Field

from codeintel_rev.errors import InvalidArgument
from codeintel_rev.mcp_server.schemas import ScopeIn
from codeintel_rev.types import Scope

Session = Annotated[
    str | None,
    Field(
        max_length=128,
        pattern=r"^[A-Za-z0-9._:-]+$",
        description="The session_id that set_scope returned. Leave out when you never called it.",
    ),
]
SearchScope = Annotated[
    ScopeIn | None,
    Field(
        description="Narrows this one call, within the session's scope: "
        '{"languages": ["python"], "include_globs": ["src/**"]}.'
    ),
]
Repo = Annotated[
    str | None,
    Field(max_length=256, description="The repository, where the index holds several."),
]
Ref = Annotated[
    str | None,
    Field(max_length=256, description="An indexed branch, tag or commit. Default: the work tree."),
]
Path = Annotated[
    str,
    Field(max_length=4096, description="Relative to the repository's root: 'src/app.py'."),
]
Line = Annotated[int, Field(ge=1, description="Counts from 1.")]
Character = Annotated[
    int, Field(ge=1, description="The column, from 1: anywhere on the name that is meant.")
]
Globs = Annotated[
    list[str] | None,
    Field(max_length=100, description="In the syntax of .gitignore: 'src/**', '*.py'."),
]
Limit = Annotated[int, Field(ge=1, le=1000, description="The most to return.")]
Question = Annotated[str, Field(description="One question in plain words, at most 500 characters.")]
Query = Annotated[
    str,
    Field(
        description="What to find: words, a question, a name, `path:line`, or a pasted error or "
        "issue of up to 32,768 characters."
    ),
]


def scope_of(scope: ScopeIn | None) -> Scope | None:
    """Return the scope of an argument; raises ``InvalidArgument`` for what is none."""
    if scope is None:
        return None
    try:
        return msgspec.convert(scope, Scope)
    except msgspec.ValidationError as error:
        raise InvalidArgument(
            f"the scope cannot be used: {error}",
            hint="it has repos, branches, commit, include_globs, exclude_globs and languages",
        ) from error
