"""Words of a query that tell nothing about the code it asks for."""

from __future__ import annotations

_LANGUAGES = (
    "bash csharp elixir golang haskell java javascript kotlin lua perl php python ruby rust scala"
    " swift typescript"
)
"""Which language is meant, a repository knows better; its code hardly ever says so."""

_ENGLISH = (
    "a an and are as at be been being by can could did do does done for from had has have having he"
    " how i if in into is it its may me might must my no not of on or our she should so than that"
    " the their them then there these they this those to use used using via was we were what when"
    " where which who why will with would you your"
)

STOP_WORDS = frozenset(f"{_LANGUAGES} {_ENGLISH}".split())

TYPE_WORDS = ("class", "enum", "interface", "protocol", "record", "struct", "trait", "type")
FUNCTION_WORDS = ("constructor", "decorator", "function", "hook", "macro", "method")

_ASKING = (
    "about code declared defined definition describe explain find give implementation implemented"
    " located me mean meaning means purpose show tell work works"
)

FRAME_WORDS = frozenset([*_ASKING.split(), *TYPE_WORDS, *FUNCTION_WORDS]) | STOP_WORDS
"""Words around a name that is asked for. Who asks for its uses and callers wants other places."""
