"""Branches, tags, commits and work trees of one repository in one index."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pytest

from codeintel_rev.app.compaction import compact_data_dir, row_counts
from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.app.local import LocalIndex, open_index
from codeintel_rev.app.refreshing import quiet
from codeintel_rev.errors import InvalidArgument, NotFound, Unavailable
from codeintel_rev.indexing.store import RepositoryFolder
from codeintel_rev.io.registry import Registry
from codeintel_rev.types import Scope, SearchHit, StatusReport

from .conftest import Git, commit, write


def stored(data_dir: Path) -> RepositoryFolder:
    registry = Registry(data_dir)
    try:
        return RepositoryFolder(registry.folder(registry.repositories()[0]))
    finally:
        registry.close()


def reserved_rows(data_dir: Path) -> int:
    return int(stored(data_dir).state()[1]["reserved_rows"])  # type: ignore[call-overload]


def held(data_dir: Path) -> dict[str, str | None]:
    return {snapshot.ref: snapshot.commit for snapshot in stored(data_dir).snapshots()}


def find(index: LocalIndex, query: str, *refs: str) -> list[SearchHit]:
    scope = Scope(branches=list(refs)) if refs else None
    return [hit for hit in index.search(query, scope=scope).hits if query in hit.code]


def status(root: Path) -> StatusReport:
    with open_index(root, refresh=False) as index:
        return index.status()


def test_a_branch_is_read_without_a_checkout(history: Path, git: Git) -> None:
    index_repositories([history], refs=["dev"])
    assert git(history, "status", "--porcelain", "--ignored") == "!! .codeintel/"
    with open_index(history) as index:
        (hit,) = find(index, "experimental_discount")
        assert (hit.ref, hit.commit) == ("dev", git(history, "rev-parse", "dev"))
        assert not hit.stale


def test_what_two_snapshots_share_is_stored_once(history: Path) -> None:
    index_repositories([history])
    before = reserved_rows(history / ".codeintel")
    report = index_repositories([history], refs=["main", "v1"])
    assert reserved_rows(history / ".codeintel") == before
    assert report.lines == 0
    index_repositories([history], refs=["dev"])
    assert reserved_rows(history / ".codeintel") == before + 2


def test_a_search_sees_the_work_tree_unless_it_names_more(history: Path) -> None:
    index_repositories([history], refs=["dev"])
    index_repositories([history])
    with open_index(history) as index:
        assert find(index, "experimental_discount") == []
        assert [h.ref for h in find(index, "start_server")] == ["main"]
        assert [h.ref for h in find(index, "experimental_discount", "dev")] == ["dev"]
        assert find(index, "experimental_discount", "worktree") == []


def test_one_definition_on_two_branches_is_one_hit(history: Path) -> None:
    index_repositories([history], refs=["main", "dev"])
    with open_index(history) as index:
        (same,) = find(index, "parse_order", "main", "dev")
        assert [place["ref"] for place in same.locations] == ["dev"]
        (differing,) = find(index, "total_price", "main", "dev")
        assert {differing.ref, *(p["ref"] for p in differing.locations)} == {"main", "dev"}
        hashes = {differing.content_hash, *(p["content_hash"] for p in differing.locations)}
        assert len(hashes) == 2


def test_tags_and_commits_are_found_by_their_names(history: Path, git: Git) -> None:
    first = git(history, "rev-parse", "v1")
    index_repositories([history], refs=["v1", "HEAD~1", "dev"])
    assert held(history / ".codeintel") == {
        "refs/tags/v1": first,
        first: first,
        "refs/heads/dev": git(history, "rev-parse", "dev"),
    }
    with open_index(history) as index:
        assert [hit.ref for hit in find(index, "parse_order", "v1")] == ["v1"]
        by_commit = index.search("parse_order", scope=Scope(commit=first[:10])).hits
        assert {hit.commit for hit in by_commit} == {first}
        with pytest.raises(NotFound, match="'v2' is not in this index") as caught:
            find(index, "parse_order", "v2")
        assert "--ref v2" in caught.value.hint


def test_a_moved_branch_is_followed_by_the_next_index(history: Path, git: Git) -> None:
    index_repositories([history], refs=["dev"])
    git(history, "checkout", "-q", "dev")
    write(history, "late.py", "def added_later():\n    return 9\n")
    commit(git, history)
    git(history, "checkout", "-q", "main")
    assert status(history).repos[0]["behind"] == 1
    report = index_repositories([history])
    assert held(history / ".codeintel")["refs/heads/dev"] == git(history, "rev-parse", "dev")
    assert report.lines > 0
    assert [ref["behind"] for ref in status(history).repos[0]["refs"]] == [0, 0]


def test_a_rebased_branch_is_followed_and_embeds_only_what_is_new(history: Path, git: Git) -> None:
    index_repositories([history])
    index_repositories([history], refs=["dev"])
    before = reserved_rows(history / ".codeintel")
    write(history, "main.py", "def start_server():\n    return 22\n")
    commit(git, history)
    git(history, "checkout", "-q", "dev")
    git(history, "rebase", "-q", "main")
    git(history, "checkout", "-q", "main")
    index_repositories([history])
    assert reserved_rows(history / ".codeintel") == before + 1
    with open_index(history) as index:
        (hit,) = find(index, "start_server", "dev")
        assert "return 22" in hit.code


def test_a_dropped_ref_is_gone_from_searches(history: Path) -> None:
    index_repositories([history])
    index_repositories([history], refs=["dev"])
    index_repositories([history], drop_refs=["dev"])
    assert list(held(history / ".codeintel")) == ["worktree"]
    with open_index(history) as index, pytest.raises(NotFound):
        find(index, "experimental_discount", "dev")
    with pytest.raises(NotFound, match="no snapshot of 'dev'"):
        index_repositories([history], drop_refs=["dev"])


def test_a_dropped_ref_is_freed_by_the_next_compaction(history: Path) -> None:
    data = history / ".codeintel"
    index_repositories([history])
    before = row_counts(stored(data)).stored
    index_repositories([history], refs=["dev"])
    assert row_counts(stored(data)).stored == before + 2
    index_repositories([history], drop_refs=["dev"])
    compact_data_dir(data, progress=quiet)
    assert row_counts(stored(data)).stored == before
    index_repositories([history], refs=["dev"])
    with open_index(history) as index:
        assert find(index, "experimental_discount", "dev")
        assert find(index, "parse_order", "dev")


def test_compaction_keeps_what_any_snapshot_holds(history: Path) -> None:
    data = history / ".codeintel"
    index_repositories([history])
    index_repositories([history], refs=["dev", "v1"])
    compact_data_dir(data, progress=quiet)
    with open_index(history, refresh=False) as index:
        for ref, query in (("dev", "experimental_discount"), ("v1", "total_price")):
            (hit,) = find(index, query, ref)
            assert hit.ref == ref
        (both,) = find(index, "total_price", "worktree", "dev")
        assert both.locations


def test_a_branch_that_is_gone_stays_as_it_was_last_seen(history: Path, git: Git) -> None:
    index_repositories([history], refs=["dev"])
    git(history, "branch", "-q", "-D", "dev")
    index_repositories([history])
    with open_index(history) as index:
        assert find(index, "experimental_discount", "dev")
        gone = next(r for r in index.status().repos[0]["refs"] if r["ref"] == "dev")
    assert gone["behind"] is None


def test_building_anew_keeps_every_snapshot(history: Path, git: Git) -> None:
    index_repositories([history])
    index_repositories([history], refs=["dev", "v1"])
    before = held(history / ".codeintel")
    index_repositories([history], full=True)
    assert held(history / ".codeintel") == before


def test_unknown_and_hostile_names_are_refused(history: Path) -> None:
    for name in ("nowhere", "--output=x", "a b", "main\n", "refs/heads/*", "", "dev@{u}:x"):
        with pytest.raises(NotFound, match="there is no branch, tag or commit"):
            index_repositories([history], refs=[name])


def test_a_name_that_is_mistyped_leaves_no_repository(
    history: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data_dir = tmp_path_factory.mktemp("dd")
    for full in (False, True):
        with pytest.raises(NotFound, match="no branch, tag or commit"):
            index_repositories([history], refs=["typo"], data_dir=data_dir, full=full)
    with closing(Registry(data_dir)) as registry:
        assert registry.repositories() == []


def test_a_part_of_a_repository_has_no_refs(history: Path) -> None:
    write(history, "lib/a.py", "def inner():\n    return 1\n")
    with pytest.raises(InvalidArgument, match="has no refs"):
        index_repositories([history / "lib"], refs=["main"])
    index_repositories([history / "lib"])


def test_the_rules_for_skipped_files_hold_in_commits(history: Path, git: Git) -> None:
    write(history, ".codeintelignore", "private/\n")
    write(history, "private/a.py", "def hidden_thing():\n    return 1\n")
    write(history, "logo.dat", "x")
    (history / "logo.txt").write_bytes(b"\0\1\2" * 100)
    (history / "link.py").symlink_to("cart.py")
    write(history, ".env", "KEY=1\n")
    commit(git, history)
    tree = index_repositories([history])
    assert index_repositories([history], refs=["main"]).skipped == tree.skipped
    with open_index(history, refresh=False) as index:
        assert find(index, "hidden_thing", "main") == []


def test_a_second_look_at_a_ref_reads_nothing(history: Path) -> None:
    index_repositories([history], refs=["dev"])
    sequence = stored(history / ".codeintel").state("refs/heads/dev")[1]["sequence"]
    again = index_repositories([history], refs=["dev"])
    assert again.repos[0]["sequence"] == sequence
    assert (again.added, again.changed, again.removed) == (0, 0, 0)


def test_work_trees_are_snapshots_of_one_repository(
    history: Path, tmp_path: Path, git: Git
) -> None:
    git(history, "worktree", "add", "-q", str(tmp_path / "side"), "dev")
    data = tmp_path / "data"
    index_repositories([history], data_dir=data)
    index_repositories([tmp_path / "side"], data_dir=data)
    assert set(held(data)) == {"worktree", "worktree:side"}
    write(tmp_path / "side", "fresh.py", "def edited_in_side_tree():\n    return 1\n")
    with open_index(history, data_dir=data) as index:
        assert [r.name for r in index.repositories] == ["shop"]
        assert find(index, "edited_in_side_tree", "dev")
        assert find(index, "start_server")[0].ref == "main"
    with open_index(tmp_path / "side", data_dir=data) as index:
        assert find(index, "edited_in_side_tree")[0].ref == "dev"
    shutil.rmtree(tmp_path / "side")
    index_repositories([history], data_dir=data)
    assert set(held(data)) == {"worktree"}


def test_all_work_trees_are_indexed_at_once(history: Path, tmp_path: Path, git: Git) -> None:
    git(history, "worktree", "add", "-q", str(tmp_path / "side"), "dev")
    index_repositories([history], all_worktrees=True)
    assert set(held(history / ".codeintel")) == {"worktree", "worktree:side"}


def test_a_work_tree_that_points_elsewhere_is_not_followed(history: Path, tmp_path: Path) -> None:
    write(tmp_path / "secret", "keys.py", "def master_key():\n    return 1\n")
    admin = history / ".git" / "worktrees" / "trap"
    admin.mkdir(parents=True)
    (admin / "gitdir").write_text(f"{tmp_path / 'secret' / '.git'}\n")
    index_repositories([history], all_worktrees=True)
    assert set(held(history / ".codeintel")) == {"worktree"}


def test_a_detached_head_is_shown_by_its_commit(history: Path, git: Git) -> None:
    git(history, "checkout", "-q", "--detach", "v1")
    with open_index(history) as index:
        (hit,) = find(index, "parse_order")
    assert (hit.ref, hit.commit) == ("worktree", git(history, "rev-parse", "v1"))


def test_a_bare_repository_shows_its_default_branch(
    history: Path, tmp_path: Path, git: Git
) -> None:
    git(tmp_path, "clone", "-q", "--bare", str(history), "app.git")
    data = tmp_path / "data"
    report = index_repositories([tmp_path / "app.git"], data_dir=data)
    assert report.repos[0]["name"] == "app"
    index_repositories([tmp_path / "app.git"], refs=["dev"], data_dir=data)
    with open_index(data_dir=data) as index:
        assert find(index, "start_server")[0].ref == "main"
        assert find(index, "experimental_discount") == []


def test_a_shallow_clone_is_indexed_and_does_not_guess(
    history: Path, tmp_path: Path, git: Git
) -> None:
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{history}", "near")
    near = tmp_path / "near"
    index_repositories([near], refs=["main"])
    write(history, "more.py", "def more():\n    return 1\n")
    commit(git, history)
    git(near, "fetch", "-q", "--depth", "1", "origin", "main")
    git(near, "reset", "-q", "--hard", "FETCH_HEAD")
    assert index_repositories([near]).added > 0
    with open_index(near) as index:
        assert find(index, "def more")


def test_a_partial_clone_says_what_it_lacks(history: Path, tmp_path: Path, git: Git) -> None:
    git(history, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "-q", "--filter=blob:none", f"file://{history}", "part")
    index_repositories([tmp_path / "part"], refs=["main"])
    with pytest.raises(Unavailable, match="not all files of commit"):
        index_repositories([tmp_path / "part"], refs=["origin/dev"])


def test_a_submodule_is_a_repository_of_its_own(history: Path, tmp_path: Path, git: Git) -> None:
    git(tmp_path, "init", "-q", "-b", "main", "lib")
    write(tmp_path / "lib", "lib.py", "def from_the_library():\n    return 1\n")
    commit(git, tmp_path / "lib")
    source = str(tmp_path / "lib")
    git(history, "-c", "protocol.file.allow=always", "submodule", "add", "-q", source, "deps/lib")
    commit(git, history)
    index_repositories([history], refs=["main"])
    with open_index(history, refresh=False) as index:
        assert find(index, "from_the_library", "main") == []
        assert index.status().skipped["submodule"] == 1
    data = tmp_path / "data"
    index_repositories([history, history / "deps" / "lib"], data_dir=data)
    with open_index(data_dir=data) as index:
        assert [r.name for r in index.repositories] == ["lib", "shop"]


def test_a_folder_that_becomes_a_repository_stays_the_same_one(tmp_path: Path, git: Git) -> None:
    root = tmp_path / "plain"
    write(root, "a.py", "def plain_thing():\n    return 1\n")
    index_repositories([root])
    git(tmp_path, "init", "-q", "-b", "main", "plain")
    commit(git, root)
    index_repositories([root], refs=["main"])
    assert set(held(root / ".codeintel")) == {"worktree", "refs/heads/main"}


def test_a_repository_that_was_moved_with_its_index_is_found(history: Path, tmp_path: Path) -> None:
    index_repositories([history])
    moved = history.rename(tmp_path / "store")
    with open_index(moved) as index:
        assert find(index, "parse_order")[0].repo == "shop"


def test_one_lost_repository_leaves_the_others_searchable(history: Path, tmp_path: Path) -> None:
    write(tmp_path / "other", "b.py", "def in_the_other():\n    return 1\n")
    data = tmp_path / "data"
    index_repositories([history, tmp_path / "other"], data_dir=data)
    shutil.rmtree(history)
    with open_index(tmp_path / "other", data_dir=data) as index:
        found = index.search("in_the_other")
    assert found.limits == ("stale_index",)
    assert found.hits[0].repo == "other"


def test_an_edited_file_does_not_claim_a_commit(history: Path, git: Git) -> None:
    write(history, "new.py", "def brand_new():\n    return 1\n")
    write(history, "main.py", "def start_server():\n    return 'edited'\n")
    with open_index(history) as index:
        assert find(index, "brand_new")[0].commit is None
        assert find(index, "start_server")[0].commit is None
        assert find(index, "parse_order")[0].commit == git(history, "rev-parse", "HEAD")


def test_status_counts_files_edited_since(history: Path) -> None:
    index_repositories([history])
    write(history, "cart.py", "def total_price(items):\n    return max(items)\n")
    write(history, "new.py", "def brand_new():\n    return 1\n")
    (history / "main.py").unlink()
    (own,) = status(history).repos[0]["refs"]
    assert (own["behind"], own["changed_files"]) == (0, 3)


def test_a_branch_switch_there_and_back_embeds_nothing_anew(history: Path, git: Git) -> None:
    index_repositories([history])
    git(history, "checkout", "-q", "dev")
    index_repositories([history])
    before = reserved_rows(history / ".codeintel")
    for branch in ("main", "dev", "main"):
        git(history, "checkout", "-q", branch)
        assert index_repositories([history]).lines == 0
    assert reserved_rows(history / ".codeintel") == before


def test_a_staged_edit_does_not_claim_the_commit_until_it_is_committed(
    history: Path, git: Git
) -> None:
    index_repositories([history])
    write(history, "cart.py", "def total_price(items):\n    return 0\n")
    write(history, "new.py", "def brand_new():\n    return 1\n")
    git(history, "add", "-A")
    for _ in range(2):  # looked at as a whole, and by what git calls changed
        with open_index(history) as index:
            assert find(index, "total_price")[0].commit is None
            assert find(index, "brand_new")[0].commit is None
            assert find(index, "parse_order")[0].commit == git(history, "rev-parse", "HEAD")
    git(history, "commit", "-q", "--no-verify", "-m", "staged")
    with open_index(history) as index:
        assert find(index, "total_price")[0].commit == git(history, "rev-parse", "HEAD")
    git(history, "reset", "-q", "--soft", "HEAD~1")
    with open_index(history) as index:
        assert find(index, "total_price")[0].commit is None
