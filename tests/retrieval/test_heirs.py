from __future__ import annotations

import pytest

from codeintel_rev.retrieval.heirs import extends, heirs_asked_for, telling_heirs


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("what are the subclasses of KeyValueStore?", "KeyValueStore"),
        ("which classes extend base.Backend?", "Backend"),
        ("who implements the ChunkCatalog protocol", "ChunkCatalog"),
        ("all implementations of io::Read", "Read"),
        ("types that inherit from Shape", "Shape"),
        ("how is Backend implemented?", None),
        ("where is the implementation of Backend?", None),
        ("how do I extend Backend?", None),
        ("which classes extend the other ones?", None),
        ("subclasses of", None),
    ],
)
def test_a_question_for_heirs_names_their_type(question: str, name: str | None) -> None:
    assert heirs_asked_for(question) == name


@pytest.mark.parametrize(
    "head",
    [
        "class RedisBackend(KeyValueStore, Mixin):",
        "class RedisBackend(\n    Mixin,\n    base.KeyValueStore,\n):",
        "class Box[T](KeyValueStore[T]):",
        "export class Redis extends KeyValueStore {",
        "public final class Redis<T>\n    extends Base\n    implements Closeable, KeyValueStore<T> {",
        "interface Redis : KeyValueStore, Closeable",
        "class Redis(val url: String) : KeyValueStore(url) {",
        "class Redis : public std::KeyValueStore {",
        "struct Redis: KeyValueStore, Sendable {",
        "class Redis < KeyValueStore",
        "impl<T> KeyValueStore for Redis<T> {",
        "impl store::KeyValueStore for Redis",
        "final class Redis extends Base with KeyValueStore {",
        "instance KeyValueStore Redis where",
        "  @behaviour Cache.KeyValueStore",
    ],
)
def test_heads_of_heirs_in_many_languages(head: str) -> None:
    assert extends(["# before", *head.split("\n"), "  body"], "KeyValueStore")


@pytest.mark.parametrize(
    "text",
    [
        "class KeyValueStore(Base):",
        "class KeyValueStore extends Base {",
        "impl KeyValueStore {",
        "class Redis(BaseKeyValueStore):",
        "class Redis:\n    store = KeyValueStore()",
        "# class Redis(KeyValueStore):",
        "// each class that extends KeyValueStore {",
        "'''the class that extends KeyValueStore'''",
        "def make(store: KeyValueStore) -> None:",
    ],
)
def test_what_only_speaks_of_a_type_is_no_heir(text: str) -> None:
    assert not extends(text.split("\n"), "KeyValueStore")


def test_rows_of_heirs_keep_their_order() -> None:
    texts = [(4, b"class B(Base): ..."), (2, b"Base()"), (3, b"class A(\n    Base,\n): ...")]
    assert telling_heirs("Base", texts) == [4, 3]


@pytest.mark.parametrize(
    "piece", ["class ", "class A(", "class A<", "impl Base ", "class A : ", "("]
)
def test_hostile_heads_end(piece: str) -> None:
    lines = [piece * (50_000 // len(piece))] * 50
    assert not extends(lines, "Nothing")
