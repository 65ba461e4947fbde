"""Callers with a token of an issuer that runs beside the tests."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from joserfc.jwk import RSAKey

from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.app.main import create_app
from codeintel_rev.app.oidc import IssuedTokens, caller_of
from codeintel_rev.app.workers import _require_tokens
from codeintel_rev.config.settings import OidcConfig, Settings, load_settings
from codeintel_rev.errors import SettingsError, Unavailable
from codeintel_rev.mcp_server.callers import Caller
from tests.fakes.issuer import Issuer, issuing


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with issuing() as issuer:
        yield issuer


def tokens_of(issuer: Issuer, **config: str) -> IssuedTokens:
    return IssuedTokens(OidcConfig(issuer=issuer.url, audience="codeintel", **config))  # type: ignore[arg-type]


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


async def test_a_good_token_speaks_for_its_subject(issuer: Issuer) -> None:
    tokens = tokens_of(issuer, repos_claim="repos")
    token = issuer.token(repos=["shop"])
    assert await tokens.caller(token) == Caller("oidc ann", frozenset({"shop"}))
    before = len(issuer.asked)
    assert await tokens.caller(token) is not None
    assert await tokens.caller(issuer.token(sub="bob")) is not None
    assert len(issuer.asked) == before, "keys are fetched once"


async def test_tokens_of_a_named_key_set_need_no_document(issuer: Issuer) -> None:
    tokens = tokens_of(issuer, jwks_url=f"{issuer.url}/keys")
    before = len(issuer.asked)
    assert await tokens.caller(issuer.token()) == Caller("oidc ann")
    assert issuer.asked[before:] == ["/keys"]


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": 1_000_000_000},
        {"exp": None},
        {"exp": "tomorrow"},
        {"nbf": 100_000_000_000},
        {"iss": "https://elsewhere.example.org"},
        {"iss": None},
        {"aud": "another-service"},
        {"aud": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
    ],
    ids=str,
)
async def test_a_token_that_is_not_good_here_is_nobodys(
    issuer: Issuer, claims: dict[str, Any]
) -> None:
    assert await tokens_of(issuer).caller(issuer.token(**claims)) is None


async def test_a_token_that_is_forged_is_nobodys(issuer: Issuer) -> None:
    tokens = tokens_of(issuer)
    good = issuer.token()
    head, body, signature = good.split(".")
    bare = encoded(b'{"alg":"none"}')
    head_of_secret = encoded(b'{"alg":"HS256","kid":"first"}')
    shared = f"{head_of_secret}.{body}"
    by_public_key = hmac.digest(issuer.key.as_pem(private=False), shared.encode(), "sha256")
    for forged in (
        issuer.token(key=RSAKey.generate_key(2048, {"kid": "first"})),
        issuer.token(key=RSAKey.generate_key(2048, {"kid": "unknown"})),
        f"{bare}.{body}.",
        f"{head}.{body}.",
        f"{head}.{body}.{signature[::-1]}",
        f"{shared}.{encoded(by_public_key)}",
        "a.b.c",
        "..",
        "é.é.é",
        "x" * 20_000 + ".y.z",
    ):
        assert await tokens.caller(forged) is None, forged[:60]


async def test_an_issuer_that_is_away_is_told_and_asked_again(issuer: Issuer) -> None:
    tokens = tokens_of(issuer)
    document, issuer.document = issuer.document, {"issuer": "https://elsewhere.example.org"}
    try:
        with pytest.raises(Unavailable, match="nobody can be recognised"):
            await tokens.caller(issuer.token())
    finally:
        issuer.document = document
    assert await tokens.caller(issuer.token()) == Caller("oidc ann")


@pytest.mark.parametrize(
    ("claims", "caller"),
    [
        ({"sub": "a b:c/d"}, Caller("oidc a%20b%3Ac%2Fd", frozenset())),
        ({"sub": "ann", "repos": "shop bank"}, Caller("oidc ann", frozenset({"shop", "bank"}))),
        ({"sub": "ann", "repos": {"shop": 1}}, Caller("oidc ann", frozenset())),
        ({"sub": "ann", "repos": ["shop", 7]}, Caller("oidc ann", frozenset({"shop"}))),
        ({"sub": "ann"}, Caller("oidc ann", frozenset())),
    ],
)
def test_who_and_what_claims_name(claims: dict[str, Any], caller: Caller) -> None:
    assert caller_of(claims, "repos") == caller


@pytest.mark.parametrize(
    ("config", "fault"),
    [
        ({"audience": ""}, "OIDC_AUDIENCE"),
        ({"issuer": "http://issuer.example.org", "audience": "x"}, "OIDC_ISSUER"),
        ({"jwks_url": "ftp://issuer.example.org", "audience": "x"}, "OIDC_JWKS_URL"),
    ],
)
def test_settings_that_would_let_others_in_are_refused(config: dict[str, str], fault: str) -> None:
    with pytest.raises(SettingsError, match=fault):
        IssuedTokens(OidcConfig(**{"issuer": "https://issuer.example.org"} | config))  # type: ignore[arg-type]


def test_an_issuer_is_enough_to_serve_on_a_public_address() -> None:
    protected = OidcConfig(issuer="https://issuer.example.org", audience="x")
    _require_tokens(replace(load_settings({}), oidc=protected), "0.0.0.0")


async def test_a_server_opens_what_the_claim_lists_and_tells_where_tokens_come_from(
    issuer: Issuer, tmp_path: Path
) -> None:
    settings = served(issuer, tmp_path)
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://code") as client:
            refused = await client.post("/mcp", json={})
            assert refused.status_code == 401
            address = refused.headers["www-authenticate"].split('"')[1]
            assert address == "https://code/.well-known/oauth-protected-resource/mcp"
            told = (await client.get(address)).json()
            assert told["resource"] == "https://code/mcp"
            assert told["authorization_servers"] == [issuer.url]
            ann = {"Authorization": f"Bearer {issuer.token(repos=['shop'])}"}
            nobody = {"Authorization": f"Bearer {issuer.token(sub='eve')}"}
            seen = await client.post("/v1/search", json={"query": "total"}, headers=ann)
            assert {hit["repo"] for hit in seen.json()["hits"]} == {"shop"}
            assert (await client.get("/v1/files", headers=nobody)).json()["total"] == 0


def served(issuer: Issuer, folder: Path) -> Settings:
    """Settings of a server of two repositories, for callers of an issuer."""
    for name in ("shop", "bank"):
        (folder / name).mkdir()
        (folder / name / f"{name}.py").write_text(f"def total_{name}(items):\n    return items\n")
    settings = load_settings(
        {
            "OIDC_ISSUER": issuer.url,
            "OIDC_AUDIENCE": "codeintel",
            "OIDC_REPOS_CLAIM": "repos",
            "SERVER_PUBLIC_URL": "https://code/",
        }
    )
    index_repositories(
        [folder / "shop", folder / "bank"], data_dir=folder / "dd", settings=settings
    )
    return replace(settings, data_dir=folder / "dd")
