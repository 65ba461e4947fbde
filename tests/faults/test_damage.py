"""What is left of an index when its files are damaged or its disk is full."""

from __future__ import annotations

import json
import os
import random
import shlex
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest

import codeintel_rev
from codeintel_rev.app.doctor import examine, repair
from codeintel_rev.app.indexer import index_repositories
from codeintel_rev.app.local import open_index
from codeintel_rev.app.refreshing import quiet
from codeintel_rev.config.settings import Settings
from codeintel_rev.errors import CodeIntelError, IndexDamaged, IndexMissing
from tests.faults.kill import source
from tests.faults.oracle import contents


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """An indexed folder of files that were not edited lately."""
    root = tmp_path / "shop"
    root.mkdir()
    for number in range(4):
        path = root / f"part{number}.py"
        path.write_text(source(number, "only"))
        os.utime(path, (1e9, 1e9))
    index_repositories([root])
    return root


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for _ in range(3):
        data[random.Random(len(data)).randrange(len(data))] ^= 0xFF
    path.write_bytes(data)


def remove(path: Path) -> None:
    path.unlink()


Damage = Callable[[Path], None]


@pytest.mark.parametrize("damage", [truncate, empty, remove])
@pytest.mark.parametrize("pattern", ["meta.json", "*.term", "*.fast"])
def test_without_its_words_an_index_is_searched_by_meaning(
    repo: Path, pattern: str, damage: Damage, caplog: pytest.LogCaptureFixture
) -> None:
    before = contents(repo)
    damage(next((repo / ".codeintel").glob(f"repos/*/lexical/0/{pattern}")))
    with codeintel_rev.open(repo) as index:
        result = index.search("part number 2")
    assert result.limits == ("bm25_error",)
    assert result.hits
    assert "the word index 0 of " in caplog.text
    assert "doctor --repair" in caplog.text
    assert repair(repo / ".codeintel", Settings(), quiet).ok
    assert contents(repo) == before


@pytest.mark.parametrize("pattern", ["*.term", "*.fast", "*.idx", "*.fieldnorm"])
def test_flipped_bits_are_found_and_mended(repo: Path, pattern: str) -> None:
    before = contents(repo)
    flip(next((repo / ".codeintel").glob(f"repos/*/lexical/0/{pattern}")))
    assert not examine(repo / ".codeintel").ok
    assert repair(repo / ".codeintel", Settings(), quiet).ok
    assert contents(repo) == before


@pytest.mark.parametrize("damage", [truncate, empty, remove])
def test_without_its_vectors_an_index_is_searched_by_words(
    repo: Path, damage: Damage, caplog: pytest.LogCaptureFixture
) -> None:
    before = contents(repo)
    damage(next((repo / ".codeintel").glob("repos/*/vectors/*.f16")))
    with codeintel_rev.open(repo) as index:
        result = index.search("only_2_1")
    assert result.limits == ("faiss_error",)
    assert result.hits[0].uri == "part2.py"
    assert "the vector file rows-0.f16 holds " in caplog.text
    assert repair(repo / ".codeintel", Settings(), quiet).ok
    assert contents(repo) == before


def set_in_journal(repo: Path, sql: str, *values: object) -> None:
    (journal,) = (repo / ".codeintel").glob("repos/*/state.sqlite")
    with closing(sqlite3.connect(journal)) as connection, connection:
        assert connection.execute(sql, values).rowcount


def test_a_text_that_cannot_be_read_costs_its_own_hit(
    repo: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = contents(repo)
    part2 = "(SELECT id FROM path WHERE path = 'part2.py')"
    set_in_journal(repo, f"UPDATE chunk SET content = x'78' WHERE path_id = {part2}")
    with codeintel_rev.open(repo) as index:
        searches = [
            index.search("only_2_1"),
            index.search_all("return"),
            index.search_all("only_", symbols=True),
            index.related("part1.py", 1),
        ]
        assert "hydration_error" in index.ask("What does only_2_1 do?").limits
    for result in searches:
        assert result.limits == ("hydration_error",)
        assert result.hits
        assert "part2.py" not in {hit.uri for hit in result.hits}
    assert "is left out: the journal holds what cannot be unpacked" in caplog.text
    found = {finding.name: finding for finding in examine(repo / ".codeintel").checks}
    assert "1 texts cannot be unpacked" in found["shop: chunks"].detail
    assert repair(repo / ".codeintel", Settings(), quiet).ok
    assert contents(repo) == before


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("UPDATE version SET spans = ?", b"\1\2\3"),
        ("UPDATE version SET content_hash = ?", "no bytes"),
        ("UPDATE path SET path = ?  WHERE id = 1", b""),
        ("UPDATE snapshot SET live = ?", "no bytes"),
        ("UPDATE snapshot SET ref = ?", b"no text"),
    ],
)
def test_a_garbled_column_is_told_as_damage_and_mended(repo: Path, sql: str, value: object) -> None:
    before = contents(repo)
    set_in_journal(repo, sql, value)
    with pytest.raises(IndexDamaged) as caught, open_index(repo, refresh=False) as index:
        index.search_all("only")
    assert "doctor --repair" in caught.value.hint
    assert not examine(repo / ".codeintel").ok
    assert repair(repo / ".codeintel", Settings(), quiet).ok
    assert contents(repo) == before


@pytest.mark.parametrize("seed", range(6))
def test_flipped_bits_of_the_journal_are_never_a_raw_error(repo: Path, seed: int) -> None:
    (journal,) = (repo / ".codeintel").glob("repos/*/state.sqlite")
    with closing(sqlite3.connect(journal)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data, draw = bytearray(journal.read_bytes()), random.Random(seed)
    for _ in range(8):
        data[draw.randrange(100, len(data))] ^= 1 << draw.randrange(8)
    journal.write_bytes(data)
    for refresh in (False, True):
        with suppress(CodeIntelError), open_index(repo, refresh=refresh) as index:
            index.search("part number 2")
            index.search_all("only")
            index.status()
    examine(repo / ".codeintel")
    assert repair(repo / ".codeintel", Settings(), quiet).ok


def test_a_damaged_journal_is_built_anew(repo: Path) -> None:
    before = contents(repo)
    truncate(next((repo / ".codeintel").glob("repos/*/state.sqlite")))
    with pytest.raises(IndexDamaged, match=r"state\.sqlite cannot be read") as caught:
        open_index(repo)
    assert "index --full" in caught.value.hint
    assert repair(repo / ".codeintel", Settings(), quiet).ok
    assert contents(repo) == before


@pytest.mark.parametrize("damage", [empty, remove])
@pytest.mark.parametrize("name", ["state.sqlite", "registry.sqlite"])
def test_a_lost_record_is_made_again_and_what_it_named_is_not_mixed_in(
    repo: Path, name: str, damage: Damage
) -> None:
    (repo / "part0.py").unlink()
    damage(next((repo / ".codeintel").rglob(name)))
    with pytest.raises(IndexMissing):
        open_index(repo, refresh=False)
    codeintel_rev.open(repo).close()
    after = contents(repo)
    index_repositories([repo], full=True)
    assert contents(repo) == after


FULL = """
import resource, sys
from pathlib import Path
import codeintel_rev
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
with codeintel_rev.open(Path(sys.argv[1])) as index:
    print(*index.search("only_1_2").limits, index.search("only_1_2").hits[0].uri)
"""


@pytest.mark.parametrize("most_bytes", [0, 100, 20_000])
def test_a_full_disk_stops_the_refresh_and_not_the_search(repo: Path, most_bytes: int) -> None:
    before = contents(repo)
    (repo / "added.py").write_text("\n".join(source(n, "added") for n in range(500)))
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(repo), str(most_bytes)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["stale_index", "part1.py"], done.stderr
    assert "nothing can be written to " in done.stderr
    assert "--data-dir" in done.stderr
    assert contents(repo) == before
    index_repositories([repo])
    assert len(contents(repo).chunks) > len(before.chunks)


def test_a_read_only_data_directory_is_searched(repo: Path) -> None:
    data, program = shlex.quote(f"{repo}/.codeintel"), shlex.quote(sys.executable)
    read_only = (
        f"mount --bind -o ro {data} {data} 2>/dev/null"
        f" && mount -o remount,bind,ro {data}"
        f" && exec {program} -m codeintel_rev search only_1_2 --repo {shlex.quote(str(repo))} --json"
    )
    if subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
        pytest.skip("mounting takes rights that this process does not have")
    (repo / "part1.py").write_text(source(1, "edited"))
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", read_only], capture_output=True, text=True, check=False
    )
    found = json.loads(done.stdout)
    assert found["limits"] == ["stale_index"], done.stderr
    assert found["hits"][0]["uri"] == "part1.py"
    assert found["hits"][0]["scores"]["bm25"] is not None
