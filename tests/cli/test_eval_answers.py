import json
from pathlib import Path

import pytest

from codeintel_rev.cli import exit_codes
from codeintel_rev.cli.program import run
from tests.fakes.model_server import DONE, ModelServer, chunk, serving

COMMIT = "a" * 40


@pytest.fixture
def trees(tmp_path: Path) -> Path:
    for name, text in (
        ("owner+web", "def match_url(url):\n    '''Find the view of a URL.'''\n    return url\n"),
        ("owner+shop", "def add_to_basket(item):\n    '''Put an item in.'''\n    return item\n"),
    ):
        folder = tmp_path / "trees" / f"{name}@{COMMIT[:10]}"
        folder.mkdir(parents=True)
        (folder / "code.py").write_text(text)
    return tmp_path / "trees"


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    gold = [{"path": "code.py", "start_line": 1, "end_line": 3}]
    rows = [
        {"id": "1", "query": "how is the view of a url found?", "repo": "owner/web", "relevant": gold},
        {"id": "2", "query": "where is an item put in the basket?", "repo": "owner/shop", "relevant": gold},
        {"id": "3", "query": "what does match_url return?", "repo": "owner/web", "relevant": [],
         "reference_answer": "`match_url` returns the `url`"},
    ]  # fmt: skip
    path = tmp_path / "asked.jsonl"
    path.write_text("".join(json.dumps(row | {"commit": COMMIT}) + "\n" for row in rows))
    return path


def test_answers_are_scored_on_their_own_repository_and_on_others(
    questions: Path, trees: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prompt = tmp_path / "short.txt"
    prompt.write_text("Answer from the snippets.")
    arguments = [str(questions), "--repos", str(trees), "--data-dir", str(tmp_path / "data")]

    code = run(["eval-answers", *arguments, "--elsewhere", "1", "--prompt", str(prompt), "--json"])

    document = json.loads(capsys.readouterr().out)
    assert code == exit_codes.DONE
    scores = document["sets"]["asked"]
    assert (scores["n"], scores["unverified"], scores["found_in_context"]) == (3, 0, 1)
    assert scores["names_in_answer"] == 0.5
    short, built_in = (document["sets"][f"asked prompt={n}"] for n in ("short", "built-in"))
    assert short["tokens"] < built_in["tokens"]
    assert document["elsewhere"]["n"] == 3
    assert document["confidence"]["auc"] > 0.5
    assert {"bm25", "total"} <= document["latency_ms"].keys()
    assert not list((tmp_path / "data").rglob("journal.jsonl"))

    assert run(["eval-answers", *arguments]) == exit_codes.DONE
    assert "citation_recall" in capsys.readouterr().out


def test_prompts_are_compared_by_what_a_language_model_makes_of_them(
    questions: Path,
    trees: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    short = "Answer from the snippets."
    (tmp_path / "short.txt").write_text(short)
    with serving(ModelServer()) as server:
        server.stream = [chunk("It is "), chunk("`match_url` [1][9]."), DONE]
        monkeypatch.setenv("VLLM_CHAT_BASE_URL", server.url)
        monkeypatch.setenv("VLLM_CHAT_MODEL", "m")
        monkeypatch.setenv("ANSWER_SYNTHESIS_TIMEOUT_MS", "60000")
        monkeypatch.setenv("ANSWER_TIME_BUDGET_MS", "60000")
        code = run(["eval-answers", str(questions), "--repos", str(trees), "--json",
                    "--data-dir", str(tmp_path / "data"), "--prompt", str(tmp_path / "short.txt")])  # fmt: skip
        prompts = [body["messages"] for body in server.bodies("/v1/chat/completions")]

    assert code == exit_codes.DONE
    scores = json.loads(capsys.readouterr().out)["sets"]["asked prompt=short"]
    assert (scores["citations"], scores["citation_invalid"], scores["citation_missing"]) == (
        1,
        1,
        0,
    )
    assert scores["citation_precision"] == 1
    assert scores["tokens_out"] > 0
    assert len(prompts) == 9  # three questions: as they are, and with each of the two texts
    told_short = [messages for messages in prompts if messages[0]["content"] == short]
    assert [m[1] for m in told_short] == [m[1] for m in prompts[::3]]


def test_a_prompt_that_cannot_be_read_is_named(
    questions: Path, trees: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(["eval-answers", str(questions), "--repos", str(trees), "--prompt", "no/such.txt",
                "--data-dir", str(tmp_path / "data")])  # fmt: skip

    assert code == exit_codes.BAD_INPUT
    assert "no/such.txt" in capsys.readouterr().err


def test_two_prompts_of_one_name_are_not_mixed_up(
    questions: Path, trees: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "built-in.txt").write_text("Answer from the snippets.")
    code = run(["eval-answers", str(questions), "--repos", str(trees), "--data-dir",
                str(tmp_path / "data"), "--prompt", str(tmp_path / "built-in.txt")])  # fmt: skip

    assert code == exit_codes.BAD_INPUT
    assert "two prompts are called 'built-in'" in capsys.readouterr().err
