"""Addresses are read, and kept from leading where they should not."""

from __future__ import annotations

import pytest

from codeintel_rev.errors import InvalidArgument, Unavailable
from codeintel_rev.io.git_address import (
    Address,
    Policy,
    is_address,
    is_public,
    parse_address,
    public_ip,
)

USUAL = Policy(frozenset({"https", "ssh"}), private_hosts=False)
ALL = Policy(frozenset({"https", "ssh", "http", "git", "file"}), private_hosts=True)


@pytest.mark.parametrize(
    "text",
    ["https://host/a.git", "ssh://git@host/a", "git@host:team/a.git", "ext::sh -c id", "file:///a"],
)
def test_an_address_is_told_from_a_folder(text: str) -> None:
    assert is_address(text)


@pytest.mark.parametrize("text", [".", "src/app", "/srv/app.git", "a:b/c", "../x", "app"])
def test_a_folder_is_no_address(text: str) -> None:
    assert not is_address(text)


def test_the_two_ways_to_write_an_ssh_address_are_one_repository() -> None:
    short = parse_address("git@host.org:team/app.git", USUAL)
    assert short == parse_address("ssh://git@host.org/team/app.git", USUAL)
    assert (short.host, short.port, short.name) == ("host.org", 22, "app")


@pytest.mark.parametrize(
    "text",
    ["ext::sh -c id", "http://host/a.git", "file:///srv/a.git", "git://host/a", "ftp://host/a"],
)
def test_other_kinds_of_address_need_a_setting(text: str) -> None:
    with pytest.raises(InvalidArgument, match="are not accepted") as caught:
        parse_address(text, USUAL)
    assert "MIRROR_SCHEMES" in caught.value.hint


def test_a_password_is_refused_and_not_repeated() -> None:
    with pytest.raises(InvalidArgument, match="password") as caught:
        parse_address("https://ann:hunter2@host/a.git", USUAL)
    assert "hunter2" not in f"{caught.value}{caught.value.hint}{caught.value.value}"


@pytest.mark.parametrize(
    "text",
    [
        "https:///a.git",
        "https://host",
        "https://host/",
        "https://host/a b.git",
        "https://host/a\n.git",
        "ssh://-oProxyCommand=id/a",
        "https://host:port/a",
        "https://ho st/a",
        "https://host/..",
        "https://host/a%0a.git",
        "https://host/%1b%5b31ma.git",
        "https://public\\@private/a.git",
        "https://public#@private/a.git",
        "ssh://-oProxyCommand@host/a.git",
        "-oProxyCommand@host:a.git",
    ],
)
def test_what_cannot_be_an_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument, match="is no address"):
        parse_address(text, USUAL)


@pytest.mark.parametrize(
    "ip",
    [
        "127.0.0.1",
        "10.1.2.3",
        "192.168.0.9",
        "172.16.5.5",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "::1",
        "fe80::1",
        "fd00::1",
        "fec0::1",
        "64:ff9b::a00:1",
        "::ffff:127.0.0.1",
        "2002:7f00:1::",
    ],
)
def test_private_places_are_told_from_public_ones(ip: str) -> None:
    assert not is_public(ip)
    assert is_public("140.82.121.4")
    assert is_public("2606:50c0:8000::153")


def address(host: str) -> Address:
    return Address(f"https://{host}/a.git", "https", host, 443, "a")


def test_a_host_on_this_machine_is_refused_unless_allowed() -> None:
    for host in ("localhost", "127.0.0.1", "::1", "0177.0.0.1", "2130706433"):
        with pytest.raises(InvalidArgument, match="private network"):
            public_ip(address(host), USUAL)
    assert public_ip(address("localhost"), ALL) is None


def test_a_host_that_nobody_knows_is_told() -> None:
    with pytest.raises(Unavailable, match="cannot be found"):
        public_ip(address("nowhere.invalid"), USUAL)


def test_the_address_that_was_checked_is_the_one_to_connect_to() -> None:
    assert public_ip(address("140.82.121.4"), USUAL) == "140.82.121.4"
