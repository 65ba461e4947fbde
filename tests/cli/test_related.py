from __future__ import annotations

import json
from pathlib import Path

import pytest

from codeintel_rev.cli import exit_codes
from codeintel_rev.cli.program import run

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "shop"
    root.mkdir()
    body = "    total = sum(item.price for item in items)\n    return total - discount\n"
    (root / "cart.py").write_text(f"def cart_total(items, discount):\n{body}")
    (root / "order.py").write_text(f"def order_total(items, discount):\n{body}")
    monkeypatch.chdir(root)
    return root


@pytest.mark.parametrize("place", ["cart.py:2", "./cart.py:1-3"])
def test_a_line_leads_to_code_like_it(shop: Path, capsys: Capture, place: str) -> None:
    assert run(["related", place, "--json"]) == exit_codes.DONE
    hits = json.loads(capsys.readouterr().out)["hits"]
    assert [(hit["uri"], hit["symbol"]) for hit in hits] == [("order.py", "order_total")]


@pytest.mark.parametrize(
    ("place", "code"),
    [
        ("cart.py", exit_codes.USAGE),
        ("cart.py:first", exit_codes.USAGE),
        (":3", exit_codes.USAGE),
        ("gone.py:3", exit_codes.BAD_INPUT),
        ("cart.py:0", exit_codes.BAD_INPUT),
        ("cart.py:99999999999999999999", exit_codes.BAD_INPUT),
    ],
)
def test_a_place_that_is_none_is_told(shop: Path, capsys: Capture, place: str, code: int) -> None:
    assert run(["related", place]) == code
    assert capsys.readouterr().err.count("\n") <= 3  # the note, and progress of the first index
