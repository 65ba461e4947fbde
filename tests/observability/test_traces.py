"""Traces of answers: no crowd, kill or full disk costs more than is promised."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from codeintel_rev.app.trace_reader import TraceFilter, TraceReader
from codeintel_rev.observability import trace_files
from codeintel_rev.observability.answer_trace import AnswerTrace
from codeintel_rev.observability.answer_tracer import AnswerTracer
from codeintel_rev.observability.search_trace import SearchTrace
from codeintel_rev.observability.trace_journal import TraceJournal, drain
from codeintel_rev.observability.trace_schema import VERSION, VERSION_KEY, schema_of, version_of

TRACE = AnswerTrace(
    trace_id="t0",
    session_id=None,
    timestamp=datetime(2026, 3, 1, 12, 0, tzinfo=UTC),
    query="where is it? \N{SNOWMAN}",
    scope='{"languages":["python"]}',
    mode="hybrid",
    retrieval="hybrid-rrf",
    synthesizer="extractive",
    generation='{"repo":2}',
    sequence='{"repo":7}',
    stale=False,
    embed_latency_ms=0.1,
    faiss_latency_ms=1.5,
    bm25_latency_ms=2.5,
    splade_latency_ms=None,
    fusion_latency_ms=0.5,
    hydration_latency_ms=3.0,
    rerank_latency_ms=None,
    synthesis_latency_ms=None,
    total_latency_ms=9.0,
    candidates=10,
    top_k_doc_ids=(2**62, 1),
    reranked_doc_ids=(),
    cited_doc_ids=(1,),
    model_id=None,
    tokens_in=None,
    tokens_out=None,
    ttft_ms=None,
    tps=None,
    confidence=0.7,
    limits=("stale_index",),
    status="ok",
    error=None,
)


def traces(count: int, prefix: str = "t") -> list[AnswerTrace]:
    return [replace(TRACE, trace_id=f"{prefix}{n}") for n in range(count)]


def ids_in(folder: Path) -> list[str]:
    tables = [pq.read_table(path) for path in trace_files.trace_paths(folder)]
    return sorted(name for table in tables for name in table["trace_id"].to_pylist())


def emit_many(folder: Path, prefix: str, count: int) -> None:
    tracer = AnswerTracer(folder, batch_size=16)
    for trace in traces(count, prefix):
        tracer.emit(trace)
    tracer.close()


def test_a_trace_is_read_back_as_it_was_written(tmp_path):
    trace_files.write_flush(tmp_path, "w", 1, [TRACE])

    (path,) = trace_files.trace_paths(tmp_path)
    table = pq.read_table(path)
    assert path.name == "2026-03-01-w-000001.parquet"
    assert table.schema.equals(schema_of(AnswerTrace))
    (row,) = table.to_pylist()
    listed = {name: tuple(v) if isinstance(v, list) else v for name, v in row.items()}
    assert AnswerTrace(**listed) == TRACE


def test_a_thousand_traces_of_four_processes_are_all_kept(tmp_path):
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=emit_many, args=(tmp_path, f"{n}-", 250)) for n in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)

    assert [worker.exitcode for worker in workers] == [0] * 4
    assert ids_in(tmp_path) == sorted(f"{n}-{i}" for n in range(4) for i in range(250))
    assert not list(tmp_path.glob("*.new"))


def test_the_tracer_is_found_beside_the_record_and_costs_nothing_before():
    program = (
        "import sys; from codeintel_rev.observability.answer_trace import AnswerTrace;"
        " assert 'pyarrow' not in sys.modules;"
        " from codeintel_rev.observability.answer_trace import AnswerTracer;"
        " print(AnswerTracer.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    assert done.stdout == b"AnswerTracer\n"


def test_a_full_batch_does_not_wait_for_the_interval(tmp_path):
    written = threading.Event()

    def write(*flush: object) -> None:
        trace_files.write_flush(*flush)  # type: ignore[arg-type]
        written.set()

    tracer = AnswerTracer(tmp_path, batch_size=3, flush_seconds=3600, write=write)
    for trace in traces(3):
        tracer.emit(trace)

    assert written.wait(30)
    assert ids_in(tmp_path) == ["t0", "t1", "t2"]
    tracer.close()


KILLED = """
import sys, threading
from dataclasses import replace
from pathlib import Path
import tests.observability.test_traces as t
from codeintel_rev.observability import trace_files
from codeintel_rev.observability.answer_tracer import AnswerTracer

folder = Path(sys.argv[1])
def write(*flush):
    trace_files.write_flush(*flush)
    print("flushed", flush=True)
tracer = AnswerTracer(folder, batch_size=1000, flush_seconds=0.05, write=write)
for trace in t.traces(20):
    tracer.emit(trace)
threading.Event().wait()
"""


def test_a_kill_loses_nothing_older_than_the_interval(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "flushed\n"
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    process.stdout.close()

    kept = ids_in(tmp_path)
    assert kept  # every file that is there is whole
    assert set(kept) <= {f"t{n}" for n in range(20)}


class FullDisk:
    """Takes nothing until it is told that there is room again."""

    def __init__(self) -> None:
        self.is_full = True
        self.refused = threading.Event()
        self.refused_again = threading.Event()

    def __call__(
        self, folder: Path, worker: str, number: int, batch: Sequence[AnswerTrace]
    ) -> None:
        if self.is_full:
            (self.refused_again if self.refused.is_set() else self.refused).set()
            raise OSError(errno.ENOSPC, "No space left on device")
        trace_files.write_flush(folder, worker, number, batch)


def test_what_a_full_disk_refused_is_written_when_there_is_room(tmp_path):
    disk = FullDisk()
    tracer = AnswerTracer(tmp_path, batch_size=2, flush_seconds=0.01, write=disk)
    for trace in traces(4):
        tracer.emit(trace)
    assert disk.refused.wait(30)
    disk.is_full = False
    tracer.close()

    assert ids_in(tmp_path) == ["t0", "t1", "t2", "t3"]
    assert tracer.failed_writes >= 1
    assert (tracer.written, tracer.dropped) == (4, 0)


def test_a_full_disk_is_not_tried_again_and_again(tmp_path):
    disk = FullDisk()
    tracer = AnswerTracer(tmp_path, batch_size=2, flush_seconds=3600, write=disk)
    for trace in traces(4):
        tracer.emit(trace)
    assert disk.refused.wait(30)
    for trace in traces(4):
        tracer.emit(trace)

    assert not disk.refused_again.wait(0.2)
    tracer.close()


def test_a_trace_that_no_file_takes_does_not_keep_the_others_waiting(tmp_path):
    tracer = AnswerTracer(tmp_path, batch_size=1)
    tracer.emit(replace(TRACE, query="half \ud800"))
    tracer.emit(TRACE)
    tracer.close()

    assert ids_in(tmp_path) == ["t0"]
    assert (tracer.written, tracer.dropped) == (1, 1)


def test_a_disk_that_stays_full_costs_the_oldest_traces_and_they_are_counted(tmp_path):
    disk = FullDisk()
    tracer = AnswerTracer(tmp_path, batch_size=100, flush_seconds=3600, capacity=10, write=disk)
    for trace in traces(25):
        tracer.emit(trace)
    tracer.close()
    tracer.emit(TRACE)

    assert (tracer.emitted, tracer.written, tracer.dropped) == (26, 0, 26)


def test_the_journal_becomes_a_file_once(tmp_path):
    folder = tmp_path / "traces"
    journal = TraceJournal(folder)
    for trace in traces(3):
        journal.emit(trace)

    assert drain(folder, AnswerTrace) == 3
    assert drain(folder, AnswerTrace) == 0
    assert ids_in(folder) == ["t0", "t1", "t2"]


def append_many(folder: Path, prefix: str, count: int) -> None:
    journal = TraceJournal(folder)
    for trace in traces(count, prefix):
        journal.emit(trace)


def test_a_journal_that_is_drained_while_others_append_loses_nothing(tmp_path):
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=append_many, args=(tmp_path, f"{n}-", 100)) for n in range(2)]
    for worker in workers:
        worker.start()
    while any(worker.is_alive() for worker in workers):
        drain(tmp_path, AnswerTrace)
        workers[0].join(0.02)
    drain(tmp_path, AnswerTrace)

    assert [worker.exitcode for worker in workers] == [0, 0]
    assert ids_in(tmp_path) == sorted(f"{n}-{i}" for n in range(2) for i in range(100))


def test_lines_that_a_killed_process_had_taken_are_picked_up(tmp_path):
    TraceJournal(tmp_path).emit(TRACE)
    (tmp_path / "journal.jsonl").rename(tmp_path / "journal-1-dead.taken")

    assert drain(tmp_path, AnswerTrace) == 1
    assert ids_in(tmp_path) == ["t0"]


def test_a_damaged_line_costs_itself_only(tmp_path):
    TraceJournal(tmp_path).emit(TRACE)
    with (tmp_path / "journal.jsonl").open("ab") as file:
        file.write(b'{"trace_id": "torn')

    assert drain(tmp_path, AnswerTrace) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_read_only_folder_costs_the_trace_only(tmp_path):
    tmp_path.chmod(0o555)
    journal = TraceJournal(tmp_path)
    journal.emit(TRACE)

    assert journal.dropped == 1


def test_a_folder_that_is_gone_is_not_made_again(tmp_path):
    journal = TraceJournal(tmp_path / "gone" / "traces")
    journal.emit(TRACE)

    assert journal.dropped == 1
    assert not (tmp_path / "gone").exists()


def test_days_that_are_over_become_one_file_each_and_old_ones_go(tmp_path):
    old = replace(TRACE, trace_id="old", timestamp=datetime(2025, 1, 1, tzinfo=UTC))
    trace_files.write_flush(tmp_path, "a", 0, [*traces(2), old])
    trace_files.write_flush(tmp_path, "b", 0, traces(2)[1:])
    today = replace(TRACE, trace_id="now", timestamp=datetime(2026, 3, 2, tzinfo=UTC))
    trace_files.write_flush(tmp_path, "a", 1, [today])

    trace_files.tidy(tmp_path, AnswerTrace, date(2026, 3, 2), keep_days=30)

    names = [path.name for path in trace_files.trace_paths(tmp_path)]
    assert names == ["2026-03-01.parquet", "2026-03-02-a-000001.parquet"]
    assert ids_in(tmp_path) == ["now", "t0", "t1"]


def test_a_server_tidies_though_nobody_reads_its_traces(tmp_path):
    now = datetime.now(UTC)
    over, old = now - timedelta(days=1), now - timedelta(days=40)
    for number, then in enumerate((over, over, old)):
        then_trace = replace(TRACE, trace_id=f"d{number}", timestamp=then)
        trace_files.write_flush(tmp_path, "a", number, [then_trace])
    tracer = AnswerTracer(tmp_path, batch_size=1, keep_days=30)
    tracer.emit(replace(TRACE, trace_id="now", timestamp=now))
    joined = tmp_path / f"{over.date()}.parquet"
    deadline = time.monotonic() + 60
    while not joined.exists() or len(trace_files.trace_paths(tmp_path)) != 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    tracer.close()

    assert ids_in(tmp_path) == ["d0", "d1", "now"]


def test_flushes_of_a_busy_day_are_joined_before_it_is_over(tmp_path):
    for number in range(trace_files.MANY_FLUSHES):
        trace_files.write_flush(tmp_path, "a", number, traces(1, f"{number}-"))

    trace_files.tidy(tmp_path, AnswerTrace, TRACE.timestamp.date(), keep_days=30)

    assert [path.name for path in trace_files.trace_paths(tmp_path)] == ["2026-03-01.parquet"]
    assert len(ids_in(tmp_path)) == trace_files.MANY_FLUSHES


SEARCH = SearchTrace(
    trace_id="s0",
    session_id="mine",
    timestamp=TRACE.timestamp,
    query="retries",
    scope=None,
    mode="lexical",
    embed_latency_ms=None,
    faiss_latency_ms=None,
    bm25_latency_ms=2.5,
    fusion_latency_ms=0.5,
    hydration_latency_ms=1.0,
    total_latency_ms=4.5,
    top_k_doc_ids=(2**62,),
    limits=(),
)


def test_searches_are_kept_apart_from_answers(tmp_path):
    tracer = AnswerTracer(tmp_path)
    tracer.emit(SEARCH)
    tracer.emit(TRACE)
    tracer.close()
    TraceJournal(tmp_path).emit(replace(SEARCH, trace_id="s1"))

    assert drain(tmp_path, SearchTrace) == 1
    assert ids_in(tmp_path) == ["t0"]
    assert ids_in(trace_files.folder_of(tmp_path, SearchTrace)) == ["s0", "s1"]


NEW, OLD = date(2026, 3, 2), {"error", "status"}


def earlier_file(path: Path) -> None:
    """Write a file of a version that had no columns for how an answer ended, and another instead."""
    table = pa.Table.from_pylist([asdict(TRACE)], schema=schema_of(AnswerTrace)).drop(list(OLD))
    table = table.append_column("weather", pa.array(["fair"])).replace_schema_metadata(None)
    pq.write_table(table, path)


def later_file(path: Path) -> None:
    later = {VERSION_KEY: str(VERSION + 1).encode()}
    pq.write_table(pa.table({"trace_id": [7]}).replace_schema_metadata(later), path)


def torn_file(path: Path) -> None:
    trace_files.write_flush(path.parent, "torn", 0, [replace(TRACE, trace_id="torn")])
    whole = path.parent / "2026-03-01-torn-000000.parquet"
    path.write_bytes(whole.read_bytes()[:-20])
    whole.unlink()


def spoiled_file(path: Path) -> None:
    """Write a file whose end is whole, and whose pages are not."""
    torn = [replace(TRACE, trace_id=f"{n}", query=f"{n}" * n) for n in range(200)]
    trace_files.write_flush(path.parent, "spoiled", 0, torn)
    whole = path.parent / "2026-03-01-spoiled-000000.parquet"
    data = bytearray(whole.read_bytes())
    data[4 : len(data) // 2] = bytes(len(data) // 2 - 4)
    whole.unlink()
    path.write_bytes(data)


def test_days_of_earlier_versions_are_joined_with_what_they_lack_left_empty(tmp_path):
    earlier_file(tmp_path / "2026-03-01-a-000000.parquet")
    trace_files.write_flush(tmp_path, "b", 0, [replace(TRACE, trace_id="t1")])

    trace_files.tidy(tmp_path, AnswerTrace, NEW, keep_days=30)

    table = pq.read_table(tmp_path / "2026-03-01.parquet")
    assert table.schema.equals(schema_of(AnswerTrace))
    assert version_of(table.schema) == VERSION
    assert table["status"].to_pylist() == [None, "ok"]


@pytest.mark.parametrize("broken", [later_file, torn_file, spoiled_file])
def test_what_cannot_be_read_is_left_where_it_is(tmp_path, broken):
    bad = tmp_path / "2026-03-01-a-000000.parquet"
    broken(bad)
    trace_files.write_flush(tmp_path, "b", 0, [TRACE])

    trace_files.tidy(tmp_path, AnswerTrace, NEW, keep_days=30)

    assert trace_files.trace_paths(tmp_path) == [bad, tmp_path / "2026-03-01.parquet"]
    assert pq.read_table(tmp_path / "2026-03-01.parquet")["trace_id"].to_pylist() == ["t0"]


@pytest.mark.parametrize("broken", [later_file, torn_file, spoiled_file])
def test_a_file_that_cannot_be_read_costs_its_own_traces_only(tmp_path, broken):
    bad = tmp_path / f"{datetime.now(UTC).date()}-a-000000.parquet"
    broken(bad)
    trace_files.write_flush(tmp_path, "b", 0, [replace(TRACE, timestamp=datetime.now(UTC))])

    reader = TraceReader(tmp_path, keep_days=30)

    assert [row["trace_id"] for row in reader.answers(TraceFilter())] == ["t0"]
    assert reader.row("t0")["query"] == TRACE.query
    assert reader.damaged == [bad]


def test_files_of_earlier_versions_are_read_beside_others(tmp_path):
    today = f"{datetime.now(UTC).date()}"
    earlier_file(tmp_path / f"{today}-a-000000.parquet")

    reader = TraceReader(tmp_path, keep_days=30)

    assert reader.row("t0")["status"] is None
    assert [row["confidence"] for row in reader.answers(TraceFilter())] == [0.7]
    assert reader.damaged == []


def test_searches_are_listed_by_the_same_filters(tmp_path):
    fresh = replace(SEARCH, timestamp=datetime.now(UTC))
    slow = replace(fresh, trace_id="s1", total_latency_ms=900.0, limits=("stale_index",))
    trace_files.write_flush(tmp_path, "a", 0, [fresh, slow])

    reader = TraceReader(tmp_path, keep_days=30)

    found = reader.searches(TraceFilter(slow_ms=100, limit_word="stale_index"))
    assert [(row["trace_id"], row["hits"]) for row in found] == [("s1", 1)]
    assert reader.answers(TraceFilter()) == []
    assert reader.row("s0")["top_k_doc_ids"] == [str(2**62)]


def test_two_that_write_the_same_file_do_not_disturb_each_other(tmp_path, monkeypatch):
    sync = trace_files.durability.sync

    def meanwhile(path: Path) -> None:
        monkeypatch.setattr(trace_files.durability, "sync", sync)
        trace_files.write_flush(tmp_path, "w", 0, traces(3))
        sync(path)

    monkeypatch.setattr(trace_files.durability, "sync", meanwhile)
    trace_files.write_flush(tmp_path, "w", 0, traces(3))
    assert sorted(ids_in(tmp_path)) == ["t0", "t1", "t2"]


def test_what_a_killed_writer_left_goes_with_the_day(tmp_path):
    (tmp_path / ".2020-01-01-w-000000.parquet.1-ab.new").write_bytes(b"PAR1")
    trace_files.tidy(tmp_path, AnswerTrace, date(2020, 1, 1), 3)
    assert len([*tmp_path.glob(".*.new")]) == 1
    trace_files.tidy(tmp_path, AnswerTrace, date(2020, 1, 2), 3)
    assert [*tmp_path.glob(".*.new")] == []
