"""Runs git on repositories that may be hostile, and answers what the indexer asks of it.

A repository's own configuration and attributes may name programs. No call made here runs one:
hooks and the file system monitor are off, the work tree is ours to name, no protocol is allowed
(a partial clone fetches what it lacks), nothing of the caller's ``GIT_*`` leaks in but where the
user's own configuration lies. Clean filters run whenever git compares contents, so commands that
may do so (``status``, ``diff-files``, ``ls-files -m``, ``blame`` without a revision) are only for
repositories without ``names_filters``.
"""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from codeintel_rev.errors import CodeIntelError, DeadlineExceeded, NotARepository, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable

TIMEOUT_S = 60.0
_LINK_BYTES = 4_096

_SAFE_CONFIG = (
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.sshCommand=false",
    "core.gitProxy=false",
    "core.askPass=",
    "core.editor=false",
    "core.alternateRefsCommand=false",
    "core.checkStat=default",
    "core.trustctime=true",
    "core.ignoreStat=false",
    "core.quotePath=false",
    "credential.helper=",
    "diff.external=",
    "gpg.program=false",
    "log.showSignature=false",
    "protocol.allow=never",
    "protocol.ext.allow=never",
    "safe.bareRepository=explicit",
    "submodule.recurse=false",
)
_SAFE_FLAGS = (
    "--no-optional-locks",
    "--no-pager",
    "--no-replace-objects",
    *(word for setting in _SAFE_CONFIG for word in ("-c", setting)),
)
_SAFE_ENVIRONMENT = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
_KEPT_VARIABLES = frozenset({"GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"})
_DROPPED_VARIABLES = frozenset({"SSH_ASKPASS", "PAGER", "EDITOR", "VISUAL", "LANGUAGE"})


class Listing(NamedTuple):
    """The files of a work tree, relative to the folder that was asked about."""

    paths: list[str]
    """Files deleted from disk too; another repository inside is one path, its folder."""
    unwatched: bool
    """Whether the index asks git to assume some file unchanged, whatever it holds."""


@dataclass(frozen=True, slots=True)
class GitRepo:
    """A repository with a work tree."""

    root: Path
    """Top level of the work tree."""
    git_dir: Path
    """Where this work tree's index and HEAD lie."""
    common_dir: Path
    """Where what all its work trees share lies; the repository's identity."""

    def run(self, *args: str, timeout_s: float = TIMEOUT_S) -> bytes:
        """Run one git command at the root and return its output.

        Raises:
            NotARepository: git refuses the repository, or there is none.
            DeadlineExceeded: it did not end in ``timeout_s``; it was killed.
            Unavailable: git is missing or failed.
        """
        process = self.start(*args)
        try:
            output, complaint = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            raise DeadlineExceeded(
                f"git {args[0]} in {self.root} did not end within {timeout_s:g} s",
                hint="check that its disk answers, then try again",
                value=str(self.root),
            ) from None
        finally:
            stop(process)
        if process.returncode != 0:
            raise _failure(self.root, args[0], complaint)
        return output

    def start(self, *args: str) -> subprocess.Popen[bytes]:
        """Start one git command at the root and return at once; the caller collects it.

        Raises:
            Unavailable: git is missing.
        """
        try:
            return subprocess.Popen(
                ["git", *_SAFE_FLAGS, f"--work-tree={self.root}", *args],
                cwd=self.root,
                env=safe_environment(self.root),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                process_group=0,
            )
        except FileNotFoundError:
            raise Unavailable(
                "git was not found on PATH", hint="install git 2.30 or later", value="git"
            ) from None

    def head(self) -> tuple[str | None, str | None]:
        """Return (branch, commit): no branch when detached, no commit before the first one."""
        try:
            output = self.run("rev-parse", "HEAD", "--symbolic-full-name", "HEAD")
        except Unavailable:
            unborn = self.run("symbolic-ref", "--quiet", "HEAD")
            return _branch(decode(unborn).strip()), None
        commit, name = decode(output).split("\n")[:2]
        return _branch(name), commit

    def list_files(self, folder: Path) -> Listing:
        """List what git tracks or would add below ``folder``, which lies in the work tree."""
        output = self.run(
            *("ls-files", "-z", "-v", "--cached", "--others", "--exclude-standard"),
            *self.below(folder),
        )
        tagged = split_paths(output)
        paths = self.relative((entry[2:] for entry in tagged), folder)
        return Listing(list(dict.fromkeys(paths)), any(entry[0].islower() for entry in tagged))

    def below(self, folder: Path) -> tuple[str, ...]:
        """Return the arguments that confine a command to ``folder``."""
        return () if folder == self.root else ("--", f":(literal){self._prefix(folder)}")

    def relative(self, paths: Iterable[str], folder: Path) -> list[str]:
        """Make paths that git printed relative to ``folder``, those outside it left out."""
        if folder == self.root:
            return list(paths)
        prefix = self._prefix(folder)
        return [path.removeprefix(prefix) for path in paths if path[len(prefix) :]]

    def _prefix(self, folder: Path) -> str:
        return f"{folder.relative_to(self.root).as_posix()}/"

    def ignores(self, folder: Path) -> bool:
        """Return whether git's ignore rules leave out ``folder``, which lies in the work tree."""
        if folder == self.root:
            return False
        try:
            self.run("check-ignore", "--quiet", "--end-of-options", str(folder))
        except Unavailable:
            return False
        return True

    def names_filters(self) -> bool:
        """Return whether the repository's own configuration may name programs that git filters by.

        An included file may hold anything, and a file that cannot be read is not trusted.
        """
        for path in (self.common_dir / "config", self.git_dir / "config.worktree"):
            try:
                text = path.read_bytes().lower()
            except FileNotFoundError:
                continue
            except OSError:
                return True
            if b"[filter" in text or b"[include" in text:
                return True
        return False


def locate(path: Path) -> GitRepo | None:
    """Return the repository that ``path`` seems to lie in, from ``.git`` alone, without git."""
    for root in (path, *path.parents):
        entry = root / ".git"
        try:
            if (entry / "HEAD").exists():
                return GitRepo(root, entry, _common_dir(entry))
            if entry.is_file():
                return _linked(root, entry)
        except OSError:
            continue
    return None


def discover(path: Path) -> GitRepo | None:
    """Return the repository that the resolved folder ``path`` lies in, if any.

    Raises:
        NotARepository: git refuses it, because another user owns it.
        Unavailable: git is missing or failed.
    """
    repo = locate(path)
    if repo is None:
        return None
    try:
        repo.run("rev-parse", "--git-dir")
    except NotARepository as refusal:
        if refusal.hint:
            raise
        return None
    return repo


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a git process and whatever it started, unless it ended by itself."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def safe_environment(root: Path) -> dict[str, str]:
    """Return the environment for a git command in ``root``."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in _DROPPED_VARIABLES
        and (not name.startswith(("GIT_", "LC_")) or name in _KEPT_VARIABLES)
    }
    # A relative entry would look for git inside the repository.
    places = filter(os.path.isabs, kept.get("PATH", os.defpath).split(os.pathsep))
    kept["PATH"] = os.pathsep.join(places)
    return {**kept, **_SAFE_ENVIRONMENT, "GIT_CEILING_DIRECTORIES": str(root.parent)}


def decode(output: bytes) -> str:
    """Decode what git printed; bytes that are not UTF-8 survive as surrogates."""
    return output.decode("utf-8", "surrogateescape")


def split_paths(output: bytes) -> list[str]:
    """Split the output of a ``-z`` command."""
    return decode(output).split("\0")[:-1]


def _branch(name: str) -> str | None:
    return name.removeprefix("refs/heads/") if name.startswith("refs/") else None


def _linked(root: Path, entry: Path) -> GitRepo | None:
    """Follow a ``.git`` file, as linked work trees and submodules have, to its folder."""
    first = decode(entry.read_bytes()[:_LINK_BYTES]).strip()
    target = (root / first.removeprefix("gitdir:").strip()).resolve()
    if not first.startswith("gitdir:") or not target.is_dir():
        return None
    return GitRepo(root, target, _common_dir(target))


def _common_dir(git_dir: Path) -> Path:
    try:
        text = decode((git_dir / "commondir").read_bytes()[:_LINK_BYTES])
    except OSError:
        return git_dir
    return (git_dir / text.strip()).resolve()


def _failure(root: Path, command: str, complaint: bytes) -> CodeIntelError:
    text = decode(complaint)
    if "dubious ownership" in text or "unsafe repository" in text:
        return NotARepository(
            f"git refuses {root}, because another user owns it",
            hint=f"if you trust it: git config --global --add safe.directory '{root}'",
            value=str(root),
        )
    if "not a git repository" in text or "invalid gitfile" in text:
        return NotARepository(f"{root} is no git repository", value=str(root))
    lines = [line for line in text.splitlines() if line.strip()]
    why = ascii(lines[0])[1:-1] if lines else "without a word"
    return Unavailable(
        f"git {command} failed in {root}: {why}",
        hint=f"run `git -C '{root}' fsck` to see what is wrong",
        value=str(root),
    )
