"""The metrics of a server: described, bounded, and there from the start."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client import Counter

from codeintel_rev.observability.answer_trace import AnswerTrace
from codeintel_rev.observability.exposition import exposition
from codeintel_rev.observability.labelled import Labelled
from codeintel_rev.observability.metrics import Metrics

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
ROW = re.compile(r"^\| `(codeintel_\w+)` \| (\w+) \|(.*?)\| .+ \|$", re.MULTILINE)
LABEL = re.compile(r"`(\w+)`: ([^;]+)")


def labels_of(metrics: Metrics) -> dict[str, tuple[str, dict[str, set[str]]]]:
    """Type, labels and their values of each metric, as its samples show them."""
    found = {}
    for family in metrics.registry.collect():
        values: dict[str, set[str]] = {}
        for sample in family.samples:
            for label, value in sample.labels.items():
                if label != "le":
                    values.setdefault(label, set()).add(value)
        assert family.samples, f"{family.name} has no sample from the start"
        found[family.name] = (family.type, values)
    return found


def documented() -> dict[str, tuple[str, dict[str, set[str]]]]:
    rows: dict[str, tuple[str, dict[str, set[str]]]] = {}
    seen: dict[str, set[str]] = {}
    for name, kind, labels in ROW.findall(PAGE.read_text(encoding="utf-8")):
        own = {}
        for label, values in LABEL.findall(labels):
            listed = (
                seen[label] if values.strip() == "as above" else set(values.strip().split(", "))
            )
            own[label] = seen[label] = listed
        rows[name] = (kind, own)
    return rows


def answer(**facts: object) -> AnswerTrace:
    usual: dict[str, object] = dict.fromkeys(AnswerTrace.__slots__)
    usual |= {"trace_id": "t1", "timestamp": datetime.now(UTC), "query": "a query", "stale": False}
    usual |= {"status": "ok", "synthesizer": "extractive", "total_latency_ms": 20.0}
    usual |= {"confidence": 0.7, "cited_doc_ids": (1, 2), "limits": ()}
    return AnswerTrace(**(usual | facts))  # type: ignore[arg-type]


def test_every_metric_and_label_value_is_described_and_has_a_sample() -> None:
    assert labels_of(Metrics()) == documented()


def test_what_callers_make_up_becomes_no_label() -> None:
    metrics = Metrics()
    before = labels_of(metrics)
    metrics.observe_request("/etc/passwd", 404, 0.1)
    metrics.observe_answer(answer(synthesizer="x1", limits=("made_up", "moon_timeout")))
    assert labels_of(metrics) == before
    value = metrics.registry.get_sample_value
    assert value("codeintel_limits_total", {"limit": "other"}) == 2
    assert value("codeintel_retrieval_timeouts_total", {"stage": "other"}) == 1


def test_a_value_that_cannot_be_is_an_error_where_no_other_is_listed() -> None:
    kinds = Labelled(Counter("kinds", "Kinds.", ["kind"], registry=None), ("a", "b"))
    with pytest.raises(KeyError):
        kinds.of("c")


def test_an_answer_is_measured_by_its_trace() -> None:
    metrics = Metrics()
    metrics.observe_answer(
        answer(
            stale=True,
            tokens_out=40,
            ttft_ms=300.0,
            faiss_latency_ms=2.0,
            limits=("faiss_timeout",),
        )
    )
    value = metrics.registry.get_sample_value
    assert value("codeintel_answers_total", {"status": "ok", "synthesizer": "extractive"}) == 1
    assert value("codeintel_answer_latency_seconds_sum") == pytest.approx(0.02)
    assert value("codeintel_tokens_generated_sum") == 40
    assert value("codeintel_tokens_prompted_count") == 0
    assert value("codeintel_first_token_latency_seconds_sum") == pytest.approx(0.3)
    assert value("codeintel_stage_latency_seconds_count", {"stage": "faiss"}) == 1
    assert value("codeintel_retrieval_timeouts_total", {"stage": "faiss"}) == 1
    assert value("codeintel_stale_answers_total") == 1


def test_openmetrics_names_the_trace_of_an_answer() -> None:
    metrics = Metrics()
    metrics.observe_answer(answer(trace_id="68812a"))
    text, kind = exposition(metrics.registry, "text/plain")
    assert b"68812a" not in text
    assert kind.startswith("text/plain")
    text, kind = exposition(metrics.registry, "application/openmetrics-text; version=1.0.0")
    assert b'trace_id="68812a"' in text
    assert kind.startswith("application/openmetrics-text")


_AS_NOBODY = """
import os
from pathlib import Path
from prometheus_client import CollectorRegistry
from codeintel_rev.observability.exposition import exposition
if os.geteuid() == 0:
    os.setuid(65534)
print(exposition(CollectorRegistry(), "", Path())[1])
"""


def test_the_number_of_a_worker_that_somebody_else_has_now_is_no_fault(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "gauge_liveall_1.db").write_bytes(bytes(64))
    command = [sys.executable, "-c", _AS_NOBODY]
    told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert told.stdout.startswith("text/plain")
