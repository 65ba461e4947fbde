"""From a file's bytes to everything the store keeps about it; runs in parse workers too."""

from __future__ import annotations

import hashlib
import logging
import time
from collections import Counter
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import msgspec
import numpy as np
from numpy.typing import NDArray

from codeintel_rev.indexing.chunker import chunk_source
from codeintel_rev.indexing.file_source import FileSource, ReadFile
from codeintel_rev.indexing.parse_limit import limited
from codeintel_rev.indexing.skip_rules import skip_by_content
from codeintel_rev.io.packing import Span, pack_text
from codeintel_rev.text.chunk_terms import ChunkTerms, chunk_terms, text_terms
from codeintel_rev.text.code_tokenizer import tokenize
from codeintel_rev.text.languages import language_of
from codeintel_rev.text.secrets import Secret, find_secrets
from codeintel_rev.types import Chunk, FileEntry, ParsedFile, Symbol

_log = logging.getLogger(__name__)

SHA1_BYTES = 20
"""Length of the names that git gives to blobs, but in the rare repository of SHA-256 names."""

PLAIN_TEXT = "text"
"""The language of files without a grammar."""

HEAD_BYTES = 4096
"""What is looked at where a name does not tell the language."""


@runtime_checkable
class TermEmbedder(Protocol):
    """An embedder that takes terms of the code tokenizer, so that a chunk is tokenized once."""

    def embed_terms(self, documents: Sequence[Sequence[str]]) -> NDArray[np.float32]:
        """Return one unit vector a text, shape ``(n, dim)``."""
        ...

    def embed_chunks(self, chunks: Sequence[ChunkTerms]) -> NDArray[np.float32]:
        """Return one unit vector a chunk, shape ``(n, dim)``."""
        ...


class PreparedChunk(msgspec.Struct, frozen=True, gc=False):
    """A chunk ready to be stored."""

    id: int
    kind: str
    symbol: str
    span: tuple[int, int, int, int]
    """Start line, end line, start byte, end byte."""
    content: bytes
    """Packed text."""
    body_terms: str
    symbol_terms: str
    doc_terms: str

    def placed(self, row: int) -> Span:
        """Return where the chunk stands, stored as ``row``."""
        return Span(row, *self.span)


class PreparedFile(msgspec.Struct, frozen=True):
    """A file version ready to be stored, or the reason to skip it."""

    entry: FileEntry
    scanned_ns: int
    content_hash: bytes = b""
    oid: bytes = b""
    """Git's name for the bytes."""
    skip_reason: str | None = None
    lang: str = ""
    line_count: int = 0
    path_terms: str = ""
    chunks: list[PreparedChunk] = []
    symbols: list[Symbol] = []
    secrets: list[Secret] = []
    vectors: NDArray[np.float16] | None = None
    """One row a chunk."""


def content_hash(data: bytes) -> bytes:
    """Return the identity of a file's bytes: 16 bytes of BLAKE2b."""
    return hashlib.blake2b(data, digest_size=16).digest()


def blob_oid(data: bytes) -> bytes:
    """Return the name that git gives to these bytes as a blob (SHA-1)."""
    digest = hashlib.sha1(b"blob %d\0" % len(data), usedforsecurity=False)
    digest.update(data)
    return digest.digest()


def chunk_id(
    repo: str, path: str, lang: str, kind: str, symbol: str, text: str, ordinal: int
) -> int:
    """Return the non-negative 63-bit id of a chunk: a hash of all that its row holds."""
    parts = (repo, path, lang, kind, symbol, text, str(ordinal))
    key = b"\0".join(
        b"%d:%b" % (len(p), p) for p in (s.encode("utf-8", "surrogatepass") for s in parts)
    )
    return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "little") >> 1


def prepare_files(
    repo: str,
    source: FileSource,
    entries: Sequence[FileEntry],
    embedder: TermEmbedder | None,
    *,
    by_lines: bool = False,
) -> list[PreparedFile]:
    """Read, cut, tokenize and embed files; a file that cannot be kept says why in its result.

    They are cut along their syntax, or ``by_lines``. Without an embedder they have no vectors yet.
    """
    prepared: list[PreparedFile] = []
    documents: list[ChunkTerms] = []
    for entry, read in zip(entries, source.read(entries), strict=True):
        if read is None:
            prepared.append(PreparedFile(entry, time.time_ns(), skip_reason="unreadable"))
            continue
        prepared.append(_prepare(repo, read, documents, by_lines=by_lines))
    if embedder is None:
        return prepared
    vectors = embedder.embed_chunks(documents).astype(np.float16)
    offset = 0
    for at, file in enumerate(prepared):
        count = len(file.chunks)
        prepared[at] = msgspec.structs.replace(file, vectors=vectors[offset : offset + count])
        offset += count
    return prepared


def _prepare(
    repo: str, read: ReadFile, documents: list[ChunkTerms], *, by_lines: bool
) -> PreparedFile:
    data, entry, scanned_ns = read
    digest = content_hash(data)
    reason = skip_by_content(entry.path, data)
    if reason is not None:
        return PreparedFile(entry, scanned_ns, digest, skip_reason=reason)
    lang = language_of(entry.path, data[:HEAD_BYTES])
    with limited(len(data)):
        parsed = chunk_source(data, PLAIN_TEXT) if by_lines else _parse(entry.path, data, lang)
    path_terms = tokenize(entry.path)
    seen: Counter[tuple[str, str, str]] = Counter()
    chunks = []
    for chunk in parsed.chunks:
        identity = (chunk.kind, chunk.symbol, chunk.text)
        ordinal = seen[identity]
        seen[identity] += 1
        body, symbol = text_terms(chunk.text), tokenize(chunk.symbol)
        documents.append(chunk_terms(path_terms, symbol, body))
        new_id = chunk_id(repo, entry.path, lang, *identity, ordinal)
        chunks.append(_prepare_chunk(chunk, new_id, body.terms, symbol))
    return PreparedFile(
        entry=entry,
        scanned_ns=scanned_ns,
        content_hash=digest,
        oid=entry.oid or blob_oid(data),
        lang=lang,
        line_count=parsed.line_count,
        path_terms=" ".join(path_terms),
        chunks=chunks,
        symbols=parsed.symbols,
        secrets=find_secrets(data),
    )


def _parse(path: str, data: bytes, lang: str) -> ParsedFile:
    """Cut a file along its syntax, or by lines when a grammar stumbles over it.

    One odd file must not end the indexing of a whole repository.
    """
    try:
        return chunk_source(data, lang)
    except Exception:
        _log.exception("%s is cut by lines: its syntax could not be read", path)
        return chunk_source(data, PLAIN_TEXT)


def _prepare_chunk(
    chunk: Chunk, new_id: int, body: Sequence[str], symbol: list[str]
) -> PreparedChunk:
    return PreparedChunk(
        id=new_id,
        kind=chunk.kind,
        symbol=chunk.symbol,
        span=(chunk.start_line, chunk.end_line, chunk.start_byte, chunk.end_byte),
        content=pack_text(chunk.text, chunk.doc),
        body_terms=" ".join(body),
        symbol_terms=" ".join(symbol),
        doc_terms=" ".join(tokenize(chunk.doc)) if chunk.doc else "",
    )
