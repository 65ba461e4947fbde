"""Callers who are vouched for by an OpenID Connect issuer."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlsplit

from codeintel_rev.app.auth import digest_of
from codeintel_rev.app.lru_cache import LRUCache
from codeintel_rev.app.single_flight import AsyncSingleFlight
from codeintel_rev.config.settings import OidcConfig
from codeintel_rev.errors import SettingsError, Unavailable
from codeintel_rev.mcp_server.callers import Caller

if TYPE_CHECKING:
    from fastmcp.server.auth.providers.jwt import JWTVerifier

MAX_TOKEN_CHARS: Final = 16_384

_KEPT_TOKENS: Final = 10_000
_KEPT_S: Final = 60.0
"""How long a token that was good is believed to be, so that not each request costs a signature."""

_LEEWAY_S: Final = 30.0
"""How far the clocks of issuer and server may lie apart."""

_ANSWER_TIMEOUT_S: Final = 5.0


class IssuedTokens:
    """The tokens (JWT) of one issuer; belongs to one event loop.

    Its keys are fetched when the first token comes, and again when one is signed with a new key.
    """

    def __init__(self, config: OidcConfig) -> None:
        """Read the settings; raises ``SettingsError`` unless they say for whom tokens are made."""
        _require_complete(config)
        self._config = config
        self._verifier: JWTVerifier | None = None
        self._flights = AsyncSingleFlight()
        self._known: LRUCache[Caller] = LRUCache(_KEPT_TOKENS, _KEPT_S)

    async def caller(self, token: str) -> Caller | None:
        """Return whom a token speaks for, ``None`` for one that is not good here.

        Raises ``Unavailable`` when the issuer does not say where its keys are.
        """
        if token.count(".") != 2 or len(token) > MAX_TOKEN_CHARS:
            return None
        digest = digest_of(token)
        known = self._known.get(digest)
        if known is not None:
            return known
        if self._verifier is None:
            self._verifier = await self._flights.do("issuer", self._found_issuer)
        verified = await self._verifier.verify_token(token)
        left_s = 0.0 if verified is None else _seconds_left(verified.claims, time.time())
        if verified is None or left_s <= 0:
            return None
        caller = caller_of(verified.claims, self._config.repos_claim)
        if caller is not None:
            self._known.set(digest, caller, min(_KEPT_S, left_s))
        return caller

    async def _found_issuer(self) -> JWTVerifier:
        from fastmcp.server.auth.providers.jwt import JWTVerifier

        config = self._config
        return JWTVerifier(
            jwks_uri=config.jwks_url or await _keys_address(config.issuer),
            issuer=config.issuer,
            audience=config.audience,
            algorithm=config.algorithm,
        )


def caller_of(claims: Mapping[str, Any], repos_claim: str) -> Caller | None:
    """Return whom claims speak for; ``None`` where they name nobody (pure).

    ``repos_claim`` names the claim that holds the repositories, as a list or as words. A token
    without it opens none; where no such claim is agreed on, every token opens all.
    """
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject:
        return None
    # a token of the tokens file has no space in its name, so that neither can pass for the other
    name = f"oidc {quote(subject, safe='@')}"
    if not repos_claim:
        return Caller(name)
    told = claims.get(repos_claim, [])
    repos = told.split() if isinstance(told, str) else told
    if not isinstance(repos, list):
        return Caller(name, frozenset())
    return Caller(name, frozenset(repo for repo in repos if isinstance(repo, str)))


def _seconds_left(claims: Mapping[str, Any], now: float) -> float:
    """Return for how long a token is good; 0 for one that is not yet, or never ends."""
    ends, begins = claims.get("exp"), claims.get("nbf", 0)
    if not isinstance(ends, int | float) or not isinstance(begins, int | float):
        return 0.0
    return 0.0 if begins > now + _LEEWAY_S else ends - now


async def _keys_address(issuer: str) -> str:
    """Return where the issuer keeps its public keys, as its configuration document says."""
    import httpx2

    address = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    try:
        async with httpx2.AsyncClient(timeout=_ANSWER_TIMEOUT_S) as client:
            found = (await client.get(address)).raise_for_status().json()
        keys, told = found["jwks_uri"], found["issuer"]
    except (httpx2.HTTPError, ValueError, RecursionError, KeyError, TypeError) as error:
        raise _unavailable(f"{address} cannot be read") from error
    if told != issuer or not isinstance(keys, str) or not _is_safe(keys):
        raise _unavailable(f"{address} is the document of another issuer")
    return keys


def _unavailable(why: str) -> Unavailable:
    return Unavailable(f"nobody can be recognised: {why}", hint="check OIDC_ISSUER and the issuer")


def _require_complete(config: OidcConfig) -> None:
    for name in ("issuer", "jwks_url"):
        address = getattr(config, name)
        if address and not _is_safe(address):
            raise SettingsError(
                f"OIDC_{name.upper()} is {address}, which nobody protects on its way",
                hint="name an https:// address",
                value=address,
            )
    if not config.audience:
        raise SettingsError(
            "OIDC_ISSUER is set and OIDC_AUDIENCE is not: any of the issuer's tokens would do",
            hint="set OIDC_AUDIENCE to what the issuer calls this server",
        )


def _is_safe(address: str) -> bool:
    """Return whether an address is reached by TLS, or lies on this machine."""
    parts = urlsplit(address)
    return parts.scheme == "https" or (
        parts.scheme == "http" and parts.hostname in {"localhost", "127.0.0.1", "::1"}
    )
