"""Which snapshots of a repository one run of ``index`` takes, follows and forgets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from codeintel_rev.app.places import Place
from codeintel_rev.app.snapshot_choice import label, named
from codeintel_rev.errors import InvalidArgument, NotARepository, NotFound
from codeintel_rev.io.git_objects import GitObjects, ResolvedRef
from codeintel_rev.io.git_worktrees import is_worktree, worktree_roots
from codeintel_rev.io.journal import Snapshot


class Request(NamedTuple):
    """What a run was asked for."""

    refs: Sequence[str] = ()
    drop_refs: Sequence[str] = ()
    all_worktrees: bool = False
    full: bool = False


class Plan(NamedTuple):
    """What a run does."""

    trees: dict[str, Path]
    """Folders of the work trees to read, by the name of their snapshot."""
    commits: list[ResolvedRef]
    """Refs to read through git."""
    dropped: list[str]
    """Snapshots to forget."""


def make_plan(place: Place, held: Sequence[Snapshot], request: Request) -> Plan:
    """Decide what to do with a repository of which the snapshots ``held`` are there.

    Without named refs the work tree is read and everything held is followed; a work tree that is
    gone is forgotten, a ref that is gone stays as it was last seen.

    Raises:
        NotFound: a ref to take or to forget does not exist.
        InvalidArgument: refs or work trees are asked of a folder that has none.
        NotARepository: a bare repository has no commit yet.
    """
    if place.git_dir is None:
        _require_no_git(place, request)
    dropped = [ref for name in request.drop_refs for ref in _matching(held, name)]
    if request.drop_refs and not (request.refs or request.all_worktrees or request.full):
        return Plan({}, [], dropped)
    trees, gone = _trees(place, held, request)
    return Plan(trees, _commits(place, held, request, dropped), [*dropped, *gone])


def _matching(held: Sequence[Snapshot], name: str) -> list[str]:
    found = named(held, name)
    if not found:
        raise NotFound(
            f"no snapshot of {name!r} is held",
            hint=f"held are: {', '.join(map(label, held)) or 'none'}",
            value=name,
        )
    return [snapshot.ref for snapshot in found]


def _require_no_git(place: Place, request: Request) -> None:
    if request.refs or request.all_worktrees:
        raise InvalidArgument(
            f"{place.root} is not the root of a git repository, so it has no refs",
            hint="name the root of the repository",
            value=str(place.root),
        )


def _trees(
    place: Place, held: Sequence[Snapshot], request: Request
) -> tuple[dict[str, Path], list[str]]:
    """Return the work trees to read, and the held ones that are gone."""
    held_trees = [s.ref for s in held if is_worktree(s.ref)]
    if request.refs and not request.all_worktrees and not request.full:
        return {}, []
    trees = {} if request.refs and not request.all_worktrees else _own(place)
    if place.git_dir is None:
        return trees, []
    roots = _own(place) | worktree_roots(place.git_dir)
    if request.all_worktrees:
        trees |= roots
    return (
        trees | {ref: roots[ref] for ref in held_trees if ref in roots},
        [ref for ref in held_trees if ref not in roots],
    )


def _own(place: Place) -> dict[str, Path]:
    return {} if place.worktree is None else {place.worktree: place.root}


def _commits(
    place: Place, held: Sequence[Snapshot], request: Request, dropped: Sequence[str]
) -> list[ResolvedRef]:
    if place.git_dir is None:
        return []
    objects = GitObjects(place.git_dir)
    commits = [objects.resolve(name) for name in request.refs]
    if not request.refs or request.full:
        commits += _followed(objects, held, dropped, full=request.full)
    if not commits and place.worktree is None and not request.all_worktrees:
        commits = [_default_branch(place, objects)]
    return list({commit.name: commit for commit in reversed(commits)}.values())[::-1]


def _followed(
    objects: GitObjects, held: Sequence[Snapshot], dropped: Sequence[str], *, full: bool
) -> list[ResolvedRef]:
    """Return where the held refs stand now; with ``full`` those that are gone as they stood."""
    found = []
    for snapshot in held:
        if is_worktree(snapshot.ref) or snapshot.ref in dropped:
            continue
        for name in (snapshot.ref, snapshot.commit or "") if full else (snapshot.ref,):
            try:
                found.append(ResolvedRef(snapshot.ref, objects.resolve(name).commit))
                break
            except NotFound:
                continue
    return found


def _default_branch(place: Place, objects: GitObjects) -> ResolvedRef:
    branch = objects.default_branch()
    if branch is None:
        raise NotARepository(
            f"the branch that HEAD of {place.root} names has no commit",
            hint="name a branch, tag or commit with --ref",
            value=str(place.root),
        )
    return branch
