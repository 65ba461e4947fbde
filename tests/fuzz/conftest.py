"""The repository that is served, as the functional tests serve it."""

from __future__ import annotations

from tests.functional.conftest import shop

__all__ = ["shop"]
