"""The notebook over traces runs on real ones, and every column that it may show is documented."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import duckdb
import pytest

from codeintel_rev.observability.answer_trace import AnswerTrace
from codeintel_rev.observability.search_trace import SearchTrace

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "traces"
CODE = "".join(
    f"def archive_{topic}(entry):\n    '''Put the {topic} away.'''\n    return entry.{topic}\n\n\n"
    for topic in ("invoice", "basket", "voucher", "parcel", "refund", "payment")
)


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The traces of questions that were really asked."""
    shop = tmp_path_factory.mktemp("shop")
    (shop / "archive.py").write_text(CODE)
    python(EXAMPLES / "ask.py", shop, shop / ".codeintel", "--questions", 20)
    return shop / ".codeintel" / "traces"


def python(script: Path, *arguments: object) -> str:
    command = [sys.executable, str(script), *map(str, arguments)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_notebook_shows_what_was_asked(traces: Path, tmp_path: Path):
    told = python(EXAMPLES / "run.py", traces, tmp_path)

    assert told.startswith("20 answers from ")
    assert "blueberries" in told or "sourdough" in told or "bicycle" in told
    plots = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert plots.keys() == {"latency.png", "limits.png", "confidence.png", "cited.png"}
    assert all(data.startswith(b"\x89PNG") for data in plots.values())


def test_one_query_tells_why_an_answer_was_slow_or_wrong(traces: Path):
    why = (EXAMPLES / "sql" / "why.sql").read_text()
    with duckdb.connect() as connection:
        connection.execute("SET VARIABLE traces = $folder", {"folder": str(traces)})
        connection.execute((EXAMPLES / "sql" / "views.sql").read_text())
        when, asked, late = (
            connection.execute(
                "SELECT timestamp, query, trace_id FROM traces WHERE len(limits) > 0 LIMIT 1"
            ).fetchone()
            or ()
        )
        connection.execute("SET VARIABLE day = $day", {"day": when.date()})
        whole_day = connection.execute(why).fetchall()
        connection.execute("SET VARIABLE words = $words", {"words": asked.upper()})
        found = connection.execute(why)
        columns = [column[0] for column in found.description]
        rows = [dict(zip(columns, row, strict=True)) for row in found.fetchall()]

    assert len(whole_day) > len(rows)
    (told,) = [row for row in rows if row["trace_id"] == late]
    assert told["against_it"][0].startswith("held back: ")
    stages = ("embed", "faiss", "bm25", "fusion", "hydration", "rerank", "synthesis", None)
    assert told["slowed_by"] in stages


def test_a_question_that_was_answered_is_found_again_by_sql(traces: Path):
    with duckdb.connect() as connection:
        connection.execute("SET VARIABLE traces = $folder", {"folder": str(traces)})
        connection.execute((EXAMPLES / "sql" / "views.sql").read_text())
        queries = sorted(path for path in (EXAMPLES / "sql").glob("*.sql") if path.stem != "views")
        rows = {path.stem: connection.execute(path.read_text()).fetchall() for path in queries}

    assert rows["slowest"]
    name = traces.parents[1].name
    assert [file for file, _ in rows["most_cited"]] == [f"{name}:archive.py"]
    assert {stage for _, stage, *_ in rows["latency_by_stage"]} >= {"bm25", "faiss", "total"}
    assert "faiss_timeout" in {word for _, word, *_ in rows["limits_by_day"]}
    assert any("?" in question for question, *_ in rows["unanswered"])
    assert rows["models"] == []


def test_the_notebook_is_kept_without_what_a_run_left_in_it():
    cells = json.loads((EXAMPLES / "traces.ipynb").read_text())["cells"]
    assert [cell for cell in cells if cell.get("outputs") or cell.get("execution_count")] == []


@pytest.mark.parametrize("record", [AnswerTrace, SearchTrace])
def test_every_column_is_documented(record: type):
    page = (ROOT / "docs" / "traces.md").read_text()
    assert [field.name for field in fields(record) if f"`{field.name}`" not in page] == []
