"""Addresses of repositories elsewhere, and where they may lead."""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

from codeintel_rev.errors import InvalidArgument, Unavailable

_WITH_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*:(?://|:)")
"""``https://...``, and git's ``ext::...``, which runs a program."""
_SSH_SHORT = re.compile(
    r"^(?P<user>[A-Za-z0-9_.-]+)@(?P<host>[A-Za-z0-9_.-]+):(?P<path>[^/:][^:]*)$"
)
_HOST = re.compile(r"^[A-Za-z0-9_\[][A-Za-z0-9_.:\-\]]*$")
_ODD = re.compile(r"[\x00-\x20\x7f-\x9f\\#]")
"""What programs read in different ways, or a terminal obeys."""
_PORTS = {"https": 443, "http": 80, "ssh": 22, "git": 9418}


class Address(NamedTuple):
    """Where a repository is fetched from."""

    url: str
    """Without a password; what makes it this repository."""
    scheme: str
    host: str
    """Empty for a folder of this machine."""
    port: int
    name: str
    """Last part of the path, without ``.git``."""

    @property
    def digest(self) -> str:
        """A short name for the address that can be part of a file name."""
        return hashlib.blake2b(self.url.encode(), digest_size=6).hexdigest()


class Policy(NamedTuple):
    """Which addresses are accepted."""

    schemes: frozenset[str]
    private_hosts: bool
    """Whether this machine and private networks are."""


def is_address(text: str) -> bool:
    """Return whether ``text`` names a repository elsewhere rather than a folder."""
    return bool(_WITH_SCHEME.match(text) or _SSH_SHORT.match(text))


def parse_address(text: str, policy: Policy) -> Address:
    """Read an address.

    Raises ``InvalidArgument`` for a scheme that is not accepted, a password, and what is no address.
    """
    from urllib.parse import unquote, urlsplit

    short = _SSH_SHORT.match(text)
    url = f"ssh://{short['user']}@{short['host']}/{short['path']}" if short else text
    scheme = url.split(":")[0].lower()
    if scheme not in policy.schemes:
        raise InvalidArgument(
            f"addresses of the kind {scheme!r} are not accepted",
            hint=f"accepted are {', '.join(sorted(policy.schemes))}; MIRROR_SCHEMES changes that",
            value=text if "@" not in text else scheme,
        )
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or _PORTS.get(scheme, 0)
    except ValueError as error:
        raise _no_address(text) from error
    if parts.password is not None:
        raise InvalidArgument(
            "the address holds a password, which would be stored with the index",
            hint="leave it out and let git's credential helper answer",
            value=f"{scheme}://{host}{parts.path}",
        )
    name = unquote(parts.path).rstrip("/").rpartition("/")[2].removesuffix(".git")
    bad_host = bool(host) == (scheme == "file") or (host and not _HOST.match(host))
    is_option = (parts.username or "").startswith("-")
    if bad_host or is_option or _ODD.search(url + name) or not name or name.startswith("."):
        raise _no_address(text)
    return Address(url.rstrip("/"), scheme, host, port, name)


def public_ip(address: Address, policy: Policy) -> str | None:
    """Return the internet address to connect to; ``None`` when any will do.

    Connecting to just that one keeps a name from leading elsewhere when it is looked up again.

    Raises ``InvalidArgument`` when the host is, or may be, on a private network, and
    ``Unavailable`` when its name is not known.
    """
    if policy.private_hosts or address.scheme == "file":
        return None
    import socket

    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unavailable(
            f"the host {address.host} cannot be found: {error}",
            hint="check the address and the network",
            value=address.host,
        ) from error
    ips = [str(entry[4][0]).partition("%")[0] for entry in found]
    if not all(map(is_public, ips)):
        raise InvalidArgument(
            f"{address.host} is on this machine or a private network",
            hint="MIRROR_ALLOW_PRIVATE_HOSTS=true accepts such hosts",
            value=address.host,
        )
    return ips[0]


def is_public(ip: str) -> bool:
    """Return whether an internet address is reachable for everybody."""
    import ipaddress

    parsed = ipaddress.ip_address(ip)
    inner = getattr(parsed, "ipv4_mapped", None) or getattr(parsed, "sixtofour", None) or parsed
    is_local = inner.is_multicast or inner.is_reserved or getattr(inner, "is_site_local", False)
    return inner.is_global and not is_local


def _no_address(text: str) -> InvalidArgument:
    return InvalidArgument(
        f"{text!r} is no address of a repository",
        hint="write it like https://host/path/name.git",
        value=text,
    )
