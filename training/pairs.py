"""Definitions as term ids: what contrastive training reads.

    python -m training.pairs FUNCTIONS.jsonl START.npz OUT.npz

The rows are those of ``training.functions`` or of ``training.comments``.
``START.npz`` gives the vocabulary. Each definition yields five runs of ids: ``name`` (words of its
symbol), ``doc`` (first paragraph of its documentation), ``rest`` (what follows it), ``path`` (with the
name of its language) and ``body``.
"""

from __future__ import annotations

import argparse
import json
import re
from array import array
from itertools import pairwise
from pathlib import Path, PurePosixPath

import numpy as np

from codeintel_rev.text.code_tokenizer import tokenize

FIELDS = ("name", "doc", "rest", "path", "body")
MAX_DOC_TERMS = 40
MAX_REST_TERMS = 60
MAX_BODY_TERMS = 400
MIN_BODY_TERMS = 8
MIN_DOC_TERMS = 3

_TAG = re.compile(
    r"\n\s*([@\\:](param|return|throws|raises|type|rtype|see|since|arg|brief)|<param|<returns"
    r"|Args?:|Arguments:|Parameters?:?\n|Returns?:|Raises:|Example|Usage|Notes?:|>>>|```|[-=]{3,}).*",
    re.DOTALL | re.IGNORECASE,
)
_MARKUP = re.compile(r"</?\w+[^>]*>|\{@\w+|:\w+:`|[`*]")


def first_paragraph(doc: str) -> str:
    """Return what a definition is for: no tags, parameters, examples or markup."""
    return _MARKUP.sub(" ", _raw_first_paragraph(doc))


def after_first_paragraph(doc: str) -> str:
    """Return the rest of the documentation."""
    return doc.strip()[len(_raw_first_paragraph(doc)) :]


def _raw_first_paragraph(doc: str) -> str:
    text = _TAG.sub("", "\n" + doc).strip()
    return re.split(r"\n\s*\n", text, maxsplit=1)[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("functions", type=Path)
    parser.add_argument("start", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    ids = {str(term): at for at, term in enumerate(np.load(options.start)["terms"])}
    packages: dict[str, int] = {}
    flat = {field: array("i") for field in FIELDS}
    ends = {field: array("q", [0]) for field in FIELDS}
    groups = array("i")

    def append(field: str, text: str, limit: int) -> None:
        flat[field].extend([ids[term] for term in tokenize(text) if term in ids][:limit])
        ends[field].append(len(flat[field]))

    for line in options.functions.open():
        row = json.loads(line)
        groups.append(packages.setdefault(row["package"], len(packages)))
        append("name", row["symbol"], MAX_DOC_TERMS)
        append("doc", first_paragraph(row["doc"]), MAX_DOC_TERMS)
        append("rest", after_first_paragraph(row["doc"]), MAX_REST_TERMS)
        append(
            "path",
            "/".join([row["language"], *PurePosixPath(row["path"]).parts[-3:]]),
            MAX_DOC_TERMS,
        )
        append("body", row["body"], MAX_BODY_TERMS)
    arrays = {f"{field}_ids": np.asarray(flat[field], np.int32) for field in FIELDS}
    bounds = {f"{field}_ends": np.asarray(ends[field], np.int64) for field in FIELDS}
    np.savez(options.out, groups=np.asarray(groups, np.int32), **arrays, **bounds)
    documented = sum(after - before >= MIN_DOC_TERMS for before, after in pairwise(ends["doc"]))
    print(f"{len(groups)} definitions, {documented} documented, {len(packages)} packages")


if __name__ == "__main__":
    main()
