"""The commands as a person or a script runs them, on a small repository."""

from __future__ import annotations

import json
import os
import pty
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from codeintel_rev.cli import exit_codes
from codeintel_rev.cli.program import run

Capture = pytest.CaptureFixture[str]

ROUTER = '''"""Routing of urls to views."""


class Router:
    """Finds the view of a url."""

    def match_url(self, url):
        """Return the view whose pattern matches the url."""
        for pattern, view in self.patterns:
            if pattern.match(url):
                return view
        return None
'''
STORE = '''"""Keeps sessions in memory."""


def save_session(session):
    """Store a session until it expires."""
    sessions[session.key] = session
'''


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small repository, the current folder, with nothing configured."""
    for name in ("CODEINTEL_DATA_DIR", "CODEINTEL_CONFIG", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    root = tmp_path / "web"
    (root / "src").mkdir(parents=True)
    (root / "src" / "router.py").write_text(ROUTER)
    (root / "src" / "store.py").write_text(STORE)
    (root / "README.md").write_text("# Web\n\nServes pages.\n")
    for file in root.rglob("*.*"):
        os.utime(file, (1e9, 1e9))  # a file that was just written is read again to be sure
    monkeypatch.chdir(root)
    return root


def document(capsys: Capture, *arguments: str) -> Any:
    """Run a command with ``--json`` and return its one document."""
    assert run([*arguments, "--json"]) == exit_codes.DONE
    return json.loads(capsys.readouterr().out)


def failure(capsys: Capture, *arguments: str) -> tuple[int, str]:
    """Run a command that fails, and return its exit code and the error's word."""
    code = run([*arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)["error"]["code"]


def test_a_search_indexes_first_and_finds_the_definition(repo: Path, capsys: Capture) -> None:
    found = document(capsys, "search", "match url to view", "--limit", "3")
    best = found["hits"][0]
    assert (best["uri"], best["lang"], best["repo"]) == ("src/router.py", "python", "web")
    assert best["id"].isdigit()
    assert "def match_url" in best["content"]
    assert (repo / ".codeintel").is_dir()


def test_a_search_sees_an_edit(repo: Path, capsys: Capture) -> None:
    document(capsys, "index")
    (repo / "src" / "clock.py").write_text("def tick_tock():\n    return 'tick'\n")
    found = document(capsys, "search", "tick_tock", "--mode", "exact")
    assert [hit["uri"] for hit in found["hits"]] == ["src/clock.py"]


@pytest.mark.usefixtures("repo")
def test_options_narrow_a_search(capsys: Capture) -> None:
    narrowed = document(capsys, "search", "session", "--lang", "py", "--exclude", "src/store.py")
    assert {hit["uri"] for hit in narrowed["hits"]} == {"src/router.py"}
    docs = document(capsys, "search", "pages", "--include", "*.md", "--repo-name", "web")
    assert {hit["uri"] for hit in docs["hits"]} == {"README.md"}
    nothing = document(capsys, "search", "pages", "--include", "no/such/folder/**")
    assert (nothing["hits"], nothing["limits"]) == ([], ["scope_empty"])


@pytest.mark.usefixtures("repo")
def test_a_script_reads_blocks_and_a_note_when_there_is_nothing(capsys: Capture) -> None:
    assert run(["search", "match_url", "--limit", "1", "--explain"]) == exit_codes.DONE
    first, *rest = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"src/router\.py:\d+-\d+  Router(\.match_url)?  \w+  \(\d\.\d{4}\)", first)
    assert "    def match_url(self, url):" in rest
    assert run(["search", "x", "--include", "no/such/folder/**"]) == exit_codes.DONE
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "nothing found" in captured.err
    assert "scope_empty" in captured.err


@pytest.mark.usefixtures("repo")
def test_an_answer_cites_lines(capsys: Capture) -> None:
    answer = document(capsys, "ask", "how is a url matched to a view?")
    assert "src/router.py:" in answer["answer"]
    assert answer["citations"][0]["verified"] is True
    assert run(["ask", "how is a url matched?", "--explain"]) == exit_codes.DONE
    captured = capsys.readouterr()
    assert "src/router.py:" in captured.out
    assert "synthesizer extractive" in captured.err


@pytest.mark.usefixtures("repo")
def test_index_and_status_tell_what_is_there(capsys: Capture) -> None:
    report = document(capsys, "index", "--name", "pages")
    assert (report["repos"][0]["name"], report["added"]) == ("pages", 3)
    assert document(capsys, "index")["unchanged"] == 3
    status = document(capsys, "status")
    assert (status["files"], status["repos"][0]["name"]) == (3, "pages")
    assert run(["index", "--full"]) == exit_codes.DONE
    assert "3 added" in capsys.readouterr().out
    assert run(["status"]) == exit_codes.DONE
    assert "files      3" in capsys.readouterr().out


def test_several_repositories_share_a_data_directory(repo: Path, capsys: Capture) -> None:
    other = repo.parent / "worker"
    other.mkdir()
    (other / "queue.py").write_text("def take_job():\n    return 1\n")
    assert failure(capsys, "index", str(repo), str(other)) == (3, "invalid_argument")
    shared = str(repo.parent / "data")
    document(capsys, "index", str(repo), str(other), "--data-dir", shared)
    found = document(capsys, "search", "take_job", "--data-dir", shared, "--limit", "1")
    assert found["hits"][0]["repo"] == "worker"
    run(["search", "take_job", "--data-dir", shared, "--limit", "1"])
    assert capsys.readouterr().out.startswith("worker:queue.py:1-2  take_job")


def test_what_cannot_be_used_has_its_code(repo: Path, capsys: Capture) -> None:
    assert failure(capsys, "status") == (exit_codes.INDEX, "index_missing")
    assert failure(capsys, "index", "no/such/folder") == (exit_codes.BAD_INPUT, "not_found")
    (repo.parent / "empty").mkdir()
    assert failure(capsys, "index", "../empty") == (exit_codes.BAD_INPUT, "not_found")
    assert failure(capsys, "search", "x", "--repo", "README.md")[0] == exit_codes.BAD_INPUT
    unknown = failure(capsys, "search", "x", "--repo-name", "other")
    assert unknown == (exit_codes.BAD_INPUT, "not_found")


@pytest.mark.usefixtures("repo")
def test_a_search_set_is_scored_and_held_against_thresholds(
    tmp_path: Path, capsys: Capture
) -> None:
    tree = tmp_path / "trees" / "me+web@0123456789"
    tree.mkdir(parents=True)
    (tree / "router.py").write_text(ROUTER)
    (tree / "store.py").write_text(STORE)
    row = {"repo": "me/web", "commit": "0123456789abcdef"}
    rows = [
        {"id": "1", "query": "match a url", "relevant": [{"path": "router.py"}], **row},
        {"id": "2", "query": "keep\x1b a session", "relevant": [{"path": "store.py"}], **row},
        {"id": "3", "query": "unjudged", "relevant": [], **row},
    ]
    sets = tmp_path / "web.jsonl"
    sets.write_text("".join(json.dumps(line) + "\n" for line in rows))
    command = ["eval", str(sets), "--repos", str(tree.parent), "--run", str(tmp_path / "run.json")]
    scores = document(capsys, *command, "--repo", str(tree))
    assert (tree / ".codeintel" / "evaluation").is_dir()
    assert scores["web"]["all"]["n"] == 2
    assert scores["web"]["all"]["mrr@10"] == 1.0
    assert set(json.loads((tmp_path / "run.json").read_text())) == {"1", "2"}
    least = tmp_path / "least.json"
    least.write_text('{"web": {"mrr@10": 1.0}, "absent": {"mrr@10": 0.1}}')
    assert run([*command, "--min", str(least)]) == exit_codes.BELOW
    captured = capsys.readouterr()
    assert "absent all: mrr@10 is not measured, below 0.1" in captured.err
    assert captured.out.splitlines()[1].startswith("web")


@pytest.mark.usefixtures("repo")
def test_stages_are_measured(capsys: Capture) -> None:
    measured = document(capsys, "bench", "stages")
    assert measured["files"] == 3
    assert {"chunk", "embed", "store"} <= {cost["stage"] for cost in measured["indexing"]}
    assert "search words" in {cost["stage"] for cost in measured["search"]}


def test_nothing_is_no_measure(tmp_path: Path, capsys: Capture) -> None:
    assert failure(capsys, "bench", "stages", str(tmp_path))[0] == exit_codes.BAD_INPUT


def in_terminal(*arguments: str, cwd: Path) -> bytes:
    """Return what a terminal shows of a command."""
    reader, writer = pty.openpty()
    command = [sys.executable, "-P", "-m", "codeintel_rev", *arguments]
    env = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80"}
    process = subprocess.Popen(command, cwd=cwd, stdout=writer, stderr=writer, env=env)
    os.close(writer)
    shown = b""
    while True:
        try:
            part = os.read(reader, 65536)
        except OSError:  # the terminal's other end is closed
            break
        shown += part
    os.close(reader)
    assert process.wait() == exit_codes.DONE
    return shown


def test_a_terminal_gets_colours_and_links(repo: Path, capsys: Capture) -> None:
    document(capsys, "index")
    shown = in_terminal("search", "match_url", "--limit", "1", cwd=repo)
    assert b"]8;id=" in shown
    assert (repo / "src" / "router.py").as_uri().encode() in shown
    assert b"\x1b[1;36m" in shown


@pytest.mark.parametrize(
    ("number", "word", "code"),
    [
        (signal.SIGINT, "interrupted", exit_codes.INTERRUPTED),
        (signal.SIGTERM, "terminated", exit_codes.TERMINATED),
    ],
)
def test_a_run_that_is_ended_leaves_the_index_as_it_was(
    repo: Path, capsys: Capture, number: int, word: str, code: int
) -> None:
    document(capsys, "index")
    command = [sys.executable, "-P", "-m", "codeintel_rev", "index", "--full"]
    with (
        writer_lock_held(repo),
        subprocess.Popen(command, cwd=repo, stderr=subprocess.PIPE, text=True) as process,
    ):
        assert process.stderr is not None
        assert "waiting for" in process.stderr.readline()
        process.send_signal(number)
        _, told = process.communicate(timeout=30)
    assert process.returncode == code
    assert told.startswith(f"codeintel: {word} (the index stands as it did before")
    assert told.count("\n") == 1
    assert document(capsys, "search", "match_url")["hits"]


@pytest.mark.parametrize(
    "words", [["search", "url"], ["search", "url", "--json"], ["status"], ["--help"]]
)
def test_a_full_disk_behind_the_output_is_told_on_one_line(
    repo: Path, capsys: Capture, words: list[str]
) -> None:
    document(capsys, "index")
    command = [sys.executable, "-P", "-m", "codeintel_rev", *words]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command, cwd=repo, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == exit_codes.SERVICE
    assert done.stderr.startswith("codeintel: the output cannot be written: No space left")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_standard_stream_that_is_closed_is_never_taken_by_a_file_of_the_index(
    repo: Path, capsys: Capture, number: int
) -> None:
    """What a library tells on a stream would else be written into the index."""
    command = f'exec {shlex.quote(sys.executable)} -P -m codeintel_rev "$@" {number}>&-'
    for words, code in [(["index", "--json"], 0), (["search", "url"], 0), (["search", ""], 3)]:
        done = subprocess.run(
            ["/bin/sh", "-c", command, "sh", *words],
            cwd=repo,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr
    assert document(capsys, "search", "match_url")["hits"]


@pytest.mark.parametrize("name", ["numpy", "tantivy", "secrets", "sqlite3", "hashlib"])
def test_a_module_of_the_repository_is_never_imported(repo: Path, name: str) -> None:
    (repo / f"{name}.py").write_text("raise SystemExit('imported from the repository')\n")
    for words in (["index"], ["search", "match_url"], ["index", "--full"]):
        done = subprocess.run(
            [sys.executable, "-m", "codeintel_rev", *words],
            cwd=repo,
            env={**os.environ, "INDEX_WORKERS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, "imported" in done.stderr) == (exit_codes.DONE, False), done.stderr


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    command = f"cd {tmp_path}/gone; rmdir ../gone; {sys.executable} -P -m codeintel_rev search x"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == exit_codes.BAD_INPUT
    assert done.stderr == "codeintel: . does not exist (name an existing folder)\n"


def test_a_second_writer_fails_at_once_when_told_not_to_wait(repo: Path, capsys: Capture) -> None:
    document(capsys, "index")
    with writer_lock_held(repo):
        assert failure(capsys, "index", "--full", "--no-wait") == (exit_codes.BUSY, "busy")


@contextmanager
def writer_lock_held(repo: Path) -> Iterator[None]:
    """Let another process write, as far as anyone can tell, for ever."""
    (lock,) = repo.glob(".codeintel/repos/*/locks/writer")
    code = (
        "import sys; from pathlib import Path\n"
        "from codeintel_rev.io import file_lock\n"
        "with file_lock.hold(Path(sys.argv[1])):\n"
        "    print('held', flush=True); sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", code, str(lock)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield
        finally:
            process.stdin.close()


def test_a_reader_that_closes_the_pipe_is_no_error(repo: Path, capsys: Capture) -> None:
    document(capsys, "index")
    command = f"{shlex.quote(sys.executable)} -P -m codeintel_rev search url | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=repo, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (exit_codes.DONE, b"")


def test_the_shell_can_complete_commands_and_options(repo: Path) -> None:
    env = {**os.environ, "_CODEINTEL_COMPLETE": "complete_bash", "COMP_WORDS": "codeintel se"}
    env["COMP_CWORD"] = "1"
    command = [sys.executable, "-P", "-m", "codeintel_rev"]
    done = subprocess.run(command, cwd=repo, env=env, capture_output=True, text=True, check=False)
    assert "search" in done.stdout.split()
    env |= {"COMP_WORDS": "codeintel search --ex", "COMP_CWORD": "2"}
    done = subprocess.run(command, cwd=repo, env=env, capture_output=True, text=True, check=False)
    assert set(done.stdout.split()) == {"--exclude", "--explain"}
