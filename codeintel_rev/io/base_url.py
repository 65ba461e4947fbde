"""Addresses of model servers as the environment gives them."""

from __future__ import annotations

import ipaddress
import socket

from codeintel_rev.errors import InvalidArgument

_METADATA_NAME = "metadata.google.internal"
_METADATA_IPV6 = ipaddress.IPv6Address("fd00:ec2::254")


def normalised_base_url(url: str) -> str:
    """Return ``url`` without a slash or ``/v1`` at its end.

    Raises ``InvalidArgument`` for what is no plain http or https address, and for the addresses at
    which clouds tell a machine its credentials: no model is served there.
    """
    import httpx2 as httpx

    try:
        parsed = httpx.URL(url.strip())
    except httpx.InvalidURL as error:
        raise _bad_url(url) from error
    is_plain = parsed.scheme in ("http", "https") and parsed.host and not parsed.userinfo
    if not is_plain or _tells_credentials(parsed.host):
        raise _bad_url(url)
    return str(parsed).partition("?")[0].rstrip("/").removesuffix("/v1").rstrip("/")


def _tells_credentials(host: str) -> bool:
    """Return whether a host is a link-local address, in whatever way it is written, or its name."""
    if host.lower().rstrip(".") == _METADATA_NAME:
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        try:
            address = ipaddress.IPv4Address(socket.inet_aton(host))  # 0xa9fea9fe, 2852039166
        except OSError:
            return False
    inner = getattr(address, "ipv4_mapped", None) or address
    return bool(inner.is_link_local) or address == _METADATA_IPV6


def _bad_url(url: str) -> InvalidArgument:
    shown = url.rpartition("@")[2] if "@" in url else url
    return InvalidArgument(
        f"{shown!r} is no address of a model server",
        hint="give it as http://host:port; a key belongs into VLLM_API_KEY",
        value=shown,
    )
