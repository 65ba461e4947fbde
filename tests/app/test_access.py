"""Tokens, rates, sessions, and the words for what is refused."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path

import pytest

from codeintel_rev.app.auth import Tokens, digest_of, new_entry, new_token
from codeintel_rev.app.limits import RateLimiter
from codeintel_rev.app.private_redis import PrivateRedis
from codeintel_rev.app.problems import STATUS, TITLES
from codeintel_rev.app.workers import is_public
from codeintel_rev.errors import CodeIntelError, InvalidArgument, SettingsError
from codeintel_rev.io.redis_rates import RedisRates
from codeintel_rev.io.redis_scopes import connect
from codeintel_rev.mcp_server.callers import Caller, SessionSigner, checked_session, new_session
from tests.fakes.clock import FakeClock


def codes(kind: type[CodeIntelError] = CodeIntelError) -> set[str]:
    return {kind.code}.union(*(codes(each) for each in kind.__subclasses__()))


def test_every_error_of_the_program_has_a_status_and_a_title() -> None:
    own = {code for code in codes() if code != "interrupted"}
    assert own <= set(STATUS) == set(TITLES)


async def test_a_bucket_fills_with_time() -> None:
    clock = FakeClock()
    limiter = RateLimiter(rate=2.0, burst=2.0, clock=clock)
    assert [await limiter.wait_s("ann") for _ in range(3)] == [0, 0, 1]
    assert await limiter.wait_s("bob") == 0
    clock.advance(500)
    assert [await limiter.wait_s("ann") for _ in range(2)] == [0, 1]


async def test_a_bucket_is_shared_by_workers(redis_server: PrivateRedis) -> None:
    redis = connect(redis_server.url)
    name = secrets.token_hex()  # nobody has asked as this one before
    workers = [RateLimiter(0.001, 3, shared=RedisRates(redis, 0.001, 3)) for _ in range(2)]
    waits = [await workers[turn % 2].wait_s(name) for turn in range(4)]
    assert waits[:3] == [0, 0, 0]
    assert 900 < waits[3] <= 1000
    assert await workers[0].wait_s(f"{name}2") == 0
    await redis.aclose()


async def test_a_bucket_fills_with_the_time_of_redis(redis_server: PrivateRedis) -> None:
    redis = connect(redis_server.url)
    rates = RedisRates(redis, rate=1000.0, burst=1.0)
    name = secrets.token_hex()
    async with asyncio.timeout(60):
        for _ in range(3):
            while await rates.wait_s(name):  # noqa: ASYNC110  another process decides
                await asyncio.sleep(0.001)
    await redis.aclose()


async def test_a_worker_counts_by_itself_while_redis_is_away() -> None:
    redis = connect("redis://127.0.0.1:1")
    limiter = RateLimiter(0.001, 2, shared=RedisRates(redis, 0.001, 2))
    waits = [await limiter.wait_s("ann") for _ in range(3)]
    assert waits[:2] == [0, 0]
    assert waits[2] > 0
    await redis.aclose()


async def test_a_tokens_file_holds_hashes_only(tmp_path: Path) -> None:
    file, token = tmp_path / "tokens.toml", new_token()
    file.write_text(new_entry("ann", token, ["shop"]))
    assert token not in file.read_text()
    tokens = Tokens.read(file)
    assert await tokens.caller(token) == Caller("ann", frozenset({"shop"}))
    assert await tokens.caller(digest_of(token)) is None


@pytest.mark.parametrize("text", ["", "[[token", '[[token]]\nname = "a"', "[[token]]\nx = 1"])
def test_a_tokens_file_that_cannot_be_used_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "tokens.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match="tokens file"):
        Tokens.read(file)
    with pytest.raises(InvalidArgument):
        new_entry("a b", new_token(), None)


@pytest.mark.parametrize("session", ["", "a b", "a/b", "x" * 129, "a\nb", "é"])
def test_what_no_session_is_called_is_refused(session: str) -> None:
    with pytest.raises(InvalidArgument):
        checked_session(session)


def test_a_session_id_is_known_by_its_signature() -> None:
    signer = SessionSigner(b"secret")
    minted = signer.mint()
    assert checked_session(minted) == minted
    assert SessionSigner(b"secret").is_own(minted)
    assert not SessionSigner(b"other").is_own(minted)
    assert not any(signer.is_own(forged) for forged in ("", ".", "x", f"x{minted}", minted[:-1]))
    assert checked_session(new_session()) != new_session()


@pytest.mark.parametrize(
    ("host", "public"),
    [
        ("127.0.0.1", False),
        ("127.9.9.9", False),
        ("localhost", False),
        ("::1", False),
        ("0.0.0.0", True),
        ("::", True),
        ("10.0.0.5", True),
        ("example.org", True),
    ],
)
def test_an_address_is_public_when_others_reach_it(host: str, public: bool) -> None:
    assert is_public(host) is public
