"""Who calls, and in which session (pure)."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field, replace

from codeintel_rev.errors import InvalidArgument

_SESSION = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_SIGNATURE_CHARS = 32

TRACE_ID = "trace_id"
"""The note that names what is told of a search or an answer."""

QUERY = "query"
"""The note that holds the text of a query, where the log is to tell it."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever made a request."""

    principal: str = ""
    """The name that a token belongs to; empty where nobody has to say who they are."""
    repos: frozenset[str] | None = None
    """The repositories that they may see; ``None`` = all."""
    session: str | None = None
    """The session that the request belongs to, if it told one."""
    notes: dict[str, str] = field(default_factory=dict, compare=False, repr=False)
    """What the log is to say of the request, by name; filled while it is served."""

    def in_session(self, session: str | None) -> Caller:
        """Return the caller in the session that an argument names, if it names one.

        Raises ``InvalidArgument`` for a name that no session can have.
        """
        return self if session is None else replace(self, session=checked_session(session))

    @property
    def scope_key(self) -> str | None:
        """Under which the session's scope is kept: a handle means nothing to other principals."""
        return None if self.session is None else f"{self.principal}:{self.session}"


def checked_session(session: str) -> str:
    """Return a session's name; raises ``InvalidArgument`` unless it is one."""
    if not _SESSION.fullmatch(session):
        raise InvalidArgument(
            f"{session[:40]!r} is no session",
            hint="pass the session_id that set_scope returned: 1 to 128 of A-Z a-z 0-9 . _ : -",
            value=session[:128],
        )
    return session


def new_session() -> str:
    """Return a handle that nobody can guess."""
    return secrets.token_urlsafe(18)


class SessionSigner:
    """Mints session ids for clients that are given one, and knows its own again."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def mint(self) -> str:
        """Return a new id."""
        session = secrets.token_hex(16)
        return f"{session}.{self._signature(session)}"

    def is_own(self, session: str) -> bool:
        """Return whether an id was minted here."""
        name, _, signature = session.rpartition(".")
        return hmac.compare_digest(signature.encode(), self._signature(name).encode())

    def _signature(self, session: str) -> str:
        digest = hmac.new(self._secret, session.encode(), hashlib.sha256)
        return digest.hexdigest()[:_SIGNATURE_CHARS]
