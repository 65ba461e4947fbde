import json
from pathlib import Path

import pytest

from codeintel_rev.cli import exit_codes
from codeintel_rev.cli.program import run


def test_an_index_moves_by_its_backup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shop, file = tmp_path / "shop", tmp_path / "shop.backup"
    shop.mkdir()
    (shop / "cart.py").write_text("def total_price(items):\n    return sum(items)\n")
    monkeypatch.chdir(shop)
    assert run(["index"]) == exit_codes.DONE
    capsys.readouterr()

    assert run(["backup", str(file)]) == exit_codes.DONE
    assert capsys.readouterr().out.startswith("shop: ")
    elsewhere = ["--data-dir", str(tmp_path / "elsewhere")]
    assert run(["restore", str(file), *elsewhere, "--json"]) == exit_codes.DONE
    assert json.loads(capsys.readouterr().out)["repos"] == ["shop"]
    assert run(["search", "total price", *elsewhere, "--json"]) == exit_codes.DONE
    assert json.loads(capsys.readouterr().out)["hits"][0]["uri"] == "cart.py"

    assert run(["restore", str(file)]) == exit_codes.BAD_INPUT
    assert "there is an index in" in capsys.readouterr().err
    assert run(["backup", str(tmp_path / "b"), *elsewhere[:1], str(tmp_path / "no")]) == (
        exit_codes.INDEX
    )
