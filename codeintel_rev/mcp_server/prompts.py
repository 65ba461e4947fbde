"""Ways of working that people choose in their client (pure).

Annotations are real here, not postponed: the library reads those of prompts as they are.
"""

from typing import Annotated, Any

from fastmcp import FastMCP
from pydantic import Field

_Name = Annotated[str, Field(max_length=500, description="As it is spelled in the code.")]
_Topic = Annotated[str, Field(max_length=500, description="In plain words.")]


def explain(topic: _Topic) -> str:
    """Explain how something works, with the places that show it."""
    return (
        f"Explain how this works in the indexed code: {topic}\n\n"
        "Begin with answer_query, then open the lines that it cites and follow what they call with"
        " definition_at. Write for somebody who is new to the code. Cite `path:start-end` for every"
        " claim, and say what you could not find."
    )


def change_impact(symbol: _Name) -> str:
    """Find out what a change of one name would touch."""
    return (
        f"I want to change `{symbol}`. What does that touch?\n\n"
        "Find its definition with symbol_search, its uses with references_at, and code like it with"
        " find_related. Group the uses by what would have to change: callers, tests, documents,"
        " configuration. Use search_text for places where the name is only text. Cite"
        " `path:line` for each."
    )


def why_so(
    path: Annotated[str, Field(max_length=4096, description="Relative to the repository's root.")],
    line: Annotated[str, Field(max_length=10, description="Counts from 1.")],
) -> str:
    """Find out why code is as it is."""
    return (
        f"Why is the code at {path}:{line} as it is?\n\n"
        "Read around the line with open_file, see with blame_range who wrote it and in which commit,"
        " and with file_history what came before and after. Tell what the commits say, and keep"
        " that apart from what you infer."
    )


def add_prompts(server: FastMCP[Any]) -> None:
    """Give a server its prompts."""
    server.prompt(explain, title="Explain how something works")
    server.prompt(change_impact, title="What would a change touch?")
    server.prompt(why_so, title="Why is it so?")
