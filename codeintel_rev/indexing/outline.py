"""The outline of a parsed file: where cuts may fall, and which definitions it holds.

Containers (modules, classes, namespaces) are read child by child. A function that fits in a chunk
is never entered; what is larger is entered level by level, the way cAST (Zhang et al., 2025)
splits, so that a cut falls between statements and as high in the tree as possible.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from msgspec.structs import replace
from tree_sitter import Node

from codeintel_rev.indexing.docs import first_sentence
from codeintel_rev.indexing.grammars.grammar import Found, Grammar, text_of
from codeintel_rev.indexing.lead import COMMENTS, Lead
from codeintel_rev.indexing.lines import Lines
from codeintel_rev.indexing.node_docs import definition_doc
from codeintel_rev.indexing.pieces import ChunkSize, Definition, Unit
from codeintel_rev.types import Symbol

MAX_DEPTH: Final = 60
"""Nodes below this level are cut by lines alone, which bounds the recursion."""

_FUNCTIONS: Final = frozenset(("function", "method", "macro"))
_GROUPS: Final = frozenset(("block", "module"))
_MINOR: Final = frozenset(("constant", "enum_member", "type", "macro", "property"))


class _Sibling(NamedTuple):
    """One node of a row of siblings."""

    node: Node
    inner: Node
    """The node itself, or the definition that it wraps."""
    found: Found | None
    opens: bool
    """Whether its children follow in its place."""
    level: int
    """How many opened nodes it stands in."""


class _Clause(NamedTuple):
    """A definition that the next sibling goes on with, if it has the same name."""

    name: bytes | None
    definition: Definition
    symbol: int
    """Where it stands among the symbols."""


class Outliner:
    """Walks one syntax tree and collects ``units`` and ``symbols`` in order."""

    def __init__(self, grammar: Grammar, lines: Lines, size: ChunkSize) -> None:
        owner = Definition("", "block")
        self.units = [Unit(0, owner, owner)]
        self.symbols: list[Symbol] = []
        self._grammar = grammar
        self._lines = lines
        self._size = size
        self._leads = grammar.leads | COMMENTS
        self._constants: set[str] = set()

    def outline(self, root: Node) -> None:
        """Collect the whole tree."""
        self._visit(root, self.units[0].owner, 0)

    def _visit(self, parent: Node, owner: Definition, depth: int) -> None:
        """Collect the children of ``parent``, which belong to ``owner``."""
        lead = Lead()
        last_end = -1
        clause: _Clause | None = None
        for sibling in self._siblings(parent, owner):
            row, end = sibling.node.start_point[0], _last_row(sibling.node)
            if lead.row is not None and not lead.reaches(row):
                self._cut(lead.row, owner, depth)
                lead.clear()
            if sibling.inner.type in self._leads:
                if row > last_end:
                    lead.take(sibling.inner, row, end)
                continue
            start = row if lead.row is None else lead.row
            if sibling.opens:
                self._cut(start, owner, depth + sibling.level)
                lead.hold(row)
            else:
                rows = range(start, end + 1)
                found = sibling.found
                if clause and found and clause.name == found.name.text and lead.row is None:
                    self._go_on(clause, sibling, rows, depth)
                else:
                    clause = self._place(sibling, rows, owner, lead.nodes, depth)
                lead.clear()
                last_end = end
        if lead.row is not None:
            self._cut(lead.row, owner, depth)

    def _siblings(self, parent: Node, owner: Definition) -> Iterator[_Sibling]:
        """Yield the children of ``parent``, those of grouping nodes in place."""
        stack = [iter(parent.named_children)]
        while stack:
            for node in stack[-1]:
                inner = self._grammar.unwrap(node)
                found = self._find(inner, owner)
                group = None if found else self._grammar.opened(inner)
                yield _Sibling(node, inner, found, group is not None, len(stack) - 1)
                if group is not None:
                    stack.append(iter(group.named_children))
                    break
            else:
                stack.pop()

    def _find(self, node: Node, owner: Definition) -> Found | None:
        """Return the definition in ``node``, less the variables of functions and classes."""
        found = self._grammar.find(node)
        if found is None or found.kind != "constant" or owner.kind in _GROUPS:
            return found
        if owner.kind in _FUNCTIONS:
            return None
        is_shared = self._grammar.class_constants or text_of(found.name).isupper()
        return found if is_shared else None

    def _place(
        self, sibling: _Sibling, rows: range, owner: Definition, lead: list[Node], depth: int
    ) -> _Clause | None:
        """Collect one node; ``rows`` are its own and its lead's."""
        depth += sibling.level
        weight = self._lines.weight(rows.start, rows.stop)
        is_large = self._is_large(rows)
        found = sibling.found
        if found is None:
            self._cut(rows.start, owner, depth)
            if is_large and depth < MAX_DEPTH:
                self._visit(sibling.inner, owner, depth + 1)
            return None
        clause = self._define(found, sibling.node, owner, lead)
        definition = clause.definition
        is_whole = not is_large and found.kind not in _GROUPS
        if found.kind in _MINOR and weight < self._size.small:
            self._cut(rows.start, owner, depth)
        else:
            self._open(rows.start, definition, owner if is_whole else definition, depth)
        kept = len(self.units)
        has_members = found.body is not None and found.kind not in _FUNCTIONS
        if (is_large or has_members) and depth < MAX_DEPTH:
            self._visit(found.body or sibling.inner, definition, depth + 1)
        if is_whole:
            del self.units[kept:]
        return clause if self._grammar.joins_clauses else None

    def _go_on(self, clause: _Clause, sibling: _Sibling, rows: range, depth: int) -> None:
        """Collect a node that is one more case of the definition before it."""
        depth += sibling.level
        self._cut(rows.start, clause.definition, depth)
        symbol = self.symbols[clause.symbol]
        self.symbols[clause.symbol] = replace(symbol, end_line=rows.stop)
        if self._is_large(rows) and depth < MAX_DEPTH:
            self._visit(sibling.inner, clause.definition, depth + 1)

    def _is_large(self, rows: range) -> bool:
        """Return whether rows are too much for one chunk and can be cut between lines."""
        return self._lines.weight(rows.start, rows.stop) > self._size.limit and len(rows) > 1

    def _define(self, found: Found, node: Node, owner: Definition, lead: list[Node]) -> _Clause:
        """Record the symbol of a definition; what is returned also names its chunks."""
        name = " ".join(text_of(found.name).strip("\"'`").split())
        name = name.replace("::", ".").replace("\\", ".")
        qualname = ".".join(filter(None, (owner.symbol, *found.scope, name)))
        is_method = found.kind == "function" and owner.kind not in _FUNCTIONS | _GROUPS
        kind = "method" if is_method else found.kind
        doc = definition_doc(self._grammar, found, lead)
        if kind != "constant" or qualname not in self._constants:
            row = found.name.start_point[0]
            before = self._lines.data[self._lines.starts[row] : found.name.start_byte]
            self.symbols.append(
                Symbol(
                    name=name,
                    qualname=qualname,
                    kind=kind,
                    start_line=node.start_point[0] + 1,
                    end_line=_last_row(node) + 1,
                    line=row + 1,
                    column=len(before.decode()) + 1,
                    doc=first_sentence(doc),
                )
            )
            self._constants.add(qualname)
        return _Clause(found.name.text, Definition(qualname, kind, doc), len(self.symbols) - 1)

    def _cut(self, row: int, owner: Definition, depth: int) -> None:
        """Allow a cut before ``row``, which belongs to ``owner``."""
        if row > self.units[-1].row:
            self.units.append(Unit(row, owner, owner, depth))

    def _open(self, row: int, definition: Definition, family: Definition, depth: int) -> None:
        """Start a definition at ``row``, unless another one has started on that row."""
        unit = Unit(row, definition, family, depth, opening=True)
        last = self.units[-1]
        if row > last.row:
            self.units.append(unit)
        elif row == last.row and not last.opening:
            self.units[-1] = unit


def _last_row(node: Node) -> int:
    """Return the last row on which a node has text; some nodes include their line feed."""
    row, column = node.end_point
    return row - 1 if column == 0 and row > node.start_point[0] else row
