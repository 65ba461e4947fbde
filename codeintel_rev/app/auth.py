"""Who is calling: tokens, each with a name and the repositories that its holder may see."""

from __future__ import annotations

import hashlib
import secrets
import tomllib
from pathlib import Path
from typing import Annotated

import msgspec

from codeintel_rev.errors import InvalidArgument, SettingsError
from codeintel_rev.mcp_server.callers import Caller

_DIGEST = r"^[0-9a-f]{64}$"


class TokenEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One ``[[token]]`` of a tokens file."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100, pattern=r"^[^\s:]+$")]
    """Who holds it."""
    sha256: Annotated[str, msgspec.Meta(pattern=_DIGEST)]
    """Hex hash of the token, which is itself kept nowhere."""
    repos: list[str] | None = None
    """The repositories that its holder may see; absent = all."""


class _TokensFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    token: list[TokenEntry] = []


class Tokens:
    """The tokens that a server accepts."""

    def __init__(self, entries: list[TokenEntry]) -> None:
        self._callers = {
            entry.sha256: Caller(
                entry.name, None if entry.repos is None else frozenset(entry.repos)
            )
            for entry in entries
        }

    @classmethod
    def read(cls, file: Path) -> Tokens:
        """Read a tokens file; raises ``SettingsError`` for one that cannot be read or is empty."""
        try:
            tree = tomllib.loads(file.read_text(encoding="utf-8"))
            entries = msgspec.convert(tree, _TokensFile).token
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise SettingsError(
                f"the tokens file {file} cannot be used: {reason}",
                hint="`codeintel token NAME` prints an entry for it",
                value=str(file),
            ) from error
        if not entries:
            raise SettingsError(
                f"the tokens file {file} holds no token, so that nobody could call",
                hint="`codeintel token NAME` prints an entry for it",
                value=str(file),
            )
        return cls(entries)

    async def caller(self, token: str) -> Caller | None:
        """Return who holds a token, ``None`` for one that nobody holds."""
        return self._callers.get(digest_of(token))


def new_token() -> str:
    """Return a token that nobody can guess, and that tools which look for secrets recognise."""
    return f"codeintel_{secrets.token_urlsafe(32)}"


def new_entry(name: str, token: str, repos: list[str] | None) -> str:
    """Return the entry of a tokens file for a token; raises ``InvalidArgument`` for a bad name."""
    fields = {"name": name, "sha256": digest_of(token)} | ({"repos": repos} if repos else {})
    try:
        msgspec.convert(fields, TokenEntry)
    except msgspec.ValidationError as error:
        raise InvalidArgument(
            f"{name[:40]!r} is no name for a token",
            hint="use up to 100 characters without spaces and colons",
            value=name[:100],
        ) from error
    lines = [f"{key} = {msgspec.json.encode(value).decode()}" for key, value in fields.items()]
    return "\n".join(["[[token]]", *lines])


def digest_of(token: str) -> str:
    """Return what is kept of a token.

    A plain hash is enough: unlike a password, a token holds more chance than can be tried.
    """
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
