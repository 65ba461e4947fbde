"""Runs the notebook beside this file without Jupyter: its cells, one after the other.

python examples/traces/run.py TRACES_FOLDER PLOTS_FOLDER
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

HERE = Path(__file__).parent


def run(traces: Path, plots: Path) -> dict[str, object]:
    """Return the names that the notebook's cells leave behind; the plots are written to a folder."""
    os.environ |= {"TRACES": str(traces), "PLOTS": str(plots), "MPLBACKEND": "agg"}
    notebook = json.loads((HERE / "traces.ipynb").read_text("utf-8"))
    names: dict[str, object] = {"HERE": HERE}
    for number, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), f"cell {number}", "exec"), names)
    return names


if __name__ == "__main__":
    run(Path(sys.argv[1]), Path(sys.argv[2]))
