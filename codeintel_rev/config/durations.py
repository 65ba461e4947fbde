"""How long something may take, as a setting tells it."""

from __future__ import annotations

from typing import Annotated

import msgspec

Seconds = Annotated[float, msgspec.Meta(gt=0, le=1e6)]
"""Up to eleven days; for ever is not a time that a clock can be set to."""
Milliseconds = Annotated[float, msgspec.Meta(gt=0, le=1e9)]
