"""Write the table of background word statistics that ships with the package.

python -m training.build_background_idf VOCABULARY.json [--terms 60000]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from codeintel_rev.text.background_idf import TABLE_PATH, pack_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("vocabulary", type=Path)
    parser.add_argument("--terms", type=int, default=60_000)
    options = parser.parse_args()
    counted = json.loads(options.vocabulary.read_text())
    frequency = {term: pair[0] for term, pair in counted["terms"].items()}
    kept = sorted(frequency, key=lambda term: (-frequency[term], term))[: options.terms]
    data = pack_table({term: frequency[term] for term in kept}, counted["chunks"])
    TABLE_PATH.write_bytes(data)
    print(f"{len(kept)} terms, {len(data)} bytes, rarest df {frequency[kept[-1]]}")


if __name__ == "__main__":
    main()
