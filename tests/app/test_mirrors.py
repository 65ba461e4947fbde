"""Repositories named by their address, fetched from this machine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.app.local import open_index
from codeintel_rev.config.settings import Settings, load_settings
from codeintel_rev.errors import InvalidArgument, Unavailable

from .conftest import Git, commit, write


def settings_for(tmp_path: Path, schemes: str) -> Settings:
    return load_settings(
        {
            "MIRROR_SCHEMES": schemes,
            "MIRROR_ALLOW_PRIVATE_HOSTS": "true",
            "XDG_DATA_HOME": str(tmp_path / "home"),
        }
    )


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files; a path under /elsewhere/ is a redirect."""

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        if self.path.startswith("/elsewhere/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/elsewhere"))
            self.end_headers()
        else:
            super().do_GET()


@pytest.fixture
def server(history: Path, tmp_path: Path, git: Git) -> Iterator[str]:
    """A web server of the bare repository ``shop.git``; yields its address."""
    folder = tmp_path / "web"
    folder.mkdir()
    git(folder, "clone", "-q", "--bare", str(history), "shop.git")
    git(folder / "shop.git", "update-server-info")
    handler = partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()


def test_a_repository_is_mirrored_and_followed(history: Path, tmp_path: Path, git: Git) -> None:
    settings = settings_for(tmp_path, "file")
    url = f"file://{history}"
    index_repositories([url], refs=["main", "dev"], settings=settings)
    (data,) = (tmp_path / "home" / "codeintel").iterdir()
    write(history, "late.py", "def added_later():\n    return 9\n")
    commit(git, history)
    with open_index(data_dir=data, settings=settings) as index:
        hit = index.search("start_server").hits[0]
        assert (hit.repo, hit.ref, hit.stale) == ("shop", "main", False)
    report = index_repositories([url], settings=settings)
    assert report.repos[0]["name"] == "shop"
    with open_index(data_dir=data, settings=settings) as index:
        hit = index.search("added_later").hits[0]
        assert hit.commit == git(history, "rev-parse", "main")
        assert {ref["behind"] for ref in index.status().repos[0]["refs"]} == {0}


def test_a_repository_comes_over_http(server: str, tmp_path: Path) -> None:
    settings = settings_for(tmp_path, "http")
    index_repositories([f"{server}/shop.git"], data_dir=tmp_path / "data", settings=settings)
    with open_index(data_dir=tmp_path / "data", settings=settings) as index:
        assert index.search("start_server").hits[0].uri == "main.py"


def test_a_redirect_is_not_followed(server: str, tmp_path: Path) -> None:
    settings = settings_for(tmp_path, "http")
    url = f"{server}/elsewhere/shop.git"
    with pytest.raises(Unavailable, match="cannot be fetched"):
        index_repositories([url], data_dir=tmp_path / "data", settings=settings)
    assert not list((tmp_path / "data" / "mirrors").glob("*.git"))


def test_this_machine_is_refused_unless_allowed(server: str, tmp_path: Path) -> None:
    settings = load_settings({"MIRROR_SCHEMES": "http https"})
    for url in (f"{server}/shop.git", "https://localhost/shop.git"):
        with pytest.raises(InvalidArgument, match="private network"):
            index_repositories([url], data_dir=tmp_path / "data", settings=settings)


def test_a_file_address_needs_the_setting(history: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgument, match="'file' are not accepted"):
        index_repositories([f"file://{history}"], settings=settings_for(tmp_path, "https"))


def test_a_repository_that_is_not_there_is_told(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, "file")
    with pytest.raises(Unavailable, match="cannot be fetched"):
        index_repositories([f"file://{tmp_path}/nothing.git"], settings=settings)


def test_nothing_of_a_mirrored_repository_runs(history: Path, tmp_path: Path, git: Git) -> None:
    marker = tmp_path / "ran"
    hook = history / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {marker}\n")
    hook.chmod(0o755)
    write(history, ".gitattributes", "*.py filter=trap diff=trap\n")
    for key in ("filter.trap.smudge", "filter.trap.clean", "diff.trap.textconv"):
        git(history, "config", key, f"touch {marker}; cat")
    git(history, "config", "uploadpack.packObjectsHook", f"touch {marker};")
    git(history, "add", ".gitattributes")
    git(history, "commit", "-q", "-m", "trap")
    marker.unlink(missing_ok=True)
    index_repositories([f"file://{history}"], settings=settings_for(tmp_path, "file"))
    index_repositories([history], refs=["main"], data_dir=tmp_path / "data")
    assert not marker.exists()
