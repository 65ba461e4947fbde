"""What a server counts and measures, for Prometheus; docs/metrics.md describes each of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from codeintel_rev.observability.answer_trace import AnswerTrace
from codeintel_rev.observability.backlog import Backlog
from codeintel_rev.observability.labelled import OTHER, Labelled
from codeintel_rev.observability.search_trace import SearchTrace

STAGES: Final = ("embed", "faiss", "bm25", "splade", "fusion", "hydration", "rerank", "synthesis")
LIMITS: Final = (
    *("faiss_timeout", "faiss_error", "faiss_skipped"),
    *("bm25_timeout", "bm25_error", "bm25_skipped"),
    *("splade_timeout", "splade_error", "splade_skipped"),
    *("hydration_timeout", "hydration_error", "embedding_failed"),
    *("rerank_timeout", "rerank_error", "query_trimmed", "scope_reduced"),
    *("synthesis_timeout", "synthesis_error", "synthesis_skipped", "synthesis_truncated"),
    *("prompt_truncated", "citation_invalid", "citation_missing"),
    *("no_evidence", "no_retrieval", "scope_empty", "path_not_found", "line_not_found"),
    *("stale_index", "redis_unavailable", OTHER),
)
TIMED: Final = ("faiss", "bm25", "splade", "hydration", "rerank", "synthesis", OTHER)
"""Stages that have a time of their own to exceed."""
ROUTES: Final = (
    *("/healthz", "/readyz", "/metrics", "/mcp", "/openapi.json"),
    *("/v1/search", "/v1/text", "/v1/symbols", "/v1/answers", "/answer_query"),
    *("/v1/files", "/v1/files/{path}", "/v1/scope", OTHER),
)
STATUSES: Final = ("2xx", "3xx", "4xx", "5xx")
REFUSALS: Final = {
    401: "unauthenticated",
    403: "forbidden",
    408: "too_slow",
    413: "too_large",
    429: "rate_limited",
    503: "unavailable",
    504: "deadline",
}

_ANSWER_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30)
_SEARCH_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
_TOKENS: Final = (16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768)
_SHARES: Final = tuple(tenth / 10 for tenth in range(1, 11))
_FEW: Final = (0, 1, 2, 3, 5, 8, 13, 21)
_SPEEDS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500)

Merge = Literal["livesum", "livemin", "livemostrecent"]
"""How the gauges of several workers become one number."""


class Metrics:
    """Every metric of one process; safe to share between threads."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.backlog = Backlog()
        """What happened and is not counted yet."""
        self.being_served = 0
        """Requests, by the count of the event loop that serves them."""
        self._declare_answers()
        self._declare_searches()
        self._declare_requests()
        self._declare_state()
        self._declare_stores()

    def settle(self) -> None:
        """Count what waits, and tell how many requests are being served."""
        self.backlog.settle()
        self.requests_in_progress.set(self.being_served)

    def observe_answer(self, trace: AnswerTrace) -> None:
        """Count an answer, whatever became of it."""
        self.answers.of(trace.status, trace.synthesizer).inc()
        self.answer_latency.observe(trace.total_latency_ms / 1000, {"trace_id": trace.trace_id})
        self.answer_confidence.observe(trace.confidence)
        self.answer_citations.observe(len(trace.cited_doc_ids))
        self.stale_answers.inc(trace.stale)
        self._observe_model(trace)
        self._observe_stages(trace)
        self._observe_limits(trace.limits)

    def observe_sampled_search(self, trace: SearchTrace) -> None:
        """Measure the stages of a search that left a trace."""
        self._observe_stages(trace)

    def observe_search(self, took_ms: float, hits: int, limits: Sequence[str]) -> None:
        """Count a search that was made and not given again."""
        self.searches.of("found" if hits else "nothing").inc()
        self.search_latency.observe(took_ms / 1000)
        self._observe_limits(limits)

    def observe_request(self, route: str, status: int, seconds: float) -> None:
        """Count a request that is over."""
        self.requests.of(route, f"{status // 100}xx").inc()
        self.request_latency.of(route).observe(seconds)
        if status in REFUSALS:
            self.refusals.of(REFUSALS[status]).inc()

    def _observe_limits(self, limits: Sequence[str]) -> None:
        for word in limits:
            self.limits.of(word).inc()
            stage, _, what = word.rpartition("_")
            if what == "timeout":
                self.timeouts.of(stage).inc()

    def _observe_model(self, trace: AnswerTrace) -> None:
        for value, histogram in (
            (trace.tokens_in, self.tokens_prompted),
            (trace.tokens_out, self.tokens_generated),
            (None if trace.ttft_ms is None else trace.ttft_ms / 1000, self.first_token),
            (trace.tps, self.token_rate),
        ):
            if value is not None:
                histogram.observe(value)

    def _observe_stages(self, trace: AnswerTrace | SearchTrace) -> None:
        for stage in STAGES:
            took_ms = getattr(trace, f"{stage}_latency_ms", None)
            if took_ms is not None:
                self.stage_latency.of(stage).observe(took_ms / 1000)

    def _declare_answers(self) -> None:
        counted = self._counter("answers", "Answers by how they ended.", "status", "synthesizer")
        self.answers = Labelled(counted, ("ok", "error"), ("extractive", "chat", OTHER))
        self.stale_answers = self._counter("stale_answers", "Answers from an index behind files.")
        self.answer_latency = self._histogram(
            "answer_latency_seconds", "From a question to its envelope.", _ANSWER_S
        )
        self.answer_confidence = self._histogram("answer_confidence", "Confidence.", _SHARES)
        self.answer_citations = self._histogram("answer_citations", "Places cited.", _FEW)
        self.tokens_prompted = self._histogram("tokens_prompted", "Of prompts, about.", _TOKENS)
        self.tokens_generated = self._histogram("tokens_generated", "Of completions.", _TOKENS)
        self.first_token = self._histogram(
            "first_token_latency_seconds", "From a prompt to its first text.", _ANSWER_S
        )
        self.token_rate = self._histogram(
            "generated_tokens_per_second", "Speed after the first token.", _SPEEDS
        )

    def _declare_searches(self) -> None:
        counted = self._counter("searches", "Searches by what they found.", "outcome")
        self.searches = Labelled(counted, ("found", "nothing"))
        self.search_latency = self._histogram(
            "search_latency_seconds", "From a query to its hits.", _SEARCH_S
        )
        staged = self._histogram(
            "stage_latency_seconds", "Stages of what left a trace.", _SEARCH_S, "stage"
        )
        self.stage_latency = Labelled(staged, STAGES)
        late = self._counter("retrieval_timeouts", "Stages that were late.", "stage")
        self.timeouts = Labelled(late, TIMED)
        held = self._counter("limits", "What held results back, as limit words.", "limit")
        self.limits = Labelled(held, LIMITS)

    def _declare_requests(self) -> None:
        counted = self._counter("http_requests", "Requests answered.", "route", "status")
        self.requests = Labelled(counted, ROUTES, STATUSES)
        timed = self._histogram(
            "http_request_latency_seconds", "From a request to its end.", _SEARCH_S, "route"
        )
        self.request_latency = Labelled(timed, ROUTES)
        refused = self._counter("http_refusals", "Requests refused, by why.", "reason")
        self.refusals = Labelled(refused, tuple(REFUSALS.values()))
        self.requests_in_progress = self._gauge(
            "http_requests_in_progress", "Requests being served.", "livesum"
        )
        self.lost_log_lines = self._counter("log_lines_lost", "Lines that nobody read in time.")

    def _declare_state(self) -> None:
        latest: Merge = "livemostrecent"
        self.index_size = self._gauge("faiss_index_size", "Chunks that a search sees.", latest)
        self.index_repositories = self._gauge("index_repositories", "Repositories.", latest)
        self.index_writes = self._gauge("index_sequence", "Writes to the index.", latest)
        self.index_compactions = self._gauge("index_generation", "Compactions.", latest)
        self.disk_free = self._gauge("disk_free_bytes", "Room on the disk of the index.", latest)
        self.index_usable = self._gauge("index_usable", "1 = it can be read.", "livemin")
        self.redis_up = self._gauge("redis_up", "0 = Redis is configured and away.", "livemin")
        self.work_in_progress = self._gauge("work_in_progress", "Work taken.", "livesum")
        self.work_room = self._gauge("work_room", "Work taken at most.", "livesum")
        self.scopes_known = self._gauge("scope_registry_size", "Sessions known.", "livesum")

    def _declare_stores(self) -> None:
        scopes = self._counter("scope_lookups", "Lookups of scopes.", "level", "outcome")
        self.scope_lookups = Labelled(scopes, ("l1", "l2"), ("hit", "miss"))
        results = self._counter("result_cache_lookups", "Lookups of results.", "outcome")
        self.result_lookups = Labelled(results, ("hit", "miss"))
        traces = self._counter("traces", "Traces by what became of them.", "outcome")
        self.traces = Labelled(traces, ("emitted", "written", "dropped"))
        self.failed_trace_writes = self._counter(
            "trace_write_failures", "Batches of traces that a disk did not take."
        )

    def _counter(self, name: str, told: str, *labels: str) -> Counter:
        return Counter(f"codeintel_{name}", told, labels, registry=self.registry)

    def _histogram(self, name: str, told: str, buckets: Sequence[float], *labels: str) -> Histogram:
        return Histogram(f"codeintel_{name}", told, labels, registry=self.registry, buckets=buckets)

    def _gauge(self, name: str, told: str, merge: Merge) -> Gauge:
        return Gauge(f"codeintel_{name}", told, registry=self.registry, multiprocess_mode=merge)
