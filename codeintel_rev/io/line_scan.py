"""SQL that finds the lines of chunks that match a pattern.

A line is searched without the white space at its end, and blank lines not at all: a chunk does not
keep them where it ends, and what is found must not depend on where a file was cut.
"""

from __future__ import annotations

import re
from typing import Any, Final

from codeintel_rev.types import LinePattern

BLANKS: Final = " \t\r\f\v"
"""What is left out at the end of a line."""

_NEEDS_LINE: Final = re.compile(r"\$|\\[AzQ]|\(\?[A-Za-z]*-")
"""What may match a line but not the chunk around it: anchors, flags taken back, and quoting."""


def scan_sql(pattern: LinePattern, source: str) -> tuple[str, dict[str, Any]]:
    """Return (sql, params) of the lines that match in ``source``, a query of ``row, content``."""
    params = {"pattern": pattern.text, "blanks": BLANKS}
    in_chunk = "true"
    if not pattern.regex:
        in_chunk = _test(pattern, "content", "$pattern")
    elif not _NEEDS_LINE.search(pattern.text):
        params["in_chunk"] = f"(?m){pattern.text}"
        in_chunk = _test(pattern, "content", "$in_chunk")
    sql = (
        "SELECT row, number, hash(line) AS digest FROM ("  # noqa: S608  values are parameters
        " SELECT row, number, rtrim(raw, $blanks) AS line FROM ("
        " SELECT row, unnest(lines) AS raw, generate_subscripts(lines, 1) - 1 AS number FROM ("
        " SELECT row, string_split(content, chr(10)) AS lines"
        f" FROM ({source}) WHERE {in_chunk})))"
        f" WHERE line <> '' AND {_test(pattern, 'line', '$pattern')}"
    )
    return sql, params


def check_sql(pattern: LinePattern) -> tuple[str, dict[str, Any]]:
    """Return (sql, params) that fails when the pattern cannot be read."""
    return f"SELECT {_test(pattern, 'chr(0)', '$pattern')}", {"pattern": pattern.text}


def columns_sql(pattern: LinePattern) -> tuple[str, dict[str, Any]]:
    """Return (sql, params) of the first and last column of the first match in each of ``lines``.

    ``lines`` is a table of ``number, line``; the result is in the order of ``number``. An empty match ends
    before it starts.
    """
    expression = "$pattern" if pattern.regex else "regexp_escape($pattern)"
    sql = (
        "SELECT len(found.before) + 1, len(found.before) + len(found.match) FROM ("  # noqa: S608
        f" SELECT number, regexp_extract(line, '(?s)\\A(.*?)(' || {expression} || ')',"
        f" ['before', 'match'], '{_case(pattern)}') AS found FROM lines) ORDER BY number"
    )
    return sql, {"pattern": pattern.text}


def _test(pattern: LinePattern, text: str, parameter: str) -> str:
    """Return SQL that is true when ``text`` holds a match."""
    if not pattern.regex and not pattern.ignore_case:
        return f"contains({text}, {parameter})"
    literal = "" if pattern.regex else "l"
    return f"regexp_matches({text}, {parameter}, '{_case(pattern)}{literal}')"


def _case(pattern: LinePattern) -> str:
    return "i" if pattern.ignore_case else "c"
