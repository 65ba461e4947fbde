"""What reading JSON that others wrote may raise."""

from __future__ import annotations

from typing import Final

import msgspec

NOT_JSON: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""No JSON or of another shape, bytes that are no UTF-8, and what is nested deeper than anybody writes."""
