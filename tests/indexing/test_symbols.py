"""Which definitions a file of each language yields, and how they are named and documented."""

from __future__ import annotations

import pytest

from codeintel_rev.indexing.chunker import chunk_source
from codeintel_rev.types import Symbol

SOURCES = {
    "python": '''
LIMIT = 10
limit: int  # no value, no definition
app = Flask(__name__)
type Row = tuple[int, str]

@dataclass
class Outer(Base):
    """Holds rows. And more."""
    RED = 1
    size: int = 3

    class Inner:
        async def run(self): ...

    def run(self):
        LOCAL = 1
        def local(): ...

try:
    import fast
except ImportError:
    def fallback(): ...
''',
    "javascript": """
const express = require('express');
const LIMIT = 10;
export const load = async (url) => fetch(url), save = function () {};
export default class Box extends Base {
  #size = 1;
  handle = () => this.size;
  constructor() { super(); }
  static get(name) { const x = 1; return x; }
}
function* walk() {}
const api = { list() {}, find: () => 1, version: 2 };
module.exports = { first() {}, second: function () {} };
exports.third = () => 3;
Box.prototype.open = function () {};
app.use = function use(fn) {};
""",
    "typescript": """
/** A user. */
export interface User { id: string; greet(): void }
export type Id = string | number;
export enum Color { Red }
declare function external(a: string): void;
export abstract class Store<T> {
  private cache = new Map();
  abstract get(id: Id): T;
  @log() put = (value: T) => { this.cache.set(1, value); };
}
namespace Util.Text { export function trim() {} }
export const useStore = (): number => 1;
""",
    "tsx": """
export function App({ name }: Props) { return <p>{name}</p>; }
export const Row = () => <li/>;
""",
    "go": """
package main

// Engine runs things. It is fast.
type Engine[T any] struct { size int }
type (
	Runner interface { Run() }
	Alias = int
)
const Max, Min = 1, 2
var (
	ErrGone = errors.New("gone")
	_ Runner = (*Engine)(nil)
)

func (e *Engine[T]) Run() { local := 1; _ = local }
func New() *Engine { return nil }
""",
    "java": """
package a;
/** A shape. */
@Sealed
public abstract class Shape<T> extends Base implements Drawable {
  private static final int LIMIT = 1;
  private int size;
  public Shape() {}
  @Override public void draw() { Runnable r = () -> {}; }
  interface Visitor { void visit(Shape s); int DEPTH = 2; }
  enum Color { RED { void x() {} }, BLUE; Color next() { return RED; } }
}
record Point(int x, int y) { Point { } }
@interface Marker { String value(); }
""",
    "rust": """
//! The crate.

/// A point.
#[derive(Debug)]
pub struct Point<T> { x: T }
pub enum Shape { Circle }
pub trait Area { const UNIT: u8; fn area(&self) -> f64; fn twice(&self) -> f64 { 2.0 } }
impl<T> Area for crate::Point<T> { fn area(&self) -> f64 { 1.0 } }
mod inner { pub(crate) fn helper() {} }
mod elsewhere;
const LIMIT: usize = 3;
static NAME: &str = "x";
type Pair = (u8, u8);
macro_rules! square { ($x:expr) => { $x * $x }; }
""",
    "c": """
#ifndef LIST_H
#define LIST_H
#define MAX(a, b) ((a) > (b) ? (a) : (b))
struct node { int value; };
typedef struct { int x; } point_t;
typedef int (*compare)(int, int);
enum color { RED };
static const int table[] = { 1, 2 };
extern int declared;
int prototype(void);
/* Adds a node. */
static struct node *add(struct node *head, int value) { return head; }
#endif
""",
    "cpp": """
namespace a::b { namespace {
template <typename T> class Box : public Base {
 public:
  Box() : size_(0) {}
  ~Box();
  template <class U> U cast(U u) { return u; }
  bool operator==(const Box& other) const { return true; }
  struct Part { int x; };
 private:
  int size_;
};
template <typename T> Box<T>::~Box() {}
} }
int* a::Outer::find(int key) { return nullptr; }
template <> struct Traits<int> { static constexpr int v = 1; };
class EXPORTED Visible { int x; };
using Id = int;
enum class Color { Red };
extern "C" { int plain(void) { return 1; } }
extern "C" int single(void) { return 1; }
concept_t value = {};
""",
    "markdown": """---
title: Front matter
---
# Guide
Words.
## Install `tool`
```sh
# not a heading
```
Setext title
------------
- list
---
## Use #
### Deep
# Next
""",
    "restructuredtext": """
=====
Guide
=====

Words.

Install
-------

Deep
^^^^

Use
---
""",
}

EXPECTED = {
    "python": [
        "constant LIMIT", "constant app", "type Row", "class Outer", "constant Outer.RED",
        "class Outer.Inner", "method Outer.Inner.run", "method Outer.run", "function fallback",
    ],
    "javascript": [
        "constant LIMIT", "function load", "function save", "class Box", "method Box.handle",
        "method Box.constructor", "method Box.get", "function walk", "constant api",
        "method api.list", "method api.find", "method first", "function second", "function third",
        "method Box.open", "function app.use",
    ],
    "typescript": [
        "interface User", "type Id", "enum Color", "enum_member Color.Red",
        "function external", "class Store",
        "method Store.get", "method Store.put", "module Util.Text", "function Util.Text.trim",
        "function useStore",
    ],
    "tsx": ["function App", "function Row"],
    "go": [
        "struct Engine", "interface Runner", "type Alias", "constant Max", "constant ErrGone",
        "method Engine.Run", "function New",
    ],
    "java": [
        "class Shape", "constant Shape.LIMIT", "method Shape.Shape", "method Shape.draw",
        "interface Shape.Visitor", "method Shape.Visitor.visit", "constant Shape.Visitor.DEPTH",
        "enum Shape.Color", "enum_member Shape.Color.RED", "method Shape.Color.RED.x",
        "enum_member Shape.Color.BLUE", "method Shape.Color.next", "class Point",
        "method Point.Point",
        "interface Marker", "method Marker.value",
    ],
    "rust": [
        "struct Point", "enum Shape", "enum_member Shape.Circle", "trait Area",
        "constant Area.UNIT", "method Area.area",
        "method Area.twice", "impl Point", "method Point.area", "module inner",
        "function inner.helper", "constant LIMIT", "constant NAME", "type Pair", "macro square",
    ],
    "c": [
        "macro LIST_H", "macro MAX", "struct node", "struct point_t", "type compare", "enum color",
        "enum_member color.RED",
        "constant table", "function add",
    ],
    "cpp": [
        "module a.b", "class a.b.Box", "method a.b.Box.Box", "method a.b.Box.cast",
        "method a.b.Box.operator==", "struct a.b.Box.Part", "method a.b.Box.~Box",
        "method a.Outer.find", "struct Traits", "class Visible", "type Id", "enum Color",
        "enum_member Color.Red",
        "function plain", "function single", "constant value",
    ],
    "markdown": [
        "section Guide", "section Guide > Install `tool`", "section Guide > Setext title",
        "section Guide > Use", "section Guide > Use > Deep", "section Next",
    ],
    "restructuredtext": [
        "section Guide", "section Guide > Install", "section Guide > Install > Deep",
        "section Guide > Use",
    ],
}  # fmt: skip


def symbols_of(source: str, lang: str) -> list[Symbol]:
    return chunk_source(source.encode(), lang).symbols


def docs_of(source: str, lang: str) -> dict[str, str]:
    return {symbol.qualname: symbol.doc for symbol in symbols_of(source, lang)}


@pytest.mark.parametrize("lang", SOURCES)
def test_the_definitions_of_a_language_are_found(lang: str) -> None:
    found = [f"{symbol.kind} {symbol.qualname}" for symbol in symbols_of(SOURCES[lang], lang)]
    assert found == EXPECTED[lang]


def test_a_symbol_says_where_it_stands() -> None:
    source = "x = 1\n\n@cached\nasync def load(\n    url):\n    return url\n"
    load = symbols_of(source, "python")[1]
    assert (load.start_line, load.end_line, load.line, load.column) == (3, 6, 4, 11)


def test_a_column_counts_characters() -> None:
    [symbol] = symbols_of("/* é😀 */ int f(void) { return 0; }\n", "c")
    assert symbol.column == 14


def test_a_constant_bound_twice_is_one_symbol_at_its_first_place() -> None:
    [symbol] = symbols_of("A = 1\nA = 2\n", "python")
    assert symbol.line == 1


@pytest.mark.parametrize(
    ("lang", "source", "doc"),
    [
        ("python", 'def f():\n    r"""Do it. Then rest."""\n', "Do it."),
        ("python", "# Do it,\n# twice.\n@deco\ndef f(): ...\n", "Do it, twice."),
        ("python", 'class f:\n    """\n    Do it\n\n    Details.\n    """\n', "Do it"),
        (
            "javascript",
            "/**\n * Do it.\n *\n * @param x y\n */\nexport function f(x) {}\n",
            "Do it.",
        ),
        ("typescript", "// Do it\n// now.\nexport const f = () => 1;\n", "Do it now."),
        ("go", "// f does it.\nfunc f() {}\n", "f does it."),
        ("java", "/** Do it for {@code x}. */\n@Deprecated\nclass f {}\n", "Do it for {@code x}."),
        ("rust", "/// Do it.\n///\n/// # Panics\n#[inline]\nfn f() {}\n", "Do it."),
        ("rust", "mod f {\n    //! Do it.\n}\n", "Do it."),
        ("c", "/*\n * Do it\n * now.\n */\nint f(void) { return 0; }\n", "Do it now."),
        ("cpp", "//! Do it.\ntemplate <class T> T f() { return T(); }\n", "Do it."),
    ],
)
def test_documentation_is_read_without_its_markers(lang: str, source: str, doc: str) -> None:
    assert docs_of(source, lang)["f"] == doc


def test_a_comment_behind_a_blank_line_documents_nothing() -> None:
    assert docs_of("// A licence.\n\nint f(void) { return 0; }\n", "c") == {"f": ""}
    assert docs_of("int a = 1; // trailing\nint f(void) { return 0; }\n", "c")["f"] == ""


def test_a_long_sentence_is_cut_at_200_characters() -> None:
    doc = docs_of(f'def f():\n    """{"word " * 100}"""\n', "python")["f"]
    assert len(doc) == 200
    assert doc.endswith("…")


def test_items_inside_a_macro_call_of_rust_are_known_by_name() -> None:
    source = (
        "cfg_rt! {\n"
        "    /// Spawns.\n"
        "    pub fn spawn(x: u32) -> u32 { x }\n"
        "    cfg_deep! { pub mod inner { pub struct Deep; } }\n"
        "}\n"
        "impl A {\n"
        "    cfg_x! { fn m(&self) {} }\n"
        "}\n"
        "html! { <div> fn no() {} </div> }\n"
        "fn main() { cfg_y! { fn local() {} } }\n"
    )
    found = [(s.kind, s.qualname, s.line) for s in chunk_source(source.encode(), "rust").symbols]
    assert found == [
        ("function", "spawn", 3),
        ("module", "inner", 4),
        ("struct", "inner.Deep", 4),
        ("impl", "A", 6),
        ("method", "A.m", 7),
        ("function", "main", 10),
    ]
    assert docs_of(source, "rust")["spawn"] == "Spawns."


def test_macro_calls_without_end_cost_no_more_than_their_size() -> None:
    chunks = chunk_source(b"a!{\n" * 2_000, "rust").chunks
    assert chunks[-1].end_line == 2_000
