"""What the log says of a part of an answer that failed."""

from __future__ import annotations

import logging

import pytest

from codeintel_rev.answer.failures import tell_failure
from codeintel_rev.errors import Unavailable

LOG = logging.getLogger("codeintel_rev.answer.test")


@pytest.mark.parametrize(
    ("error", "with_traceback"),
    [(Unavailable("the model server cannot be reached"), False), (ValueError("a fault"), True)],
)
def test_only_what_nobody_foresaw_is_logged_with_its_traceback(
    caplog: pytest.LogCaptureFixture, error: Exception, with_traceback: bool
) -> None:
    tell_failure(LOG, "synthesis", error)
    (record,) = caplog.records
    assert record.getMessage() == f"synthesis failed: {error}"
    assert bool(record.exc_info) is with_traceback
