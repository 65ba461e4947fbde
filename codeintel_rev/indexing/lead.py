"""What stands before a definition and belongs to it."""

from __future__ import annotations

from typing import Final

from tree_sitter import Node

COMMENTS: Final = frozenset(
    ("comment", "line_comment", "block_comment", "multiline_comment", "haddock", "marginalia")
)
"""Node types of comments in every grammar."""


class Lead:
    """Comments, attributes and decorators that wait for the definition below them."""

    def __init__(self) -> None:
        self.row: int | None = None
        self.nodes: list[Node] = []
        self._reach = -1

    def take(self, node: Node, row: int, end: int) -> None:
        """Add a node that stands on rows ``row`` to ``end``."""
        if self.row is None:
            self.row = row
        self._reach = end + 1
        self.nodes.append(node)

    def reaches(self, row: int) -> bool:
        """Return whether what starts at ``row`` follows without a blank line."""
        return row <= self._reach

    def hold(self, row: int) -> None:
        """Wait for a definition on ``row`` alone, behind the keyword that opens a group."""
        self._reach = row

    def clear(self) -> None:
        """Forget everything."""
        self.row = None
        self.nodes = []
