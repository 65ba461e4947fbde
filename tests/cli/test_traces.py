import json
from pathlib import Path

import pytest

from codeintel_rev.cli import exit_codes
from codeintel_rev.cli.program import run

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
