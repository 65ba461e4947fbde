"""Bare mirrors of repositories elsewhere, below the data directory."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

from codeintel_rev.errors import NotFound, Unavailable
from codeintel_rev.io import file_lock, git_process
from codeintel_rev.io.git_address import Address
from codeintel_rev.io.git_process import Remote, decode

_REFSPECS = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
_HEAD_LINE = re.compile(r"^ref: (refs/heads/[^\x00-\x20]+)\tHEAD$", re.MULTILINE)
_USUAL_BRANCHES = ("refs/heads/main", "refs/heads/master")


def update_mirror(
    data_dir: Path,
    address: Address,
    ip: str | None,
    *,
    timeout_s: float,
    on_wait: Callable[[str], None] | None = None,
) -> Path:
    """Fetch every branch and tag with its whole history; returns the bare repository.

    Only ``ip`` is connected to, where it is given. Redirects are not followed, submodules are not fetched, and nothing of it is checked out.

    Raises:
        Unavailable: the repository cannot be fetched.
        DeadlineExceeded: it took longer than ``timeout_s``.
    """
    remote = _remote(address, ip)
    folder = data_dir / "mirrors" / f"{address.name}-{address.digest}.git"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with file_lock.hold(folder.with_suffix(".lock"), on_wait=on_wait):
        if folder.exists():
            _fetch(folder, address, remote, timeout_s)
            return folder
        fresh = folder.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        try:
            git_process.run(
                folder.parent, "init", "--quiet", "--bare", "--template=", git_dir=fresh
            )
            _fetch(fresh, address, remote, timeout_s)
            fresh.rename(folder)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise
    return folder


def _remote(address: Address, ip: str | None) -> Remote:
    settings = ["http.followRedirects=false", "transfer.fsckObjects=true", "gc.auto=0"]
    ssh = "ssh -oBatchMode=yes"
    if ip is not None and address.scheme in ("http", "https"):
        bracketed = f"[{ip}]" if ":" in ip else ip
        settings.append(f"http.curloptResolve={address.host}:{address.port}:{bracketed}")
    elif ip is not None:
        ssh = f"{ssh} -oHostname={ip} -oHostKeyAlias={address.host}"
    return Remote(address.scheme, tuple(settings), ssh)


def _fetch(folder: Path, address: Address, remote: Remote, timeout_s: float) -> None:
    options = (
        "--quiet",
        "--prune",
        "--no-tags",
        "--no-recurse-submodules",
        "--no-write-fetch-head",
    )
    try:
        git_process.run(
            folder,
            *("fetch", *options, "--end-of-options", address.url, *_REFSPECS),
            git_dir=folder,
            remote=remote,
            timeout_s=timeout_s,
        )
        listed = git_process.run(
            folder,
            *("ls-remote", "--symref", "--end-of-options", address.url, "HEAD"),
            git_dir=folder,
            remote=remote,
            timeout_s=timeout_s,
        )
    except Unavailable as error:
        raise Unavailable(
            f"{address.url} cannot be fetched: {error.message.rpartition(': ')[2]}",
            hint="check the address, the network and your right to read it",
            value=address.url,
        ) from error
    _set_head(folder, decode(listed))


def _set_head(folder: Path, listed: str) -> None:
    """Let HEAD name the branch that it names there."""
    told = _HEAD_LINE.search(listed)
    refs = decode(
        git_process.run(
            folder, "for-each-ref", "--format=%(refname)", "refs/heads/", git_dir=folder
        )
    ).splitlines()
    wanted = [told[1]] if told else []
    branch = next((name for name in (*wanted, *_USUAL_BRANCHES, *refs[:1]) if name in refs), None)
    if branch is None:
        raise NotFound(
            f"{folder.name} has no branch", hint="push a commit to it first", value=folder.name
        )
    git_process.run(folder, "symbolic-ref", "HEAD", branch, git_dir=folder)
