"""What the documents name exists, and what exists is named where people look for it."""

from __future__ import annotations

import functools
import re
import subprocess
import sys
from pathlib import Path

import pytest

from codeintel_rev.app.asked_place import NO_FILE, NO_LINE
from codeintel_rev.observability.labelled import OTHER
from codeintel_rev.observability.metrics import LIMITS

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    path
    for folder in (".", "docs", "benchmarks", "training", "codeintel_rev/data")
    for path in (ROOT / folder).glob("*.md")
)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
SHOWN_COMMAND = re.compile(r"\bcodeintel ([a-z][a-z-]*)([^\n|`]*)")
WORD = re.compile(r"`([a-z0-9_]+)`")
FLAG = re.compile(r"--[a-z][a-z-]*")

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))


def prose(page: Path) -> str:
    """The page without its code, where brackets are no links and `#` is no heading."""
    return CODE.sub(" ", page.read_text(encoding="utf-8"))


def code(page: Path) -> str:
    """Only the page's code, one fragment a line."""
    return "\n".join(CODE.findall(page.read_text(encoding="utf-8")))


def anchors(page: Path) -> set[str]:
    """The fragments under which a page's headings can be linked."""
    headings = HEADING.findall(re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL))
    titles = (LINK.sub(lambda link: link[0].split("]")[0][1:], title) for title in headings)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def python_example(page: Path) -> str:
    return re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)[0]


def make_targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(" ".join(re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)).split())


def run(*command: str) -> str:
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@functools.cache
def cli_help(*command: str) -> str:
    return run(sys.executable, "-m", "codeintel_rev", *command, "--help")


@every_page
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for target in LINK.findall(prose(page)):
        if target.startswith(("https://", "mailto:")):
            continue
        path, _, fragment = target.partition("#")
        linked = (page.parent / path) if path else page
        if not linked.exists() or (fragment and fragment not in anchors(linked)):
            broken.append(target)
    assert broken == []


@every_page
def test_make_targets_that_a_page_shows_exist(page: Path) -> None:
    shown = set(re.findall(r"\bmake ([a-z][a-z-]*)", code(page)))
    assert shown <= make_targets()


def test_help_lists_every_target() -> None:
    listed = set(
        re.findall(r"^ +make (\S+)", run("make", "--no-print-directory", "help"), re.MULTILINE)
    )
    assert listed == make_targets()


@every_page
def test_commands_that_a_page_shows_exist(page: Path) -> None:
    for command, rest in sorted(set(SHOWN_COMMAND.findall(code(page)))):
        known = FLAG.findall(cli_help()) + FLAG.findall(cli_help(command))
        assert set(FLAG.findall(rest)) <= set(known), command


def test_every_word_that_limits_a_result_is_explained() -> None:
    page = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    explained = {
        word
        for row in re.findall(r"^\| (`.*?) \|", page, re.MULTILINE)
        for word in WORD.findall(row)
    }
    assert {*LIMITS, NO_FILE, NO_LINE} - {OTHER} <= explained


def test_every_page_of_docs_is_listed() -> None:
    listed = set(LINK.findall((ROOT / "docs" / "README.md").read_text(encoding="utf-8")))
    assert {page.name for page in (ROOT / "docs").glob("*.md")} - {"README.md"} <= listed


def test_architecture_has_a_heading_for_every_folder() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    linked = {target for line in HEADING.findall(text) for target in LINK.findall(line)}
    folders = {
        f"codeintel_rev/{path.parent.name}" for path in (ROOT / "codeintel_rev").glob("*/*.py")
    }
    assert folders <= linked


@pytest.mark.parametrize("page", ["README.md", "docs/python.md"])
def test_the_python_example_of_a_page_runs(page: str, tmp_path: Path) -> None:
    (tmp_path / "routes.py").write_text("def match_url(url):\n    return url in ROUTES\n")
    example = python_example(ROOT / page).replace("path/to/repository", str(tmp_path))
    assert "routes.py:1-2" in run(sys.executable, "-c", example)
