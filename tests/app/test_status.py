"""What ``status`` tells of the text that an index holds."""

from __future__ import annotations

from pathlib import Path

import codeintel_rev

KEY = "AKIA" + "Q7RZ2MXPL4TWB3NY"


def test_a_secret_is_named_while_it_stands_in_the_text_and_not_longer(tmp_path: Path) -> None:
    settings = tmp_path / "settings.py"
    settings.write_text(f"import os\n\nKEY = '{KEY}'\n")
    with codeintel_rev.open(tmp_path) as index:
        assert index.status().secrets == [
            {"repo": tmp_path.name, "uri": "settings.py", "line": 3, "kind": "aws_access_key"}
        ]
    settings.write_text("import os\n\nKEY = os.environ['KEY']\n")
    with codeintel_rev.open(tmp_path) as index:
        assert index.status().secrets == []
