"""Which snapshots of a repository a search sees (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from codeintel_rev.io.git_objects import short_name
from codeintel_rev.io.git_worktrees import is_worktree
from codeintel_rev.io.journal import Snapshot
from codeintel_rev.types import Scope

_SHORTEST_COMMIT = 7
"""Fewer digits are more likely the name of a branch than of a commit."""


def names_snapshots(scope: Scope | None) -> bool:
    """Return whether a scope says which snapshots to search."""
    return scope is not None and (scope.branches is not None or scope.commit is not None)


def choose(held: Sequence[Snapshot], default_ref: str, scope: Scope | None) -> list[Snapshot]:
    """Return the snapshots that ``scope`` names, else the default one or, without it, the first."""
    if scope is None or not names_snapshots(scope):
        usual = [snapshot for snapshot in held if snapshot.ref == default_ref]
        return usual or list(held[:1])
    found = held
    if scope.branches is not None:
        by_name = [s for branch in scope.branches for s in named(held, branch)]
        found = list({snapshot.id: snapshot for snapshot in by_name}.values())
    if scope.commit is not None:
        at = [s for s in found if (s.commit or "").startswith(scope.commit)]
        # an edited work tree does not hold what its commit does
        found = [s for s in at if not is_worktree(s.ref)] or at
    return list(found)


def named(snapshots: Iterable[Snapshot], name: str) -> list[Snapshot]:
    """Return the snapshots that a person means by ``name``, those of the first kind that fits.

    The name of a ref in full or short comes first, then the branch checked out in a work tree,
    then the first digits of a commit.
    """
    held = list(snapshots)
    kinds = (
        [s for s in held if name in (s.ref, short_name(s.ref))],
        [s for s in held if is_worktree(s.ref) and s.branch == name],
        [s for s in held if len(name) >= _SHORTEST_COMMIT and (s.commit or "").startswith(name)],
    )
    return next((found for found in kinds if found), [])


def label(snapshot: Snapshot) -> str:
    """Return what people call a snapshot: the branch it is of, else its own name."""
    return snapshot.branch or short_name(snapshot.ref)
