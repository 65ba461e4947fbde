"""Where the time goes: each stage of indexing and of a search, one after the other in one process."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from codeintel_rev.app.components import components
from codeintel_rev.app.local import LocalIndex
from codeintel_rev.config.settings import Settings
from codeintel_rev.errors import NotARepository
from codeintel_rev.indexing.chunker import chunk_source
from codeintel_rev.indexing.file_source import DiskSource, read_file
from codeintel_rev.indexing.prepare import HEAD_BYTES, PreparedFile, prepare_files
from codeintel_rev.indexing.skip_rules import skip_by_content
from codeintel_rev.indexing.store import RepositoryFolder, SnapshotChange, StoreWriter
from codeintel_rev.indexing.walker import walk
from codeintel_rev.io import git, own_process
from codeintel_rev.io.journal import WORKTREE
from codeintel_rev.io.packing import pack_text
from codeintel_rev.io.registry import Registry
from codeintel_rev.io.static_embedder import StaticEmbedder
from codeintel_rev.retrieval.hybrid import HybridSearcher, Retrieved
from codeintel_rev.retrieval.query import parse_query
from codeintel_rev.text.code_tokenizer import tokenize
from codeintel_rev.text.languages import language_of
from codeintel_rev.types import FileEntry

BATCH_FILES = 256
"""Files that are in memory at a time."""
QUERIES = 50
"""Names of the repository's own symbols that are searched for."""
PROCESSES = 5
"""Fresh processes that search."""


class Cost(NamedTuple):
    """What one stage took, in seconds."""

    stage: str
    cpu: float
    wall: float


@dataclass(slots=True)
class Stopwatch:
    """Adds up what each stage takes."""

    spent: dict[str, tuple[float, float]] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the body for the stage ``name``."""
        cpu, wall = time.process_time(), time.perf_counter()
        yield
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        before = self.spent.get(name, (0.0, 0.0))
        self.spent[name] = (before[0] + cpu, before[1] + wall)

    def costs(self, share: float = 1.0) -> list[Cost]:
        """Return the stages in the order of their first run, times ``share``."""
        return [Cost(name, cpu * share, wall * share) for name, (cpu, wall) in self.spent.items()]


@dataclass(slots=True)
class Profile:
    """What indexing a repository and searching it took."""

    files: int = 0
    lines: int = 0
    chunks: int = 0
    indexing: list[Cost] = field(default_factory=list)
    """For the whole repository."""
    search: list[Cost] = field(default_factory=list)
    """For one query, the mean of ``QUERIES``."""
    process_ms: list[float] = field(default_factory=list)
    """Wall time of whole ``codeintel search`` processes."""


def profile(
    root: Path, scratch: Path, settings: Settings, progress: Callable[[str, int, int, int], None]
) -> Profile:
    """Index the repository ``root`` in the empty folder ``scratch``, search it, and take times.

    Raises ``NotARepository`` for one without text files.
    """
    done = Profile()
    names = _profile_indexing(root, scratch, settings, done, progress)
    if not done.chunks:
        raise NotARepository(
            f"{root} holds no text files to index",
            hint="name a folder with source files",
            value=str(root),
        )
    queries = names[:: max(1, len(names) // QUERIES)][:QUERIES] or [root.name]
    progress("search", 0, 1, 0)
    with LocalIndex(scratch, settings) as index:
        _profile_search(index, queries, done)
    done.process_ms = [_process_ms(scratch, query) for query in queries[:PROCESSES]]
    return done


def _profile_indexing(
    root: Path,
    scratch: Path,
    settings: Settings,
    done: Profile,
    progress: Callable[[str, int, int, int], None],
) -> list[str]:
    """Index ``root`` stage by stage; returns the qualified names of its symbols."""
    watch = Stopwatch()
    with watch.stage("list files"):
        repo = git.discover(root)
        entries = walk(root, git=repo, max_file_bytes=settings.index.max_file_bytes).files
    embedder = StaticEmbedder()
    registry = Registry(scratch, create=True)
    repository = registry.register(root, str(root), None)
    folder = RepositoryFolder(registry.folder(repository))
    folder.create(components(embedder))
    writer = StoreWriter(folder, embedder.dim, bulk=True)
    versions, names = [], []
    for start in range(0, len(entries), BATCH_FILES):
        batch = entries[start : start + BATCH_FILES]
        _profile_preparing(root, batch, embedder, watch)
        prepared = _prepared(repository.name, root, batch, embedder)
        with watch.stage("store"):
            versions += writer.add_versions(prepared)
        done.files += len(prepared)
        done.lines += sum(file.line_count for file in prepared)
        done.chunks += sum(len(file.chunks) for file in prepared)
        names += [symbol.qualname for file in prepared for symbol in file.symbols]
        progress("index", done.files, len(entries), done.lines)
    with watch.stage("commit"):
        writer.switch(WORKTREE, SnapshotChange((None, None), None, versions, [], []))
        writer.close()
    registry.close()
    done.indexing = watch.costs()
    return names


def _prepared(
    name: str, root: Path, batch: Sequence[FileEntry], embedder: StaticEmbedder
) -> list[PreparedFile]:
    prepared = prepare_files(name, DiskSource(root), batch, embedder)
    return [file for file in prepared if file.skip_reason is None]


def _profile_preparing(
    root: Path, batch: Sequence[FileEntry], embedder: StaticEmbedder, watch: Stopwatch
) -> None:
    """Run the parts of ``prepare_files`` one by one."""
    with watch.stage("read"):
        read = [(entry.path, read_file(root, entry)) for entry in batch]
    with watch.stage("skip rules"):
        kept = [
            (path, found[0])
            for path, found in read
            if found is not None and skip_by_content(path, found[0]) is None
        ]
    with watch.stage("chunk"):
        chunks = [
            chunk
            for path, data in kept
            for chunk in chunk_source(data, language_of(path, data[:HEAD_BYTES])).chunks
        ]
    with watch.stage("tokenize"):
        terms = [
            [*tokenize(chunk.symbol), *tokenize(chunk.text), *tokenize(chunk.doc)]
            for chunk in chunks
        ]
    with watch.stage("embed"):
        embedder.embed_terms(terms)
    with watch.stage("compress"):
        for chunk in chunks:
            pack_text(chunk.text)


def _profile_search(index: LocalIndex, queries: Sequence[str], done: Profile) -> None:
    index.search(queries[0])  # opens files and maps vectors, which a process does once
    watch = Stopwatch()
    (opened,) = index.selected(None)
    for query in queries:
        with watch.stage("whole search"):
            index.search(query)
        with watch.stage("parse query"):
            parsed = parse_query(query)
        with watch.stage("open view"), opened.view() as view:
            assert view is not None
        with opened.view() as view:
            assert view is not None
            searcher = HybridSearcher(view.channels, index.embedder)
            with watch.stage("embed query"):
                index.embedder.embed_query(query)
            with watch.stage("search dense"):
                dense = searcher.dense(parsed, 100)
            with watch.stage("search words"):
                words = searcher.words(parsed, 100)
            with watch.stage("rank and hydrate"):
                searcher.finish(parsed, Retrieved((), dense, words), 10)
    done.search = watch.costs(1 / len(queries))


def _process_ms(data_dir: Path, query: str) -> float:
    """Return the wall time of one ``codeintel search`` process."""
    words = ("-m", "codeintel_rev", "search", "--data-dir", str(data_dir), "--", query)
    command, environment = own_process.python(*words), own_process.environment()
    started = time.perf_counter()
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - started) * 1000
