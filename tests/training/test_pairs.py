"""What training reads of a definition."""

import pytest

from training.functions import Definition, definitions
from training.pairs import first_paragraph


def test_a_docstring_leaves_the_body() -> None:
    source = b'class Cart:\n    def add(self, item):\n        """Add one item."""\n        x(item)\n        y()\n'
    assert list(definitions("python", source))[-1] == Definition(
        "Cart.add", "Add one item.", "def add(self, item):\n        \n        x(item)\n        y()"
    )


@pytest.mark.parametrize(
    ("language", "source"),
    [
        ("go", b"// Add puts\n// an item.\nfunc Add(i Item) {\n\tx()\n}\n"),
        (
            "typescript",
            b"/**\n * Add puts\n * an item.\n */\nexport const Add = (i) => {\n  x()\n}\n",
        ),
        ("rust", b"/// Add puts\n/// an item.\n#[inline]\nfn Add(i: u8) {\n    x()\n}\n"),
    ],
)
def test_leading_comments_are_the_documentation(language: str, source: bytes) -> None:
    (found,) = definitions(language, source)
    assert (found.symbol, found.doc) == ("Add", "Add puts\nan item.")


@pytest.mark.parametrize(
    ("doc", "purpose"),
    [
        ("Open a file.\n\nLong story.", "Open a file."),
        ("Open a file.\n@param path where", "Open a file."),
        ("Open a file.\nArgs:\n  path: where", "Open a file."),
        ("<p>Open a file.</p>", "Open a file."),
        ("", ""),
    ],
)
def test_the_first_paragraph_says_what_it_is_for(doc: str, purpose: str) -> None:
    assert first_paragraph(doc).strip() == purpose
