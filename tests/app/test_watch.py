"""An index that follows edits by itself, in this process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import pytest

import codeintel_rev
from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.app.local import LocalIndex
from codeintel_rev.app.watch import Update, Watched, Watcher
from codeintel_rev.config.settings import Settings, WatchConfig
from codeintel_rev.errors import Busy, CodeIntelError
from codeintel_rev.io import lease

PATIENCE_S = 30.0


def eventually(holds: Callable[[], bool]) -> bool:
    """Wait until something holds, as long as a slow machine may need."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def finds(index: LocalIndex, name: str) -> bool:
    return any(name in hit.symbol for hit in index.search(name).hits)


def git(root: Path, *args: str) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    subprocess.run(["git", *identity, *args], cwd=root, check=True, capture_output=True)


@pytest.fixture(params=["git", "plain"])
def repo(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    root = tmp_path / "shop"
    (root / "src").mkdir(parents=True)
    (root / "src" / "basket.py").write_text("def add_to_basket(item):\n    return item\n")
    (root / "src" / "price.py").write_text("def price_of(item):\n    return 1\n")
    if request.param == "git":
        (root / ".gitignore").write_text("build/\n")
        git(root, "init", "-q", "-b", "main")
        git(root, "add", "-A")
        git(root, "commit", "-q", "-m", "start")
    return root


def test_edits_are_searchable_without_another_call(repo: Path) -> None:
    with codeintel_rev.open(repo, watch=True) as index:
        (repo / "src" / "basket.py").write_text("def empty_the_basket():\n    return None\n")
        assert eventually(lambda: finds(index, "empty_the_basket"))
        assert not finds(index, "add_to_basket")


def test_new_folders_renames_and_deletes_are_followed(repo: Path) -> None:
    with codeintel_rev.open(repo, watch=True) as index:
        (repo / "lib" / "deep").mkdir(parents=True)
        (repo / "lib" / "deep" / "tax.py").write_text("def value_added_tax():\n    return 19\n")
        assert eventually(lambda: finds(index, "value_added_tax"))
        (repo / "lib").rename(repo / "core")
        assert eventually(
            lambda: (
                [hit.uri for hit in index.search("value_added_tax").hits if hit.symbol][:1]
                == ["core/deep/tax.py"]
            )
        )
        (repo / "src" / "price.py").unlink()
        assert eventually(lambda: not finds(index, "price_of"))


def test_ignored_files_stay_out(tmp_path: Path) -> None:
    root = tmp_path / "web"
    root.mkdir()
    (root / ".gitignore").write_text("build/\n")
    (root / "app.py").write_text("def render():\n    return 1\n")
    git(root, "init", "-q")
    with codeintel_rev.open(root, watch=True) as index:
        (root / "build").mkdir()
        (root / "build" / "out.py").write_text("def made_by_the_build():\n    return 1\n")
        (root / "view.py").write_text("def seen_by_the_watcher():\n    return 1\n")
        assert eventually(lambda: finds(index, "seen_by_the_watcher"))
        assert not finds(index, "made_by_the_build")
        (root / ".gitignore").write_text("build/\nview.py\n")
        assert eventually(lambda: not finds(index, "seen_by_the_watcher"))


def test_another_branch_is_followed(tmp_path: Path) -> None:
    root = tmp_path / "web"
    root.mkdir()
    (root / "app.py").write_text("def render():\n    return 1\n")
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "one")
    git(root, "checkout", "-q", "-b", "topic")
    (root / "app.py").write_text("def render_the_topic():\n    return 2\n")
    git(root, "commit", "-q", "-a", "-m", "two")
    with codeintel_rev.open(root, watch=True) as index:
        assert finds(index, "render_the_topic")
        git(root, "checkout", "-q", "main")
        assert eventually(lambda: not finds(index, "render_the_topic"))
        assert eventually(lambda: index.status().repos[0]["ref"] == "main")


def test_polling_sees_the_same(repo: Path) -> None:
    settings = replace(Settings(), watch=WatchConfig(poll=True, poll_ms=20))
    with codeintel_rev.open(repo) as opened, LocalIndex(opened.data_dir, settings) as index:
        index.watch()
        (repo / "src" / "price.py").write_text("def price_with_discount():\n    return 2\n")
        assert eventually(lambda: finds(index, "price_with_discount"))


def test_without_watches_to_give_the_tree_is_polled(tmp_path: Path) -> None:
    ask = (
        "import resource, sys, threading\n"
        "from pathlib import Path\n"
        "from codeintel_rev.app.file_events import batches\n"
        "from codeintel_rev.config.settings import WatchConfig\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))\n"
        "found = batches([Path(sys.argv[1])], WatchConfig(poll_ms=1), threading.Event())\n"
        "assert [next(found), next(found), next(found)] == [None, None, None]\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", ask, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "no file events" in done.stderr


def test_one_watcher_an_index_is_enough(repo: Path) -> None:
    index_repositories([repo])
    data_dir = repo / ".codeintel"
    first = Watcher(data_dir, Settings())
    with pytest.raises(Busy, match=f"watched by process {os.getpid()}"):
        Watcher(data_dir, Settings())
    with codeintel_rev.open(repo, watch=True) as index:
        assert index.search("price").hits
    first.close()
    Watcher(data_dir, Settings()).close()
    assert not any(lease.is_held(path) for path in data_dir.glob("repos/*/locks/refresher"))


def test_a_watcher_lives_through_a_rebuild_and_through_failures(repo: Path) -> None:
    index_repositories([repo])
    data_dir = repo / ".codeintel"
    watcher = Watcher(data_dir, Settings())
    stop = Event()
    updates: list[Update] = []
    problems: list[CodeIntelError] = []

    def on_problem(name: str, error: CodeIntelError) -> None:
        problems.append(error)

    thread = Thread(target=watcher.run, args=(stop, updates.append, on_problem))
    thread.start()
    try:
        (repo / "src" / "price.py").write_text("def first_price():\n    return 2\n")
        assert eventually(lambda: len(updates) >= 1)
        index_repositories([repo], full=True)
        (repo / "src" / "price.py").write_text("def second_price():\n    return 2\n")
        with codeintel_rev.open(repo) as index:
            assert finds(index, "second_price")
        assert eventually(
            lambda: (
                [lease.is_held(path) for path in data_dir.glob("repos/*/locks/refresher")] == [True]
            )
        )
        kept = repo.with_name("elsewhere")
        repo.rename(kept)
        assert eventually(lambda: len(problems) == 1)
        kept.rename(repo)
    finally:
        stop.set()
        thread.join()
        watcher.close()


def test_what_failed_is_tried_again_without_another_edit(tmp_path: Path) -> None:
    root, data_dir = tmp_path / "shop", tmp_path / "data"
    root.mkdir()
    (root / "price.py").write_text("def price():\n    return 1\n")
    index_repositories([root], data_dir=data_dir)
    watcher = Watcher(data_dir, Settings())
    stop, told = Event(), Event()
    updates: list[Update] = []
    thread = Thread(target=watcher.run, args=(stop, updates.append, lambda *_: told.set()))
    thread.start()
    try:
        (root / "price.py").write_text("def lower_price():\n    return 0\n")
        assert eventually(lambda: len(updates) == 1)
        (folder,) = (data_dir / "repos").iterdir()
        away = folder.rename(tmp_path / "away")
        (root / "price.py").write_text("def no_price():\n    return None\n")
        assert told.wait(PATIENCE_S)
        away.rename(folder)
        assert eventually(lambda: len(updates) == 2)
    finally:
        stop.set()
        thread.join()
        watcher.close()


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        (["/r/a.py", "/r/b/c.py"], {"a.py", "b/c.py"}),
        (["/r/.codeintel/registry.sqlite", "/elsewhere/x.py"], set()),
        (["/r/.git/objects/aa", "/r/sub/.git/index"], set()),
        (["/r/a.py", "/r/.git/HEAD"], None),
        (["/r/.git/logs/HEAD"], None),
        (["/r"], None),
        (["/r/.gitignore"], {".gitignore"}),
    ],
)
def test_only_events_of_the_tree_matter(events: list[str], expected: set[str] | None) -> None:
    root = Path("/r")
    head = frozenset({root / ".git/HEAD", root / ".git/index", root / ".git/logs/HEAD"})
    watched = Watched("r", root, root / ".codeintel", head)
    assert watched.paths(map(Path, events)) == expected
    assert watched.folders == {root}
