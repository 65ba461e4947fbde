"""Results as plain text (pure): blocks that read, and grep, well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from codeintel_rev.cli.explained import explanation
from codeintel_rev.types import AnswerEnvelope, IndexReport, SearchHit, SearchResult, StatusReport

if TYPE_CHECKING:
    from codeintel_rev.app.backup import BackupReport
    from codeintel_rev.app.compaction import CompactionReport, RepositoryCompaction
    from codeintel_rev.app.doctor import DoctorReport
    from codeintel_rev.app.model_doctor import ModelReport
    from codeintel_rev.app.removal import RemovalReport

_SHOWN_SECRETS: Final = 3
"""How many places ``status`` names; ``--json`` holds them all."""


def hits_text(result: SearchResult, *, name_repos: bool = False) -> str:
    """Return one block a hit: a line that says where and what, then the code."""
    return "\n\n".join(_block(hit, name_repos=name_repos) for hit in result.hits)


def place(hit: SearchHit, *, name_repos: bool = False) -> str:
    """Return ``path:start-end``, with ``repo:`` before it when the index holds several."""
    where = f"{hit.uri}:{hit.start_line}-{hit.end_line}"
    return f"{hit.repo}:{where}" if name_repos else where


def facts(hit: SearchHit) -> list[str]:
    """Return what is known of a hit beside its place: symbol, kind, score, staleness."""
    known = [hit.symbol, hit.kind if hit.symbol else "", f"({hit.score:.4f})"]
    return [fact for fact in [*known, "[changed since]" if hit.stale else ""] if fact]


def plan_text(envelope: AnswerEnvelope) -> str:
    """Return how an answer came to be, on one line."""
    plan = envelope.plan
    return (
        f"retrieval {plan.retrieval}, synthesizer {plan.synthesizer}, "
        f"{len(envelope.snippets)} snippets, {len(envelope.citations)} citations, "
        f"confidence {envelope.confidence:.2f}"
    )


def sources_text(envelope: AnswerEnvelope, *, name_repos: bool = False) -> str:
    """Return the places that an answer cites, one a line, marked where they were not verified.

    A snippet is called after the greatest thing in it: a part of it may be of another.
    """
    snippets = {(found.id, found.start_line): found for found in envelope.snippets}
    lines = ["Sources:"]
    for cited in envelope.citations:
        repo = f"{cited.repo}:" if name_repos else ""
        where = f"{repo}{cited.uri}:{cited.start_line}-{cited.end_line}"
        snippet = snippets.get((cited.snippet_id, cited.start_line))
        symbol = snippet.symbol if snippet and snippet.end_line <= cited.end_line else ""
        known = [symbol, "" if cited.verified else "[changed since]"]
        lines.append("  ".join([f"[{cited.n}] {where}", *filter(None, known)]))
    return "\n".join(lines) if envelope.citations else ""


def index_text(report: IndexReport) -> str:
    """Return what one run of ``index`` did, in two lines."""
    names = ", ".join(repo["name"] for repo in report.repos)
    rate = f", {report.lines / report.seconds:,.0f} lines/s" if report.lines else ""
    return (
        f"{names}: {report.added:,} added, {report.changed:,} changed, "
        f"{report.removed:,} removed, {report.unchanged:,} unchanged, {report.skipped:,} skipped\n"
        f"{report.lines:,} lines in {report.seconds:.2f} s{rate}"
    )


def compaction_text(report: CompactionReport) -> str:
    """Return what one run of ``compact`` did, a line a repository."""
    return "\n".join(
        f"{done.name}: {_compacted(done)}, "
        f"{_size(done.bytes_before)} -> {_size(done.bytes_after)} in {done.seconds:.2f} s"
        for done in report.repos
    )


def _compacted(done: RepositoryCompaction) -> str:
    if done.generation == 1 and not done.dropped:
        return f"nothing to drop yet, catalog of {done.chunks:,} chunks built for SQL"
    return f"{done.chunks:,} chunks kept, {done.dropped:,} dropped"


def removal_text(report: RemovalReport) -> str:
    """Return what one run of ``remove`` freed, a line a repository."""
    return "\n".join(f"{done.name}: removed, {_size(done.bytes)} freed" for done in report.repos)


def backup_text(report: BackupReport) -> str:
    """Return what one run of ``backup`` wrote."""
    return f"{_held(report)} written to {report.file}"


def restored_text(report: BackupReport) -> str:
    """Return what one run of ``restore`` made."""
    return f"{_held(report)} restored to {report.data_dir}"


def _held(report: BackupReport) -> str:
    return f"{', '.join(report.repos)}: {report.files} files, {_size(report.bytes)}"


def doctor_text(report: DoctorReport) -> str:
    """Return the outcome of each check on a line, and below a fault the command that mends it."""
    lines = []
    for check in report.checks:
        lines.append(f"{'ok   ' if check.ok else 'FAULT'}  {check.name}: {check.detail}")
        if not check.ok:
            lines.append(f"       mend it with `{check.fix}`")
    return "\n".join(lines)


def models_text(report: ModelReport) -> str:
    """Return what a model server gave, a question a line with its time."""
    width = max(len(check.name) for check in report.checks)
    lines = []
    for check in report.checks:
        state = "ok   " if check.ok else "FAULT"
        lines.append(f"{state}  {check.name:<{width}}  {check.ms:>8.1f} ms  {check.detail}")
        if check.fix:
            lines.append(f"       {check.fix}")
    return "\n".join(lines)


def status_text(report: StatusReport) -> str:
    """Return what a data directory holds, one fact a line."""
    return "\n".join(f"{name:<10} {value}" for name, value in _status_lines(report))


def _block(hit: SearchHit, *, name_repos: bool) -> str:
    head = "  ".join([place(hit, name_repos=name_repos), *facts(hit)])
    return "\n".join([head, *explanation(hit), hit.code.rstrip()])


def _status_lines(report: StatusReport) -> Iterator[tuple[str, str]]:
    for repo in report.repos:
        yield "repository", f"{repo['name']}  {_standing(repo)}".rstrip()
        for ref in repo.get("refs", ()):
            if not ref["default"]:
                yield "", f"{repo['name']}  {_standing(ref)}"
    yield "files", f"{report.files:,}"
    yield "chunks", f"{report.chunks:,}"
    most_first = sorted(report.skipped.items(), key=lambda pair: (-pair[1], pair[0]))
    told = ", ".join(f"{count:,} {reason}" for reason, count in most_first)
    yield "skipped", told or "none"
    if report.secrets:
        yield "secrets", f"{len(report.secrets):,} in the text, {_first_places(report)}"
    yield "model", f"{report.model['id']}, {report.model['dim']} dimensions"
    yield "size", _size(report.bytes)
    yield "writer", report.writer or "none"


def _first_places(report: StatusReport) -> str:
    """Return where the first secrets stand."""
    shown = report.secrets[:_SHOWN_SECRETS]
    places = [f"{secret['uri']}:{secret['line']} ({secret['kind']})" for secret in shown]
    more = ["..."] if len(report.secrets) > len(shown) else []
    return ", ".join(places + more)


def _standing(snapshot: Mapping[str, Any]) -> str:
    """Return which ref and commit a snapshot is of, and how far it is behind."""
    ref, commit = snapshot["ref"], snapshot["commit"]
    names = [None if ref == commit else ref, (commit or "")[:12]]
    at = " at ".join(filter(None, names))
    lags = ((snapshot.get("behind"), "commit"), (snapshot.get("changed_files"), "changed file"))
    lag = [f"{count:,} {what}{'s'[: count > 1]}" for count, what in lags if count]
    return f"{at}, {' and '.join(lag)} behind" if lag else at


def _size(count: int) -> str:
    size = float(count)
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1024:
            return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"
