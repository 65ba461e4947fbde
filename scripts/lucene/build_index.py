"""Build a Lucene index of all chunks of an index of code; ``build_bm25_index.sh`` runs this."""

from __future__ import annotations

import sys
from pathlib import Path

from codeintel_rev.app.bm25_export import export
from codeintel_rev.config.settings import load_settings
from codeintel_rev.errors import CodeIntelError

USAGE = "usage: build_bm25_index.sh [DATA_DIR] [INDEX_DIR]"


def main(arguments: list[str]) -> None:
    if len(arguments) > 2 or any(argument.startswith("-") for argument in arguments):
        sys.exit(USAGE)
    try:
        settings = load_settings()
        data_dir = Path(arguments[0]) if arguments else settings.data_dir or Path(".codeintel")
        index_dir = Path(arguments[1]) if len(arguments) > 1 else settings.bm25.index_dir
        chunks = export(data_dir, index_dir)
    except CodeIntelError as error:
        sys.exit(f"error: {error.message}\nhint: {error.hint}")
    print(f"{index_dir}: {chunks} chunks")


if __name__ == "__main__":
    main(sys.argv[1:])
