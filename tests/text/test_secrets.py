"""Which text is taken for a secret; the values are put together here so that none stands in it."""

from __future__ import annotations

import pytest

from codeintel_rev.text.secrets import REDACTED, Secret, find_secrets, redacted

RANDOM = "kV9zQ2mX7pL4tR8wB3nY6cJ5hG1dF0sA"
LONG = RANDOM * 3


def kinds(text: str) -> list[str]:
    return [secret.kind for secret in find_secrets(text.encode())]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("private_key", f"-----BEGIN RSA PRIVATE KEY-----\n{LONG}\n"),
        ("private_key", f'key = "-----BEGIN PRIVATE KEY-----\\n{LONG}"'),
        (
            "private_key",
            f"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: A,1\n\n{LONG}\n",
        ),
        ("private_key", f"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n{LONG}\n"),
        ("aws_access_key", "id: AKIA" + "Q7RZ2MXPL4TWB3NY"),
        ("github_token", "https://ghp_" + RANDOM + "Zq7X@github.com/a/b"),
        ("github_token", "github_pat_" + (LONG)[:82]),
        ("github_token", f"token = 'ghp_{RANDOM}Zq7X'"),
        ("gitlab_token", "glpat-" + RANDOM[:20]),
        ("slack_token", "xoxb-" + "83910273645-92837465019-" + RANDOM),
        ("slack_webhook", "https://hooks.slack.com/services/T0" + "9QZX7RM/B02LPWK9T/" + RANDOM),
        ("stripe_key", "sk_live_" + RANDOM),
        ("google_api_key", "AIza" + (RANDOM * 2)[:35]),
        ("openai_key", "sk-" + RANDOM[:20] + "T3Blbk" + "FJ" + RANDOM[:20]),
        ("openai_key", "sk-svcacct-" + LONG[:74] + "T3Blbk" + "FJ" + LONG[:74]),
        ("anthropic_key", "sk-ant-" + LONG),
        ("azure_key", "AccountName=shop;AccountKey=" + LONG[:86] + "==;"),
        ("huggingface_token", "hf_" + RANDOM + "Zq"),
        ("sendgrid_key", "SG." + LONG[:22] + "." + LONG[:43]),
        ("digitalocean_token", "dop_v1_" + "9f2c7a10e4b85d36" * 4),
        ("docker_token", "dckr_pat_" + RANDOM[:27]),
        ("vault_token", "hvs." + LONG),
        ("shopify_token", "shpat_" + "9f2c7a10e4b85d36" * 2),
        ("google_oauth_secret", "GOCSPX-" + RANDOM[:28]),
        ("age_key", "AGE-SECRET-KEY-1" + LONG.upper()[:58]),
        ("npm_token", "//registry/:_authToken=npm_" + RANDOM + "Zq7X"),
        ("pypi_token", "pypi-AgEIcHlwaS5" + "vcmc" + LONG),
        ("password", f'SECRET_KEY = "{RANDOM}"'),
        ("password", f"'api-token' => '{RANDOM}'"),
        ("password", f'{{"clientSecret": "{RANDOM}"}}'),
        ("password", f"export AWS_SECRET_ACCESS_KEY={RANDOM}\n"),
        ("password", f"db:\n  password:  {RANDOM}\n  user: app\n"),
        ("password", 'password: "' + "9f2c7a10e4b85d36" * 2 + '"'),
    ],
)
def test_a_secret_is_told_by_its_form(kind: str, text: str) -> None:
    assert kinds(text) == [kind]


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN RSA PRIVATE KEY-----\n...\n",
        "AKIA" + "IOSFODNN7EXAMPLE",
        "ghp_" + "x" * 36,
        'password = "correct horse battery staple"',
        'password = os.environ["DATABASE_PASSWORD_OF_THE_SERVICE"]',
        'token = "access_token_of_the_first_user"',
        'SECRET_KEY = "your-Secret-key-goes-here-42"',
        'tokenizer = "sentence-transformers/all-MiniLM-L6-v2"',
        "access_token: getTokenOfTheCurrentUser42",
        f"token = {RANDOM}(request)",
        f"digest: {RANDOM}",
        "commit = '9f2c7a10e4b85d369f2c7a10e4b85d36'",
        f'integrity = "sha512-{RANDOM}"',
        'secret = "' + "ab" * 16 + '"',
        "",
    ],
)
def test_what_is_invented_or_no_secret_is_left_alone(text: str) -> None:
    assert kinds(text) == []


def test_places_are_in_order_and_told_once() -> None:
    key = f'TOKEN = "{RANDOM}"; token = "{RANDOM}"\n'
    assert find_secrets(f"\n{key}\n{key}".encode()) == [
        Secret(2, "password"),
        Secret(4, "password"),
    ]


def test_long_lines_of_telling_words_take_linear_time() -> None:
    assert find_secrets(b"token = " * 100_000 + b"secret" * 100_000) == []


def test_a_secret_is_replaced_and_what_stands_around_it_is_not() -> None:
    text = f'before\n  SECRET_KEY = "{RANDOM}"  # rotate\npush(ghp_{RANDOM}Zq7X)\n\u00fcber\n'
    assert redacted(text) == (
        f'before\n  SECRET_KEY = "{REDACTED}"  # rotate\npush({REDACTED})\n\u00fcber\n'
    )


@pytest.mark.parametrize("end", ["-----END RSA PRIVATE KEY-----\nafter()\n", "", '";\nafter();\n'])
def test_the_whole_of_a_key_is_replaced_line_by_line(end: str) -> None:
    text = f"-----BEGIN RSA PRIVATE KEY-----\n{LONG}\n{LONG}\n{end}"

    told = redacted(text)

    assert told.startswith(f"{REDACTED}\n{REDACTED}\n{REDACTED}\n")
    assert RANDOM not in told
    assert told.endswith(end)
    assert told.count("\n") == text.count("\n")


def test_text_without_secrets_stays_as_it_is() -> None:
    text = "half a character \ud800, a token and a passw\u00f6rd = 'correct horse battery staple'"
    assert redacted(text) == text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("postgres://app:hunter2@db:5432/x", f"postgres://app:{REDACTED}@db:5432/x"),
        (f"redis://:{RANDOM}@cache", f"redis://:{REDACTED}@cache"),
        (f"Authorization: Bearer {RANDOM}", f"Authorization: Bearer {REDACTED}"),
        (f"'eyJhbGciOiJIUzI1NiJ9.eyJzdWIi{RANDOM}.{RANDOM}'", f"'{REDACTED}'"),
    ],
)
def test_what_is_too_often_made_up_to_be_flagged_is_replaced_too(text: str, told: str) -> None:
    assert kinds(text) == []
    assert redacted(text) == told


@pytest.mark.parametrize(
    "text",
    [
        *("https://user:password@host/", "mysql://root:${DB_PASSWORD}@db", "http://host:80/a@b"),
        *(
            "https://%s:%s@%s/",
            "Bearer of good news is a sentence",
            "Bearer <the token of the user>",
        ),
    ],
)
def test_a_place_for_a_secret_is_shown(text: str) -> None:
    assert redacted(text) == text


def test_long_lines_take_linear_time_to_redact() -> None:
    for part in ("a://", "eyJ", "Bearer ", "a://b:", "eyJaaaaaaaaaaaa.", "SG.", "secret="):
        text = part * 30_000
        assert redacted(text) == text
