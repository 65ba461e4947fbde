"""Who changed which lines of a file, and when; reads commits, never runs what a repository names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from codeintel_rev.errors import CodeIntelError, DeadlineExceeded, NotFound, Unavailable
from codeintel_rev.io import git_process
from codeintel_rev.io.git import GitRepo
from codeintel_rev.io.git_process import decode_to_show

TIMEOUT_S: Final = 20.0

_QUIET: Final = ("--no-textconv", "--no-ext-diff")
"""A repository may name programs that make its files readable for a diff; none is run."""

_LOG_FORMAT: Final = "--format=%H%n%an%n%ae%n%aI%n%s"
_MISSING: Final = ("no such path", "no such ref", "bad revision", "unknown revision")
_NO_COMMIT: Final = "0" * 7


class BlamedLine(NamedTuple):
    """The commit that a line is from."""

    line: int
    commit: str | None
    """``None`` = not committed yet."""
    author: str
    date: str | None
    """When it was written, in ISO 8601; ``None`` also where the commit tells no time that there is."""
    message: str
    """First line of the commit's message."""


class Commit(NamedTuple):
    """A commit as a list of them shows it."""

    full_sha: str
    author: str
    email: str
    date: str
    message: str

    @property
    def sha(self) -> str:
        """The short name."""
        return self.full_sha[:12]


@dataclass(frozen=True, slots=True)
class GitHistory:
    """The history of files, as seen from a commit or, without one, from a work tree."""

    git_dir: Path
    commit: str | None = None
    """A full commit name."""
    tree: GitRepo | None = None

    def blame(self, path: str, first: int, last: int) -> list[BlamedLine]:
        """Return the commit behind each line of a range; lines count from 1.

        What is edited and not committed has no commit. Where a repository names filters, which git
        would have to run to compare, lines are those of the last commit.

        Raises ``NotFound`` for a file that was never committed, ``DeadlineExceeded``.
        """
        options = ("--line-porcelain", "--encoding=UTF-8", "--ignore-revs-file=", _QUIET[0])
        lines = f"-L{first},{last}"
        revision = self._revision(worktree=True)
        output = self._run(path, "blame", *options, lines, *revision, "--", path)
        return list(_blamed(decode_to_show(output)))

    def log(self, path: str, limit: int) -> list[Commit]:
        """Return the newest ``limit`` commits that changed a file, through renames.

        Raises ``NotFound`` for a file that was never committed, ``DeadlineExceeded``.
        """
        options = ("-z", "--follow", "--encoding=UTF-8", f"--max-count={limit}", _LOG_FORMAT)
        revision = self._revision(worktree=False)
        output = self._run(path, "log", *options, *_QUIET, *revision, "--", f":(top,literal){path}")
        records = [entry for entry in decode_to_show(output).split("\0") if entry]
        if not records:
            raise _never_committed(path)
        return [Commit(*record.lstrip("\n").split("\n", 4)) for record in records]

    def _revision(self, *, worktree: bool) -> tuple[str, ...]:
        if self.commit is not None:
            return (self.commit,)
        may_compare = self.tree is not None and not self.tree.names_filters()
        return () if worktree and may_compare else ("HEAD",)

    def _run(self, path: str, *args: str) -> bytes:
        try:
            if self.tree is not None:
                return self.tree.run(*args, timeout_s=TIMEOUT_S)
            return git_process.run(self.git_dir, *args, git_dir=self.git_dir, timeout_s=TIMEOUT_S)
        except CodeIntelError as error:
            # what git says names folders of this machine, and may quote files that it was led to
            if any(word in error.message for word in _MISSING):
                raise _never_committed(path) from error
            raise _unread(path, error) from error


def _blamed(output: str) -> Iterator[BlamedLine]:
    """Parse ``--line-porcelain``: a head line, facts, and the text after a tab."""
    head: list[str] = []
    facts: dict[str, str] = {}
    for line in output.split("\n"):
        if line.startswith("\t"):
            yield _line(head, facts)
            head, facts = [], {}
        elif not head:
            head = line.split(" ")
        else:
            name, _, value = line.partition(" ")
            facts[name] = value


def _line(head: list[str], facts: dict[str, str]) -> BlamedLine:
    committed = not head[0].startswith(_NO_COMMIT)
    return BlamedLine(
        line=int(head[2]),
        commit=head[0] if committed else None,
        author=facts.get("author", "") if committed else "",
        date=_time(facts.get("author-time", "")) if committed else None,
        message=facts.get("summary", "") if committed else "",
    )


def _time(seconds: str) -> str | None:
    """Return a time in ISO 8601; a commit may tell any number."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return None


def _unread(path: str, error: CodeIntelError) -> CodeIntelError:
    if isinstance(error, DeadlineExceeded):
        return DeadlineExceeded(
            f"git did not tell the history of {path} within {TIMEOUT_S:g} s",
            hint="ask for fewer lines or commits",
            value=path,
        )
    return Unavailable(
        f"git cannot tell the history of {path}",
        hint="try `git log` and `git blame` in the repository",
        value=path,
    )


def _never_committed(path: str) -> NotFound:
    return NotFound(f"{path} was never committed", hint="commit it first", value=path)
