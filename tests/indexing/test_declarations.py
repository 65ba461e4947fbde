"""Which declarations are told by the words that start a line, where there is no grammar."""

from __future__ import annotations

import pytest

from codeintel_rev.indexing.chunker import chunk_source
from codeintel_rev.indexing.pieces import ChunkSize

SOURCES = {
    "ruby": """
module Rack
  # Helps. Often.
  class Utils::Helper < Base
    def self.escape(s) = s
    private def empty?
      true
    end

    class << self
      def other=(x)
      end
    end
  end
end
""",
    "php": """<?php
namespace App;

/**
 * A user.
 */
#[Entity]
final class User extends Model
{
    public const LIMIT = 1;

    public static function find(int $id): ?self
    {
        $f = function () {};
        return null;
    }
}
interface HasName {}
function &helper() {}
""",
    "csharp": """
namespace Dapper
{
    /// <summary>
    /// Maps rows.
    /// </summary>
    [Serializable]
    public sealed partial class Mapper<T> : IMapper where T : class
    {
        private readonly int size = Compute(1);
        public Mapper(int size) { }
        public static async Task<List<T>> QueryAsync<T>(
            string sql)
        {
            return await Run(sql);
        }
#if NET8
        internal void Run() { }
#endif
    }
    public record struct Point(int X);
    public enum Color { Red }
}
""",
    "kotlin": """
package a

@Marker
public sealed interface Shape
data class Point(val x: Int) : Shape {
    companion object {
        fun of(x: Int) = Point(x)
    }
    override suspend fun draw(
        canvas: Canvas,
    ): Unit {
        fun local() {}
    }
}
fun <T : Any> Flow<T>.collectAll(): List<T> = TODO()
enum class Color { RED }
typealias Id = String
internal object Registry
fun interface Action
""",
    "swift": """
@objc public final class Session: NSObject {
    public required init(x: Int) {}
    class func shared() -> Session { }
    mutating func run<T>(_ t: T) {}
}
extension Session: Runnable {}
protocol Runnable {}
public enum AFError: Error {}
""",
    "scala": """
sealed abstract class Monad[F[_]] extends Functor[F] {
  def map[A](fa: F[A]): F[A] = fa
  private[cats] implicit def lift(x: Int): Int = x
}
object Monad
case class Some[A](a: A)
trait Functor[F[_]]
""",
    "elixir": """
defmodule Plug.Conn do
  @doc false
  def send(conn), do: conn
  defp valid?(x) do
    x
  end
  defmacro __using__(_), do: nil
end
""",
    "lua": """
local function helper() end
function M.setup(opts) end
M.load = function(x) end
""",
    "bash": """
nvm_echo() {
  command printf '%s' "$1"
}
function bats::run { :; }
""",
    "sql": """
CREATE TABLE IF NOT EXISTS users (
  type VARCHAR(20)
);
create or replace function total(a int) returns int as $$ $$;
""",
    "protobuf": """
message Request {
  string name = 1;
}
service Search {
  rpc Find (Request) returns (Reply);
}
""",
}

EXPECTED = {
    "ruby": [
        "module Rack", "class Rack.Utils.Helper", "method Rack.Utils.Helper.escape",
        "method Rack.Utils.Helper.empty?", "method Rack.Utils.Helper.other=",
    ],
    "php": ["class User", "method User.find", "interface HasName", "function helper"],
    "csharp": [
        "module Dapper", "class Dapper.Mapper", "method Dapper.Mapper.Mapper",
        "method Dapper.Mapper.QueryAsync", "method Dapper.Mapper.Run", "class Dapper.Point",
        "enum Dapper.Color",
    ],
    "kotlin": [
        "interface Shape", "class Point", "method Point.of", "method Point.draw",
        "function collectAll", "class Color", "type Id", "class Registry", "interface Action",
    ],
    "swift": [
        "class Session", "method Session.init", "method Session.shared", "method Session.run",
        "impl Session", "interface Runnable", "enum AFError",
    ],
    "scala": [
        "class Monad", "method Monad.map", "method Monad.lift", "class Monad", "class Some",
        "trait Functor",
    ],
    "elixir": [
        "module Plug.Conn", "function Plug.Conn.send", "function Plug.Conn.valid?",
        "macro Plug.Conn.__using__",
    ],
    "lua": ["function helper", "function M.setup", "function M.load"],
    "bash": ["function nvm_echo", "function bats.run"],
    "sql": ["struct users", "function total"],
    "protobuf": ["struct Request", "interface Search", "method Search.Find"],
}  # fmt: skip


@pytest.mark.parametrize("lang", SOURCES)
def test_declarations_of_a_language_are_found(lang: str) -> None:
    symbols = chunk_source(SOURCES[lang].encode(), lang).symbols
    assert [f"{symbol.kind} {symbol.qualname}" for symbol in symbols] == EXPECTED[lang]


def test_a_declaration_has_its_extent_and_its_doc() -> None:
    find = next(s for s in chunk_source(SOURCES["php"].encode(), "php").symbols if s.name == "find")
    assert (find.start_line, find.end_line, find.line, find.column) == (12, 16, 12, 28)
    docs = {s.qualname: s.doc for s in chunk_source(SOURCES["csharp"].encode(), "csharp").symbols}
    assert docs["Dapper.Mapper"] == "Maps rows."


def test_a_large_class_is_cut_into_its_methods() -> None:
    method = "  def {}\n" + "    call(one, two)\n" * 5 + "  end\n"
    source = (
        "class Box\n  attr :x\n\n" + method.format("one") + "\n" + method.format("two") + "end\n"
    )
    chunks = chunk_source(source.encode(), "ruby", size=ChunkSize(150, 40, 10)).chunks
    assert [(c.kind, c.symbol, c.start_line, c.end_line) for c in chunks] == [
        ("class", "Box", 1, 2),
        ("method", "Box.one", 4, 10),
        ("method", "Box.two", 12, 19),
    ]


def test_a_word_inside_other_text_declares_nothing() -> None:
    source = "# class of things\nputs 'x'\n  * def inition\nclassy = 1\n"
    assert chunk_source(source.encode(), "ruby").symbols == []


@pytest.mark.parametrize(
    ("lang", "line"),
    [
        ("csharp", "public static " * 50_000),
        ("kotlin", "fun " + "a." * 100_000),
        ("kotlin", "fun " + "<" * 100_000),
        ("swift", "@a" * 100_000),
        ("ruby", " " * 500_000 + "x"),
    ],
)
def test_a_line_made_to_confuse_the_patterns_takes_linear_time(lang: str, line: str) -> None:
    assert chunk_source(line.encode(), lang).line_count == 1
