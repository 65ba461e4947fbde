"""Which comments become training pairs, and with what code."""

import pytest

from training.comments import announced, is_prose


def test_a_comment_announces_the_block_below_it() -> None:
    body = (
        "def find(self, path):\n"
        "    # Look in the cache first,\n"
        "    # then on disk.\n"
        "    if path in self.cache:\n"
        "        return self.cache[path]\n"
        "    return read(path)\n"
        "\n"
        "    unreached()\n"
    )
    assert list(announced("python", body)) == [
        (
            "Look in the cache first, then on disk.",
            "    if path in self.cache:\n        return self.cache[path]\n    return read(path)",
        )
    ]


def test_a_block_ends_where_its_scope_does() -> None:
    body = "func f() {\n\tif a {\n\t\t// Close the file again\n\t\tfile.Close(context)\n\t}\n\tother()\n}"
    assert list(announced("go", body)) == [
        ("Close the file again", "\t\tfile.Close(context)"),
    ]


def test_a_comment_without_code_below_announces_nothing() -> None:
    assert not list(announced("rust", "fn f() {\n    // Nothing is left to do\n\n    x();\n}"))


@pytest.mark.parametrize("text", ["Check whether it exists", "retry until the server answers"])
def test_sentences_are_prose(text: str) -> None:
    assert is_prose(text)


@pytest.mark.parametrize(
    "text", ["x = compute(y);", "TODO handle the other case", "noqa: this is long", "one two", ""]
)
def test_code_directives_and_remarks_are_not(text: str) -> None:
    assert not is_prose(text)
