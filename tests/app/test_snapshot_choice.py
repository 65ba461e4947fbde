"""What people mean by the name of a ref."""

from __future__ import annotations

import pytest

from codeintel_rev.app.snapshot_choice import choose, label, named
from codeintel_rev.io.journal import Snapshot
from codeintel_rev.types import Scope

A, B = "a" * 40, "b" * 40
TREE = Snapshot(1, "worktree", "topic", A)
MAIN = Snapshot(2, "refs/heads/main", "main", A)
TAG = Snapshot(3, "refs/tags/v1", "v1", B)
SIDE = Snapshot(4, "worktree:side", "main", B)
COMMIT = Snapshot(5, B, B, B)
HELD = [TREE, MAIN, TAG, SIDE, COMMIT]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("worktree", [TREE]),
        ("worktree:side", [SIDE]),
        ("main", [MAIN]),
        ("refs/heads/main", [MAIN]),
        ("topic", [TREE]),
        ("v1", [TAG]),
        (B, [COMMIT]),
        ("b" * 7, [TAG, SIDE, COMMIT]),
        ("b" * 6, []),
        ("dev", []),
    ],
)
def test_a_name_means_the_first_kind_that_fits(name: str, found: list[Snapshot]) -> None:
    assert named(HELD, name) == found


def test_without_a_name_it_is_the_default_or_else_the_first() -> None:
    assert choose(HELD, "refs/tags/v1", None) == [TAG]
    assert choose(HELD, "refs/heads/gone", Scope(languages=["go"])) == [TREE]
    assert choose([], "worktree", None) == []


def test_a_commit_prefers_what_holds_exactly_its_files() -> None:
    assert choose(HELD, "worktree", Scope(commit=A[:12])) == [MAIN]
    assert choose([TREE], "worktree", Scope(commit=A[:12])) == [TREE]
    assert choose(HELD, "worktree", Scope(branches=["v1", "main"], commit=B)) == [TAG]


def test_several_names_are_searched_together_in_their_order() -> None:
    assert choose(HELD, "worktree", Scope(branches=["v1", "main", "v1"])) == [TAG, MAIN]


def test_a_snapshot_is_called_by_its_branch_or_short_name() -> None:
    assert [label(s) for s in (TREE, MAIN, Snapshot(6, "worktree", None, A))] == [
        "topic",
        "main",
        "worktree",
    ]
