import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from codeintel_rev.cli import exit_codes
from codeintel_rev.cli.program import run
from codeintel_rev.cli.waterfall import waterfall

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "router.py").write_text("def match_url(url):\n    return url\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def documents(capsys: Capture, *arguments: str) -> dict[str, object]:
    capsys.readouterr()
    assert run([*arguments, "--json"]) == exit_codes.DONE
    return json.loads(capsys.readouterr().out)  # type: ignore[no-any-return]


@pytest.mark.usefixtures("repo")
def test_what_was_asked_can_be_looked_up(capsys: Capture) -> None:
    first = documents(capsys, "ask", "how is a url matched?")
    documents(capsys, "ask", "where are invoices sent by the accountant?")

    listed = documents(capsys, "traces")["traces"]
    assert [row["query"][:5] for row in listed] == ["where", "how i"]
    doubtful = documents(capsys, "traces", "--low-confidence", "--since", "1h")["traces"]
    assert [row["query"][:5] for row in doubtful] == ["where"]
    refused = documents(capsys, "traces", "--with", "no_evidence")["traces"]
    assert [row["query"][:5] for row in refused] == ["where"]
    assert documents(capsys, "traces", "--slow", "3600000")["traces"] == []

    shown = documents(capsys, "traces", "show", str(first["trace_id"])[:10])
    assert shown["trace_id"] == first["trace_id"]
    assert shown["status"] == "ok"
    assert shown["cited_doc_ids"] == [c["snippet_id"] for c in first["citations"][:1]]
    ran = ("embed", "faiss", "bm25", "fusion", "hydration", "total")
    assert all(shown[f"{stage}_latency_ms"] is not None for stage in ran)
    assert shown["rerank_latency_ms"] is None


@pytest.mark.usefixtures("repo")
def test_who_asks_for_a_word_that_no_trace_has_is_told_which_there_are(capsys: Capture) -> None:
    run(["ask", "how is a url matched?"])
    capsys.readouterr()
    assert run(["traces", "--with", "faiss_timout"]) == exit_codes.DONE
    assert "no trace has a word in `limits`" in capsys.readouterr().err

    run(["ask", "where are invoices sent by the accountant?"])
    capsys.readouterr()
    assert run(["traces", "--with", "faiss_timout"]) == exit_codes.DONE
    assert "words in the traces: no_evidence" in capsys.readouterr().err


@pytest.mark.usefixtures("repo")
def test_a_person_reads_a_line_a_trace(capsys: Capture) -> None:
    assert run(["traces"]) == exit_codes.DONE
    assert "no such trace" in capsys.readouterr().err
    assert run(["ask", "how is a url matched?"]) == exit_codes.DONE
    capsys.readouterr()
    assert run(["traces"]) == exit_codes.DONE
    (line,) = capsys.readouterr().out.splitlines()
    assert "'how is a url matched?'" in line
    assert run(["traces", "show", line.split()[0]]) == exit_codes.DONE
    assert "hybrid-rrf" in capsys.readouterr().out


@pytest.mark.usefixtures("repo")
@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["traces", "--since", "yesterday"], exit_codes.BAD_INPUT, "'yesterday' is no moment"),
        (["traces", "show"], exit_codes.USAGE, "traces show ID"),
        (["traces", "--slow", "nan"], exit_codes.USAGE, "no number of milliseconds"),
        (["traces", "show", "zzz"], exit_codes.BAD_INPUT, "no trace begins with 'zzz'"),
    ],
)
def test_mistakes_are_told(arguments: list[str], code: int, told: str, capsys: Capture) -> None:
    assert run(arguments) == code
    assert told in capsys.readouterr().err


def test_traces_can_be_switched_off(
    repo: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("TRACE_ENABLED", "false")

    assert run(["ask", "how is a url matched?"]) == exit_codes.DONE
    assert "Sources:\n[1] router.py:1-2  match_url" in capsys.readouterr().out
    assert not (repo / ".codeintel" / "traces").exists()


@pytest.mark.usefixtures("repo")
def test_searches_leave_a_trace_of_the_share_that_is_set(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("TRACE_SEARCH_SHARE", "0")
    documents(capsys, "search", "match url")
    assert documents(capsys, "traces", "--searches")["traces"] == []

    monkeypatch.setenv("TRACE_SEARCH_SHARE", "1")
    found = documents(capsys, "search", "match url", "--lang", "python")
    (row,) = documents(capsys, "traces", "--searches")["traces"]
    assert (row["query"], row["hits"]) == ("match url", len(found["hits"]))
    shown = documents(capsys, "traces", "show", row["trace_id"])
    assert shown["top_k_doc_ids"] == [hit["id"] for hit in found["hits"]]
    assert json.loads(shown["scope"])["languages"] == ["python"]
    assert shown["bm25_latency_ms"] > 0
    assert documents(capsys, "traces")["traces"] == []
    assert run(["traces", "--searches"]) == exit_codes.DONE
    assert "hits 1" in capsys.readouterr().out


def test_a_damaged_file_is_named_and_passed_over(repo: Path, capsys: Capture) -> None:
    documents(capsys, "ask", "how is a url matched?")
    day = f"{datetime.now(UTC).date()}"
    bad = repo / ".codeintel" / "traces" / f"{day}-x-000000.parquet"
    bad.write_bytes(b"PAR1 and nothing more")

    assert run(["traces"]) == exit_codes.DONE
    told = capsys.readouterr()
    assert "how is a url matched?" in told.out
    assert f"passed over {bad}" in told.err


TRACE = {"embed_latency_ms": 10.0, "faiss_latency_ms": 40.0, "bm25_latency_ms": 20.0,
         "splade_latency_ms": None, "fusion_latency_ms": 10.0, "total_latency_ms": 100.0}  # fmt: skip


def test_stages_stand_below_each_other_as_they_followed() -> None:
    lines = waterfall(TRACE).splitlines()

    assert [line.split()[0] for line in lines] == ["embed", "faiss", "bm25", "fusion", "other"]
    assert [line.index("█") - 10 for line in lines] == [0, 5, 25, 35, 40]
    assert [line.count("█") for line in lines] == [5, 20, 10, 5, 10]
    assert len({len(line) for line in lines}) == 1


def test_channels_that_cannot_have_followed_each_other_begin_together() -> None:
    lines = waterfall(TRACE | {"total_latency_ms": 60.0}).splitlines()

    starts = {line.split()[0]: line.index("█") for line in lines}
    assert starts["faiss"] == starts["bm25"] > starts["embed"]
    assert "other" not in starts


def test_an_answer_without_any_stage_has_one_bar() -> None:
    assert waterfall({"total_latency_ms": 2.0}).startswith("other")
    assert waterfall({"total_latency_ms": 0.0}) == ""
