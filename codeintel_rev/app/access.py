"""Who may call a server at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from codeintel_rev.app.auth import Tokens
from codeintel_rev.app.oidc import IssuedTokens
from codeintel_rev.config.settings import Settings
from codeintel_rev.errors import Unauthenticated
from codeintel_rev.mcp_server.callers import Caller


class TokenSource(Protocol):
    """Knows the holders of some tokens."""

    async def caller(self, token: str) -> Caller | None:
        """Return who holds a token, ``None`` for one that is not known."""
        ...


class Access:
    """The holders of any of several kinds of tokens."""

    def __init__(self, sources: Sequence[TokenSource]) -> None:
        """Ask the sources in this order."""
        self._sources = sources

    @classmethod
    def of(cls, settings: Settings) -> Access | None:
        """Return what the settings ask for; ``None`` where anybody may call.

        Raises ``SettingsError`` for a tokens file or an issuer that cannot be used.
        """
        sources: list[TokenSource] = []
        if settings.server.tokens_file is not None:
            sources.append(Tokens.read(settings.server.tokens_file))
        if settings.oidc.issuer:
            sources.append(IssuedTokens(settings.oidc))
        return cls(sources) if sources else None

    async def caller(self, authorization: str) -> Caller:
        """Return who sends an ``Authorization`` header; raises ``Unauthenticated``."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() == "bearer":
            for source in self._sources:
                known = await source.caller(token.strip())
                if known is not None:
                    return known
        raise Unauthenticated(
            "the token is missing or not known",
            hint="send `Authorization: Bearer` and a token of this server",
        )


def is_protected(settings: Settings) -> bool:
    """Return whether callers have to say who they are."""
    return settings.server.tokens_file is not None or bool(settings.oidc.issuer)
