"""Checking the vectors and ids that a caller hands in."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from codeintel_rev.errors import InvalidArgument


def as_query(vector: Any, dim: int) -> NDArray[np.float32]:
    """Return a query as float32, shape ``(dim,)``; raises ``InvalidArgument``."""
    query = _numbers(vector, "the query")
    if query.shape != (dim,):
        raise _bad(
            f"the query has shape {query.shape}, ({dim},) is expected",
            "embed it with the model that the index was made with",
            query.shape,
        )
    if not np.isfinite(query).all():
        raise _bad("the query holds what is no finite number", "", "nan or inf")
    return query


def as_vectors(vectors: Any, dim: int) -> NDArray[np.float16]:
    """Return vectors in half precision, shape ``(n, dim)``, n > 0; raises ``InvalidArgument``.

    A vector has to have finite numbers and a direction: one of zeros is near to nothing.
    """
    found = _numbers(vectors, "the vectors")
    if found.ndim != 2 or found.shape[1] != dim:
        raise _bad(
            f"the vectors have shape {found.shape}, (n, {dim}) is expected",
            "embed them with the model that the index was made with",
            found.shape,
        )
    if not len(found):
        raise _bad("no vectors were given", "leave the call out when there is nothing to add", 0)
    with np.errstate(over="ignore"):
        halves = found.astype(np.float16)
    faults = {
        "hold what is no finite number": ~np.isfinite(found).all(axis=1),
        "exceed half precision": ~np.isfinite(halves).all(axis=1),
        "are all zero": ~halves.any(axis=1),
    }
    for fault, at in faults.items():
        if at.any():
            first = int(np.flatnonzero(at)[0])
            raise _bad(f"{at.sum()} vectors {fault}, the first is number {first}", "", first)
    return halves


def as_ids(ids: Any, count: int | None = None) -> NDArray[np.int64]:
    """Return ids as int64, each once; raises ``InvalidArgument``."""
    found = np.asarray(ids)
    if found.ndim != 1 or (found.dtype.kind not in "iu" and found.size):
        raise _bad(
            f"the ids have shape {found.shape} and type {found.dtype}",
            "give one integer a vector",
            found.dtype,
        )
    if count is not None and len(found) != count:
        raise _bad(f"{len(found)} ids were given for {count} vectors", "", len(found))
    numbers = found.astype(np.int64)
    if len(numbers) and (int(found.max()) > np.iinfo(np.int64).max or numbers.min() < 0):
        raise _bad("an id is not between 0 and 2**63 - 1", "", numbers.min())
    repeated = _first_repeated(numbers)
    if repeated is not None:
        raise _bad(f"the id {repeated} is given twice", "give each id once", repeated)
    return numbers


def _numbers(values: Any, what: str) -> NDArray[np.float32]:
    try:
        with np.errstate(over="ignore"):
            return np.asarray(values).astype(np.float32)
    except (TypeError, ValueError) as error:
        raise _bad(f"{what} cannot be read as numbers: {error}", "", type(values)) from error


def _first_repeated(ids: NDArray[np.int64]) -> int | None:
    ordered = np.sort(ids)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    return int(twice[0]) if len(twice) else None


def _bad(message: str, hint: str, value: object) -> InvalidArgument:
    return InvalidArgument(message, hint=hint, value=str(value))
