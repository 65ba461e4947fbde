#!/bin/sh
# Build a Lucene index of all chunks of an index of code: build_bm25_index.sh [DATA_DIR] [INDEX_DIR]
#
# DATA_DIR is `.codeintel`, and INDEX_DIR what BM25_INDEX_DIR says, when they are not given. $PYTHON
# needs the extra `lucene`.
set -eu
exec "${PYTHON:-python3}" "$(dirname "$0")/lucene/build_index.py" "$@"
