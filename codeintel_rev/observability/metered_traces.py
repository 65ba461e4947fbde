"""The way of traces past the metrics, so that both tell the same."""

from __future__ import annotations

from codeintel_rev.observability.answer_trace import AnswerTrace
from codeintel_rev.observability.answer_tracer import AnswerTracer
from codeintel_rev.observability.metrics import Metrics
from codeintel_rev.observability.trace_schema import Trace


class MeteredTraces:
    """A sink of traces (``TraceSink``) that measures each, and hands it on where traces are kept."""

    def __init__(self, metrics: Metrics, tracer: AnswerTracer | None) -> None:
        self._metrics = metrics
        self._tracer = tracer

    def emit(self, trace: Trace) -> None:
        """Take one trace; never waits and never raises."""
        if isinstance(trace, AnswerTrace):
            self._metrics.observe_answer(trace)
        else:
            self._metrics.observe_sampled_search(trace)
        if self._tracer is not None:
            self._tracer.emit(trace)
