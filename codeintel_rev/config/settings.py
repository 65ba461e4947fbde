"""Everything that can be set, and the only reader of the environment.

A value comes from, each winning over the one before: the defaults here, the configuration file,
the environment. A setting ``field`` of the section ``[section]`` is ``SECTION_FIELD`` in the
environment.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_type_hints

import msgspec

from codeintel_rev.config.durations import Milliseconds, Seconds
from codeintel_rev.config.embedding import EMBEDDED_MODEL, EmbeddingConfig
from codeintel_rev.config.settings_file import read_settings_file
from codeintel_rev.config.vllm import VLLMConfig
from codeintel_rev.errors import SettingsError

Count = Annotated[int, msgspec.Meta(ge=1)]
OptionalCount = Annotated[int, msgspec.Meta(ge=0)]
Schemes = Annotated[
    str, msgspec.Meta(pattern=r"^(https|ssh|http|git|file)([ ,]+(https|ssh|http|git|file))*$")
]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


@dataclass(frozen=True, slots=True)
class IndexConfig:
    """How repositories are read."""

    max_file_bytes: Count = 1 << 20
    """A larger file is skipped."""
    workers: OptionalCount = 0
    """Processes that parse files; 0 = one a core."""


@dataclass(frozen=True, slots=True)
class MirrorConfig:
    """From where repositories are fetched that are named by their address."""

    schemes: Schemes = "https ssh"
    """Kinds of address that are accepted, of ``https ssh http git file``."""
    allow_private_hosts: bool = False
    """Whether an address may lead to this machine or a private network."""
    timeout_s: Count = 600
    """A fetch that takes longer is given up."""


@dataclass(frozen=True, slots=True)
class WatchConfig:
    """How edits are noticed by ``codeintel watch``; times are in milliseconds."""

    debounce_ms: Count = 50
    """Edits that follow each other within this time are indexed together."""
    poll: bool = False
    """Ask git, or walk, now and then, instead of waiting for events of the file system."""
    poll_ms: Count = 2000
    """Pause between two polls; also used where the system has no more watches to give."""


@dataclass(frozen=True, slots=True)
class CompactionConfig:
    """When an index is made small again without being told to."""

    auto: bool = True
    """Compact in the background, at low priority, after a refresh that makes it worth while."""
    dead_share: Share = 0.3
    """It is worth while when more than this share of chunks could be dropped."""


@dataclass(frozen=True, slots=True)
class FaissConfig:
    """How a vector index that stands alone is kept."""

    use_cuvs: Literal["auto"] | bool = "auto"
    """Whether to search on a GPU: ``auto`` = where one is; ``true`` tells when there is none."""
    compaction_threshold: Share = 0.05
    """Compacting is worth while when more than this share changed."""
    compaction_min: Count = 256
    """Fewer changes than these are never worth it."""
    adaptive_nprobe: bool = True
    """Choose at build how many lists a search reads, for a recall of 0.95; else an eighth."""


@dataclass(frozen=True, slots=True)
class SearchConfig:
    """What a search accepts and returns when it is not told otherwise."""

    limit: Count = 10
    """Hits that are returned."""
    max_query_chars: Count = 32_768
    """A longer query is refused."""
    second_stage: Literal["none", "minilm"] = "none"
    """What orders the best hits anew; ``minilm`` needs the weights of that model."""
    second_stage_hits: Count = 100
    """How many of the best hits it orders."""
    second_stage_ms: OptionalCount = 0
    """How long a search waits for its vectors; those that come later serve the next search."""


@dataclass(frozen=True, slots=True)
class Bm25Config:
    """How words are searched; see docs/bm25.md."""

    enabled: bool = True
    """Whether they are searched at all."""
    engine: Literal["tantivy", "lucene"] = "tantivy"
    """What searches them; ``lucene`` needs the extra of that name and a compaction."""
    index_dir: Path = Path("indexes/lucene")
    """Where ``scripts/build_bm25_index.sh`` puts an index that stands alone."""
    k1: Annotated[float, msgspec.Meta(ge=0, le=10)] = 1.2
    """How long more of the same word goes on to count; Lucene only."""
    b: Share = 0.75
    """How much long chunks are marked down; Lucene only."""


@dataclass(frozen=True, slots=True)
class SpladeConfig:
    """A third channel of search, by the terms that a text implies; see docs/splade.md."""

    model: Path | None = None
    """Folder of a SPLADE model of the BERT family; unset = off."""


@dataclass(frozen=True, slots=True)
class DuckDBConfig:
    """How the catalog is queried; see docs/catalog.md."""

    threads: Count = 2
    """Threads of one catalog, whoever queries it."""
    memory_limit_mb: Count = 512
    """Memory of one catalog; a query that needs more is refused, for nothing is spilled to disk."""
    materialize: bool = False
    """Whether compaction copies the chunks into ``catalog.duckdb`` instead of making a view."""
    object_cache: bool = True
    """Whether the footers of Parquet files are kept between queries."""
    log_queries: bool = False
    """Whether each query and its time is logged, at debug level."""
    pool_size: OptionalCount = 0
    """Cursors that are kept for the next query; 0 = each query makes its own."""
    timeout_ms: Milliseconds = 30_000
    """A query that takes longer is interrupted."""


@dataclass(frozen=True, slots=True)
class AnswerConfig:
    """What an answer may take and cost; times are in milliseconds."""

    max_query_chars: Count = 500
    """A longer question is refused."""
    max_input_tokens: Count | None = None
    """What a prompt may hold at most; unset goes by the context of the model."""
    max_output_tokens: Count = 500
    """What a language model may write."""
    confidence_threshold: Share = 0.3
    """An answer at or below it is marked ``low_confidence``."""
    time_budget_ms: Milliseconds = 2000
    """The whole answer without its synthesis."""
    embedding_timeout_ms: Milliseconds = 150
    faiss_timeout_ms: Milliseconds = 400
    bm25_timeout_ms: Milliseconds = 400
    splade_timeout_ms: Milliseconds = 400
    hydration_timeout_ms: Milliseconds = 200
    rerank_timeout_ms: Milliseconds = 300
    synthesis_timeout_ms: Milliseconds = 1000
    """Until the first token."""
    synthesis_gap_ms: Milliseconds = 5000
    """Between two tokens."""
    synthesis_total_ms: Milliseconds = 30_000
    """From the first request to the last token."""
    rerank_enabled: bool = True
    """Whether ``VLLM_SCORE_MODEL`` orders the hits of a question anew, when it is set."""
    reranker: Literal["none", "tokens"] = "none"
    """What orders the hits of a question anew: ``tokens`` compares words by the embedded model."""
    check_files: bool = False
    """Compare what an answer cites with the present bytes of its files, not the index alone."""
    system_prompt: str = ""
    """Replaces the built-in instructions to the language model; empty = those."""
    redact_secrets: bool = True
    """Keep keys, tokens and passwords that stand in the code from the language model."""


@dataclass(frozen=True, slots=True)
class TraceConfig:
    """What is kept of each answer and of some searches, the question included."""

    enabled: bool = True
    """Keep a record of each answer in ``traces`` of the data directory."""
    batch_size: Count = 100
    """Records that a server writes as one file."""
    flush_seconds: Seconds = 5.0
    """A record waits no longer than this for its file: what a killed server loses."""
    capacity: Count = 10_000
    """Records that may wait; on a disk that stays full the oldest go first."""
    keep_days: Count = 30
    """Older records are deleted."""
    search_share: Share = 0.01
    """Share of the searches without an answer that leave a record too, a lighter one."""


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """How ``serve`` and ``mcp`` treat those who call them."""

    request_timeout_s: Seconds = 30
    """A request that takes longer is given up."""
    threads: OptionalCount = 0
    """Searches at a time in a worker; 0 = a core's share of the workers, one at least."""
    queue: OptionalCount = 64
    """Requests that may wait for a thread; more are refused as busy."""
    result_cache: OptionalCount = 0
    """Results of searches that a worker remembers until the next commit; 0 = none."""
    max_body_bytes: Count = 1 << 20
    """A larger request is refused before it is read."""
    rate_per_minute: OptionalCount = 0
    """Requests that one caller may make a minute; 0 = any number."""
    drain_timeout_s: Seconds = 15
    """How long requests that are being served may take when the server is told to stop."""
    allowed_hosts: str = ""
    """Names that the ``Host`` header may have beside those of this machine; ``*`` = any."""
    allowed_origins: str = ""
    """Web pages that may call, by their origin, as in ``https://tools.example.org``."""
    tokens_file: Path | None = None
    """Who may call, as ``codeintel token`` writes it; unset = anybody on this machine."""
    public_url: str = ""
    """Where callers reach the server, as in ``https://code.example.org``; tells them their issuer."""
    secret: str = field(default="", repr=False)
    """Signs session ids; empty = made at start. Several hosts need the same one."""
    refresh: bool = True
    """Whether a process beside the server keeps the index up to date."""
    log_requests: bool = True
    """Whether each request leaves a line in the log."""
    log_queries: bool = False
    """Whether that line holds the text of a query or question."""
    log_format: Literal["text", "json"] = "text"
    """How lines of the log are written: for people, or as a JSON object each."""


@dataclass(frozen=True, slots=True)
class OidcConfig:
    """Which OpenID Connect issuer vouches for callers."""

    issuer: str = ""
    """Its address, which is also what its tokens say in ``iss``; empty = none."""
    audience: str = ""
    """What it calls this server: what a token has to say in ``aud``."""
    jwks_url: str = ""
    """Where its public keys are; empty = where its configuration document says."""
    algorithm: Literal[
        "RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "Ed25519"
    ] = "RS256"
    """How its tokens are signed; no other signature is accepted."""
    repos_claim: str = ""
    """The claim that lists the repositories a caller may see; empty = every caller sees all."""


@dataclass(frozen=True, slots=True)
class RedisConfig:
    """Where the scopes of sessions are kept, for several workers or hosts."""

    url: str = field(default="", repr=False)
    """``redis://``, ``rediss://`` or ``unix://``; empty = in the process."""
    scope_l1_size: Count = 4096
    """Sessions that each worker remembers by itself."""
    scope_l1_ttl_seconds: Count = 300
    """Age at which a worker asks Redis again."""
    scope_l2_ttl_seconds: Count = 86_400
    """A session that is not used for so long loses its scope."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of a process."""

    data_dir: Path | None = field(default=None, metadata={"env": "CODEINTEL_DATA_DIR"})
    """Where the index lies; unset = ``.codeintel`` in the repository."""
    data_home: Path = field(
        default=Path(os.path.expanduser("~/.local/share")),  # noqa: PTH111  (never raises)
        metadata={"env": "XDG_DATA_HOME"},
    )
    """Below it, ``codeintel/`` holds the indexes of repositories that cannot be written to."""
    index: IndexConfig = IndexConfig()
    mirror: MirrorConfig = MirrorConfig()
    watch: WatchConfig = WatchConfig()
    compaction: CompactionConfig = CompactionConfig()
    faiss: FaissConfig = FaissConfig()
    search: SearchConfig = SearchConfig()
    bm25: Bm25Config = Bm25Config()
    splade: SpladeConfig = SpladeConfig()
    duckdb: DuckDBConfig = DuckDBConfig()
    answer: AnswerConfig = AnswerConfig()
    trace: TraceConfig = TraceConfig()
    redis: RedisConfig = RedisConfig()
    server: ServerConfig = ServerConfig()
    oidc: OidcConfig = OidcConfig()
    embedding: EmbeddingConfig = EMBEDDED_MODEL
    vllm: VLLMConfig = field(default_factory=VLLMConfig)


class Setting(msgspec.Struct, frozen=True):
    """Where one setting is found."""

    section: str
    """Empty at the top of the file."""
    name: str
    variable: str
    """Its name in the environment."""
    default: Any


def all_settings() -> Iterator[Setting]:
    """Yield every setting there is."""
    for top in fields(Settings):
        section = getattr(Settings(), top.name)
        if variable := top.metadata.get("env"):
            yield Setting("", top.name, variable, section)
            continue
        for name, value in asdict(section).items():
            yield Setting(top.name, name, f"{top.name}_{name}".upper(), value)


def load_settings(env: Mapping[str, str] | None = None, file: Path | None = None) -> Settings:
    """Read the settings from a configuration file and the environment.

    Without ``file`` it is the one that ``CODEINTEL_CONFIG`` names, else ``codeintel/codeintel.toml``
    in the user's configuration folder when there is one. A file inside a repository is never
    picked up: whoever wrote the repository must not decide where its reader's data goes.

    Raises ``SettingsError`` that names every bad value, or every unknown name in the file.
    """
    env = os.environ if env is None else env
    known = list(all_settings())
    file = file or _file_named_by(env)
    found = read_settings_file(file, [(s.section, s.name) for s in known]) if file else {}
    from_env = {(s.section, s.name): env[s.variable] for s in known if env.get(s.variable)}
    found |= from_env
    try:
        return _checked(_convert(found))
    except msgspec.ValidationError:
        named = {
            (s.section, s.name): s.variable
            if (s.section, s.name) in from_env
            else f"{s.name} in {f'[{s.section}] of ' if s.section else ''}{file}"
            for s in known
        }
        raise _all_faults(found, named) from None


def _checked(settings: Settings) -> Settings:
    """Refuse a model with a length of vectors that it is known not to make."""
    if settings.embedding.vec_dim:
        settings.embedding.completed()
    return settings


def _file_named_by(env: Mapping[str, str]) -> Path | None:
    if named := env.get("CODEINTEL_CONFIG"):
        return _path(Path, named)
    home = env.get("XDG_CONFIG_HOME") or (f"{env['HOME']}/.config" if "HOME" in env else "")
    usual = Path(home) / "codeintel" / "codeintel.toml"
    return usual if home and usual.is_file() else None


def _convert(found: Mapping[tuple[str, str], Any]) -> Settings:
    tree: dict[str, Any] = {"embedding": asdict(EMBEDDED_MODEL)}
    for (section, name), value in found.items():
        (tree.setdefault(section, {}) if section else tree)[name] = value
    return msgspec.convert(tree, Settings, strict=False, dec_hook=_path)


def _path(kind: type, value: Any) -> Path:
    if kind is not Path or not isinstance(value, str):
        raise ValueError("Expected a path")
    return Path(os.path.expanduser(value))  # noqa: PTH111  (never raises)


def _all_faults(
    found: Mapping[tuple[str, str], Any], named: Mapping[tuple[str, str], str]
) -> SettingsError:
    """Convert each value by itself, so that all the bad ones are told at once."""
    faults = []
    values = []
    for key, value in found.items():
        try:
            _convert({key: value})
        except msgspec.ValidationError as error:
            reason = _choices(*key) or str(error).split(" - at ")[0]
            faults.append(f"{named[key]} is {value!r}: {reason[:1].lower()}{reason[1:]}")
            values.append(str(value))
    return SettingsError(
        f"bad setting{'s'[: len(faults) > 1]}: {'; '.join(faults)}",
        hint="docs/configuration.md lists what each setting accepts",
        value=", ".join(values),
    )


def _choices(section: str, name: str) -> str:
    owner = type(getattr(Settings(), section)) if section else Settings
    words = get_args(get_type_hints(owner)[name])
    return (
        f"expected {' or '.join(map(repr, words))}" if words and isinstance(words[0], str) else ""
    )
