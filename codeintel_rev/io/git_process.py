"""Starts git on repositories that may be hostile.

A repository's own configuration and attributes may name programs. No call made here runs one:
hooks and the file system monitor are off, the work tree is ours to name, no protocol is allowed
(a partial clone fetches what it lacks), nothing of the caller's ``GIT_*`` leaks in but where the
user's own configuration lies. Only a command that is given a ``Remote`` reaches one. Clean filters run whenever git compares contents, so commands that
may do so (``status``, ``diff-files``, ``ls-files -m``, ``blame`` without a revision) are only for
repositories without filters of their own (``GitRepo.names_filters``).
"""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from codeintel_rev.errors import CodeIntelError, DeadlineExceeded, NotARepository, Unavailable

if TYPE_CHECKING:
    from pathlib import Path

TIMEOUT_S = 60.0

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
_CREDENTIALS = frozenset({"credential.helper="})
"""Kept from git but when it reaches another repository: then the user's own helper may answer."""
_SAFE_ENVIRONMENT = {
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
_KEPT_VARIABLES = frozenset({"GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"})
_DROPPED_VARIABLES = frozenset({"SSH_ASKPASS", "PAGER", "EDITOR", "VISUAL", "LANGUAGE"})


class Remote(NamedTuple):
    """How a command may reach another repository; without it none is reached."""

    scheme: str
    """The only protocol."""
    settings: tuple[str, ...] = ()
    ssh_command: str = "ssh -oBatchMode=yes"


def run(
    root: Path,
    *args: str,
    git_dir: Path | None = None,
    remote: Remote | None = None,
    timeout_s: float = TIMEOUT_S,
) -> bytes:
    """Run one git command at ``root``, the top of a work tree, and return its output.

    With ``git_dir`` it is asked about that repository's objects, and no work tree is touched.

    Raises:
        NotARepository: git refuses the repository, or there is none.
        DeadlineExceeded: it did not end in ``timeout_s``; it was killed.
        Unavailable: git is missing or failed.
    """
    process = start(root, *args, git_dir=git_dir, remote=remote)
    try:
        output, complaint = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        raise DeadlineExceeded(
            f"git {args[0]} in {root} did not end within {timeout_s:g} s",
            hint="check that its disk answers, then try again",
            value=str(root),
        ) from None
    finally:
        stop(process)
    if process.returncode != 0:
        raise _failure(root, args[0], complaint)
    return output


def start(
    root: Path,
    *args: str,
    git_dir: Path | None = None,
    remote: Remote | None = None,
    asks: bool = False,
) -> subprocess.Popen[bytes]:
    """Start one git command at ``root`` and return at once; the caller collects or stops it.

    With ``asks`` the caller writes to its standard input, and what git complains about is dropped:
    nobody would read it, and git would wait for ever.

    Raises:
        NotARepository: there is no folder ``root``.
        Unavailable: git is missing.
    """
    where = f"--work-tree={root}" if git_dir is None else f"--git-dir={git_dir}"
    try:
        return subprocess.Popen(
            ["git", *_flags(remote), where, *args],
            cwd=root,
            env=_safe_environment(root, remote),
            stdin=subprocess.PIPE if asks else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if asks else subprocess.PIPE,
            process_group=0,
        )
    except FileNotFoundError as error:
        if str(error.filename) == str(root):
            raise NotARepository(f"there is no folder {root}", value=str(root)) from error
        raise Unavailable(
            "git was not found on PATH", hint="install git 2.30 or later", value="git"
        ) from None


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a git process and whatever it started, unless it ended by itself; close its pipes."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with suppress(BrokenPipeError):
                stream.close()


def _flags(remote: Remote | None) -> list[str]:
    settings: tuple[str, ...] = _SAFE_CONFIG
    if remote is not None:
        kept = (setting for setting in _SAFE_CONFIG if setting not in _CREDENTIALS)
        settings = (*kept, f"protocol.{remote.scheme}.allow=always", *remote.settings)
    words = (word for setting in settings for word in ("-c", setting))
    return ["--no-optional-locks", "--no-pager", "--no-replace-objects", *words]


def _safe_environment(root: Path, remote: Remote | None) -> dict[str, str]:
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
    safe = {**kept, **_SAFE_ENVIRONMENT, "GIT_CEILING_DIRECTORIES": str(root.parent)}
    if remote is None:
        return safe
    return {**safe, "GIT_ALLOW_PROTOCOL": remote.scheme, "GIT_SSH_COMMAND": remote.ssh_command}


def decode(output: bytes) -> str:
    """Decode what git printed; bytes that are not UTF-8 survive as surrogates."""
    return output.decode("utf-8", "surrogateescape")


def decode_to_show(output: bytes) -> str:
    """Decode what git printed and nobody hands back to it; what is not UTF-8 becomes a sign."""
    return output.decode("utf-8", "replace")


def split_paths(output: bytes) -> list[str]:
    """Split the output of a ``-z`` command."""
    return decode(output).split("\0")[:-1]


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
