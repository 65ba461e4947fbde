"""The columns of trace files, read from the records that they keep.

A column is only ever added, at the end: files of earlier versions lack it, and readers put ``NULL`` there.
What a file's version says is therefore only whether its columns still mean the same.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import TYPE_CHECKING, Final, get_type_hints

from codeintel_rev.observability.answer_trace import AnswerTrace
from codeintel_rev.observability.search_trace import SearchTrace

if TYPE_CHECKING:
    import pyarrow as pa

Trace = AnswerTrace | SearchTrace

KINDS: Final[tuple[type[Trace], ...]] = (AnswerTrace, SearchTrace)

VERSION: Final = 1
"""Bump when a column changes its type or its meaning; files of a later version are passed over."""

VERSION_KEY: Final = b"codeintel.traces"


def schema_of(record: type[Trace]) -> pa.Schema:
    """Return the columns of a kind of record, with the version of their meaning."""
    hints = get_type_hints(record)
    columns = [(field.name, _column_type(hints[field.name])) for field in fields(record)]
    return _schema(columns)


def version_of(schema: pa.Schema) -> int:
    """Return the version that a file was written in; the first one did not say."""
    return int((schema.metadata or {}).get(VERSION_KEY, b"1"))


def _schema(columns: list[tuple[str, pa.DataType]]) -> pa.Schema:
    import pyarrow as pa

    return pa.schema(columns, metadata={VERSION_KEY: str(VERSION).encode()})


def _column_type(annotation: object) -> pa.DataType:
    import pyarrow as pa

    known: dict[object, pa.DataType] = {
        str: pa.string(),
        str | None: pa.string(),
        bool: pa.bool_(),
        int: pa.int64(),
        int | None: pa.int64(),
        float: pa.float64(),
        float | None: pa.float64(),
        datetime: pa.timestamp("us", tz="UTC"),
        tuple[int, ...]: pa.list_(pa.int64()),
        tuple[str, ...]: pa.list_(pa.string()),
    }
    return known[annotation]
