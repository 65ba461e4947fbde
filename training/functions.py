"""Definitions with their documentation, cut from sources: the raw training pairs.

    python -m training.functions SOURCES OUT.jsonl --exclude-repos FILE... --exclude-snippets FILE

One JSON object a line: ``language, package, path, symbol, doc, body``; ``body`` is the
definition's text without its docstring.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import NamedTuple

from tree_sitter import Language, Node, Parser, Query, QueryCursor

from training import exclusions
from training.corpus import source_files
from training.vocabulary import add_arguments

DEFINITIONS = {
    "python": "function_definition class_definition",
    "javascript": "function_declaration method_definition class_declaration variable_declarator",
    "typescript": "function_declaration method_definition class_declaration variable_declarator "
    "interface_declaration method_signature abstract_method_signature",
    "go": "function_declaration method_declaration type_spec",
    "java": "method_declaration class_declaration interface_declaration constructor_declaration",
    "rust": "function_item struct_item enum_item trait_item macro_definition",
    "c": "function_definition struct_specifier",
    "cpp": "function_definition class_specifier struct_specifier",
    "ruby": "method singleton_method class module",
    "php": "method_declaration function_definition class_declaration",
    "c_sharp": "method_declaration class_declaration interface_declaration",
    "kotlin": "function_declaration class_declaration",
    "scala": "function_definition class_definition object_definition trait_definition",
}
DEFINITIONS["tsx"] = DEFINITIONS["typescript"]
FACTORIES = {"typescript": "language_typescript", "tsx": "language_tsx", "php": "language_php"}
MODULES = {"tsx": "tree_sitter_typescript"}

PAIRS_A_PACKAGE = 5000
MAX_BODY = 3000
MIN_BODY_LINES = 2

_MARKERS = re.compile(r"^\s*(/\*+!?|\*+/|\*+|//[/!]?|#+|--+|\"\"\"|''')\s?|\*+/\s*$", re.MULTILINE)
_QUOTES = re.compile(r"^[rRbBuUfF]*(\"\"\"|'''|\"|')|(\"\"\"|'''|\"|')$")


class Definition(NamedTuple):
    """A documented or undocumented definition in one file."""

    symbol: str
    doc: str
    body: str


@cache
def _grammar(language: str) -> tuple[Parser, Query]:
    module = import_module(MODULES.get(language, f"tree_sitter_{language}"))
    grammar = Language(getattr(module, FACTORIES.get(language, "language"))())
    kinds = DEFINITIONS[language].split()
    return Parser(grammar), Query(grammar, "".join(f"({kind}) @d " for kind in kinds))


def definitions(language: str, source: bytes) -> Iterator[Definition]:
    """Yield the definitions of a file in order of their start."""
    parser, query = _grammar(language)
    captures = QueryCursor(query).captures(parser.parse(source).root_node)
    for node in sorted(captures.get("d", []), key=lambda node: node.start_byte):
        name = _name(node)
        body = source[node.start_byte : node.end_byte].decode("utf-8", "replace")
        if not name or body.count("\n") < MIN_BODY_LINES:
            continue
        doc_node = _docstring(node) if language == "python" else None
        if doc_node is not None:
            doc = _QUOTES.sub("", _text(doc_node).strip())
            cut = (
                source[node.start_byte : doc_node.start_byte]
                + source[doc_node.end_byte : node.end_byte]
            )
            body = cut.decode("utf-8", "replace")
        else:
            doc = _leading_comment(node)
        yield Definition(_symbol(node, name), clean(doc), body[:MAX_BODY])


def clean(doc: str) -> str:
    """Return documentation without comment markers."""
    return _MARKERS.sub("", doc).strip()


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")


def _name(node: Node) -> str:
    """Return a definition's name; C hides it in nested declarators."""
    named = node.child_by_field_name("name")
    while named is None:
        node = node.child_by_field_name("declarator") or node
        if node.type.endswith("identifier"):
            return _text(node)
        inner = node.child_by_field_name("declarator")
        named = node.child_by_field_name("name")
        if named is None and inner is None:
            words = [child for child in node.named_children if child.type.endswith("identifier")]
            return _text(words[0]) if words else ""
    return _text(named)


def _symbol(node: Node, name: str) -> str:
    parts = [name]
    parent = node.parent
    while parent is not None:
        if re.search(r"class|module|impl|trait|object_def|interface", parent.type):
            outer = parent.child_by_field_name("name") or parent.child_by_field_name("type")
            if outer is not None:
                parts.insert(0, _text(outer))
        parent = parent.parent
    return ".".join(parts[-3:])


def _docstring(node: Node) -> Node | None:
    body = node.child_by_field_name("body")
    first = body.named_children[0] if body is not None and body.named_children else None
    if first is not None and first.type == "expression_statement":
        first = first.named_children[0] if first.named_children else None
    return first if first is not None and first.type == "string" else None


def _leading_comment(node: Node) -> str:
    """Return the comments that end on the line above the definition or its wrapper."""
    wrapper = re.compile(
        r"export|decorat|template_decl|lexical_decl|variable_decl|type_declaration"
    )
    while node.parent is not None and wrapper.search(node.parent.type):
        node = node.parent
    lines: list[str] = []
    row, at = node.start_point.row, node.prev_sibling
    while at is not None:
        if "comment" in at.type and at.end_point.row >= row - 1 - (at.end_point.column == 0):
            lines.insert(0, _text(at))
        elif "attribute" not in at.type and "annotation" not in at.type:
            break
        row, at = at.start_point.row, at.prev_sibling
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    options = parser.parse_args()
    names, snippets = exclusions.load(options.exclude_repos, options.exclude_snippets)
    counts: Counter[str] = Counter()
    tally: Counter[str] = Counter()
    with options.out.open("w") as out:
        for file in source_files(options.sources, names):
            if file.language not in DEFINITIONS or counts[file.package] >= PAIRS_A_PACKAGE:
                continue
            for found in definitions(file.language, file.text.encode()):
                if snippets.cover(found.body, found.doc) or snippets.cover(
                    f"{found.doc}\n{found.body}"
                ):
                    tally["excluded"] += 1
                    continue
                counts[file.package] += 1
                tally[file.language + (" doc" if found.doc else "")] += 1
                row = {"language": file.language, "package": file.package, "path": file.path}
                out.write(json.dumps({**row, **found._asdict()}) + "\n")
    print(dict(tally))


if __name__ == "__main__":
    main()
