"""Which declarations are told by the words that start a line, where there is no grammar."""

from __future__ import annotations

import pytest

from codeintel_rev.indexing.chunker import chunk_source
from codeintel_rev.indexing.pieces import ChunkSize

SOURCES = {
    "crystal": """
module Rack
  # Helps. Often.
  class Utils::Helper < Base
    def self.escape(s)
    end

    private def empty?
      true
    end
  end
end
""",
    "dart": """
abstract class Shape {
  void draw();
}
enum Color { red }
extension Halves on int {}
""",
    "graphql": """
type User {
  type: String
}
input Query { a: Int }
""",
    "groovy": """
/**
 * A user.
 */
@Entity(name = "x")
public class User extends Model {
    private static def find(int id) {
        def local = 1
        return null
    }
}
interface HasName {}
""",
    "julia": """
mutable struct Point
end
function Base.push!(x)
end
""",
    "perl": """
package My::Thing;
sub run {
}
""",
    "powershell": """
function Get-Thing {
}
""",
    "protobuf": """
message Request {
  string name = 1;
}
service Search {
  rpc Find (Request) returns (Reply);
}
""",
    "r": """
load.all <- function(x) {
}
""",
    "sql": """
CREATE NETWORK POLICY of_a_dialect;
CREATE TABLE IF NOT EXISTS users (
  type VARCHAR(20)
);
create or replace function total(a int) returns int as $$ $$;
""",
}

EXPECTED = {
    "crystal": [
        "module Rack", "class Rack.Utils.Helper", "method Rack.Utils.Helper.escape",
        "method Rack.Utils.Helper.empty?",
    ],
    "dart": ["class Shape", "enum Color", "impl Halves"],
    "graphql": ["type User", "struct Query"],
    "groovy": ["class User", "method User.find", "interface HasName"],
    "julia": ["struct Point", "function Base.push!"],
    "perl": ["module My.Thing", "function run"],
    "powershell": ["function Get-Thing"],
    "protobuf": ["struct Request", "interface Search", "method Search.Find"],
    "r": ["function load.all"],
    "sql": ["struct users", "function total"],
}  # fmt: skip


@pytest.mark.parametrize("lang", SOURCES)
def test_declarations_of_a_language_are_found(lang: str) -> None:
    symbols = chunk_source(SOURCES[lang].encode(), lang).symbols
    assert [f"{symbol.kind} {symbol.qualname}" for symbol in symbols] == EXPECTED[lang]


def test_a_declaration_has_its_extent_and_its_doc() -> None:
    user, find, _ = chunk_source(SOURCES["groovy"].encode(), "groovy").symbols
    assert (user.start_line, user.end_line, user.doc) == (6, 11, "A user.")
    assert (find.start_line, find.end_line, find.line, find.column) == (7, 10, 7, 24)


def test_a_large_class_is_cut_into_its_methods() -> None:
    method = "  def {}\n" + "    call(one, two)\n" * 5 + "  end\n"
    source = (
        "class Box\n  attr :x\n\n" + method.format("one") + "\n" + method.format("two") + "end\n"
    )
    chunks = chunk_source(source.encode(), "crystal", size=ChunkSize(150, 40, 10)).chunks
    assert [(c.kind, c.symbol, c.start_line, c.end_line) for c in chunks] == [
        ("class", "Box", 1, 2),
        ("method", "Box.one", 4, 10),
        ("method", "Box.two", 12, 19),
    ]


def test_a_word_inside_other_text_declares_nothing() -> None:
    source = "# class of things\nputs 'x'\n  * def inition\nclassy = 1\n"
    assert chunk_source(source.encode(), "crystal").symbols == []


@pytest.mark.parametrize(
    ("lang", "line"),
    [
        ("groovy", "public static " * 50_000),
        ("groovy", "@a" * 100_000),
        ("julia", "function " + "a." * 100_000),
        ("sql", "create " + "or " * 100_000),
        ("crystal", " " * 500_000 + "x"),
    ],
)
def test_a_line_made_to_confuse_the_patterns_takes_linear_time(lang: str, line: str) -> None:
    assert chunk_source(line.encode(), lang).line_count == 1
