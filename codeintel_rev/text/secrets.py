"""Keys, tokens and passwords that stand in text, told by their form.

Few rules, each of them specific: a flag that is mostly wrong is not looked at. What its issuer
marks with a prefix is told by the prefix; any other value only where the name it is given says
what it is and the value looks random.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Final, NamedTuple


class Secret(NamedTuple):
    """A place in a file."""

    line: int
    kind: str


class _Rule(NamedTuple):
    kind: str
    marks: tuple[bytes, ...]
    """One of these is in every text that holds one; looking for them first is what makes it fast."""
    pattern: re.Pattern[bytes]


def _rule(kind: str, marks: str, pattern: str) -> _Rule:
    return _Rule(kind, tuple(marks.encode().split()), re.compile(pattern.encode()))


_RULES: Final = (
    _rule(
        "private_key",
        "-----BEGIN",
        r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----(?:[\s\"'+,]|\\[nr])+"
        r"(?:[A-Z][A-Za-z-]{1,20}: [^\n]{1,100}\s{1,4}){0,4}[\w+/=:]{40}",
    ),
    _rule("aws_access_key", "AKIA ASIA", r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b"),
    _rule("github_token", "ghp_ gho_ ghu_ ghs_ ghr_", r"\bgh[pousr]_[A-Za-z0-9]{36}\b"),
    _rule("github_token", "github_pat_", r"\bgithub_pat_\w{82}\b"),
    _rule("gitlab_token", "glpat-", r"\bglpat-[\w-]{20,}"),
    _rule("slack_token", "xox", r"\bxox[abeprs]-(?:\d{8,}-)+[\w-]{10,}"),
    _rule(
        "slack_webhook", "hooks.slack.com", r"hooks\.slack\.com/services/T\w{8,}/B\w{8,}/\w{20,}"
    ),
    _rule("stripe_key", "sk_live_ rk_live_", r"\b[sr]k_live_[A-Za-z0-9]{20,}"),
    _rule("google_api_key", "AIza", r"\bAIza[\w-]{35}(?![\w-])"),
    _rule("openai_key", "sk-", r"\bsk-[\w-]{20,100}T3BlbkFJ[\w-]{0,100}"),
    _rule("anthropic_key", "sk-ant-", r"\bsk-ant-[\w-]{80,}"),
    _rule("npm_token", "npm_", r"\bnpm_[A-Za-z0-9]{36}\b"),
    _rule("pypi_token", "pypi-AgEIcHlwaS5vcmc", r"\bpypi-AgEIcHlwaS5vcmc[\w-]{50,}"),
    _rule("azure_key", "AccountKey=", r"\bAccountKey=[A-Za-z0-9+/]{86}=="),
    _rule("huggingface_token", "hf_", r"\bhf_[A-Za-z0-9]{34}\b"),
    _rule("sendgrid_key", "SG.", r"\bSG\.[\w-]{22}\.[\w-]{43}(?![\w-])"),
    _rule("digitalocean_token", "dop_v1_ doo_v1_ dor_v1_", r"\bdo[opr]_v1_[0-9a-f]{64}\b"),
    _rule("docker_token", "dckr_pat_", r"\bdckr_pat_[\w-]{27}(?![\w-])"),
    _rule("vault_token", "hvs.", r"\bhvs\.[\w-]{90,}"),
    _rule("shopify_token", "shp", r"\bshp(?:at|ca|pa|ss)_[0-9a-f]{32}\b"),
    _rule("google_oauth_secret", "GOCSPX-", r"\bGOCSPX-[\w-]{28}(?![\w-])"),
    _rule("age_key", "AGE-SECRET-KEY-1", r"\bAGE-SECRET-KEY-1[0-9A-Z]{58}\b"),
)

_SENT_ON: Final = (
    (b"://", re.compile(rb"[a-z]://[^\s/@:\"']{0,100}:([^\s/@\"'`{}<>$%*]{3,200})@")),
    (b"eyJ", re.compile(rb"\b(eyJ[\w-]{10,4000}\.eyJ[\w-]{10,4000}\.[\w-]{20,1000})")),
    (b"earer ", re.compile(rb"\b[Bb]earer ([\w+/=.~-]{20,4000})")),
)
"""Passwords in addresses, signed tokens, and what is sent as one. Most of those in code are made up,
so they are not flagged; but nothing is lost where a model does not read them."""

_TELLING: Final = (b"secret", b"passw", b"token", b"api_key", b"apikey", b"access_key")
_ASSIGNED: Final = re.compile(
    rb"(?:secret|passw(?:or)?d|token|api_?key|access_key)\w{0,16}"
    rb"(?:[\"']?\]?\s{0,8}(?:=>|:=|[:=])\s{0,8}[\"'](?P<quoted>[\w+/=.-]{24,200})[\"']"
    rb"|(?:=|:[ \t]{1,8})(?P<rest>[\w+/=-]{24,200})[ \t\r]{0,8}$)",
    re.IGNORECASE | re.MULTILINE,
)
"""Without quotes the value is the rest of the line, as in files of environments and YAML."""
_INVENTED: Final = re.compile(
    rb"example|sample|dummy|placeholder|change.?me|your|fake|test|xxxx|1234|abcd", re.IGNORECASE
)
"""What made-up values hold."""
_PLACEHOLDER: Final = re.compile(rb"pass|pwd|secret|token|foo|bar", re.IGNORECASE)
"""What a password in an address holds that only shows where one would stand."""
_WORD: Final = re.compile(rb"[a-z]{7}")
_HEX: Final = re.compile(rb"[0-9a-f]{32,}|[0-9A-F]{32,}")
_MIN_BITS: Final = 4.0
"""Entropy a character, from which a value of all kinds of letters counts as random."""
_MIN_HEX_BITS: Final = 3.2


REDACTED: Final = "[redacted]"

_KEY_BODY: Final = re.compile(rb"[\w+/=\s]*")
_MAX_KEY: Final = 16_384
"""Bytes of the longest private key."""


def find_secrets(data: bytes) -> list[Secret]:
    """Return the lines of an ASCII-compatible text that hold a secret, in order."""
    found = {(data.count(b"\n", 0, start) + 1, kind) for start, _, kind in _places(data)}
    return [Secret(*place) for place in sorted(found)]


def redacted(text: str) -> str:
    """Return the text with each line's part of a secret replaced; it keeps its lines."""
    data = text.encode("utf-8", "surrogatepass")
    parts, done = [], 0
    for start, end in sorted([*_sent_on(data), *(place[:2] for place in _places(data))]):
        if end > done:
            hidden = re.sub(rb"[^\n]+", REDACTED.encode(), data[max(start, done) : end])
            parts += [data[done : max(start, done)], hidden]
            done = end
    return b"".join([*parts, data[done:]]).decode("utf-8", "surrogatepass")


def _places(data: bytes) -> Iterator[tuple[int, int, str]]:
    """Yield where each secret stands, and its kind; what a rule of its own tells is no mere password."""
    named = list(_named(data))
    yield from named
    lowered = data.lower()
    if any(word in lowered for word in _TELLING):
        for match in _ASSIGNED.finditer(data):
            start, end = match.span(match.lastgroup or 0)
            told = any(first < end and start < last for first, last, _ in named)
            if not told and _looks_random(data[start:end]):
                yield start, end, "password"


def _named(data: bytes) -> Iterator[tuple[int, int, str]]:
    for rule in _RULES:
        if any(mark in data for mark in rule.marks):
            for match in rule.pattern.finditer(data):
                if not _INVENTED.search(match[0]):
                    yield match.start(), _end(match, rule.kind), rule.kind


def _sent_on(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield where something stands that is hidden from models, though it is not flagged."""
    for mark, pattern in _SENT_ON:
        if mark in data:
            for match in pattern.finditer(data):
                if not (_INVENTED.search(match[1]) or _PLACEHOLDER.search(match[1])):
                    yield match.span(1)


def _end(match: re.Match[bytes], kind: str) -> int:
    """Return where a secret ends; of a private key the pattern holds the beginning only."""
    if kind != "private_key":
        return match.end()
    data, begun = match.string, match.end()
    last = data.find(b"-----END", begun, begun + _MAX_KEY)
    body = _KEY_BODY.match(data, begun)
    return last if last >= 0 or body is None else body.end()


def _looks_random(value: bytes) -> bool:
    """Return whether no one would have written ``value`` by hand."""
    if _INVENTED.search(value):
        return False
    if _HEX.fullmatch(value):
        return _entropy(value) >= _MIN_HEX_BITS
    if _WORD.search(value):
        return False
    has_all = all(re.search(kind, value) for kind in (rb"[a-z]", rb"[A-Z]", rb"[0-9]"))
    return has_all and _entropy(value) >= _MIN_BITS


def _entropy(value: bytes) -> float:
    """Return the Shannon entropy of the bytes of ``value``, in bits a byte."""
    shares = (count / len(value) for count in Counter(value).values())
    return -sum(share * math.log2(share) for share in shares)
