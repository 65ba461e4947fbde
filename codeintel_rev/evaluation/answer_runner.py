"""Puts questions to answerers and scores what they say; also questions of other repositories."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from codeintel_rev.answer.prompt import build_prompt
from codeintel_rev.evaluation.answer_scores import is_supported, score_answer
from codeintel_rev.evaluation.calibration import Outcome, auc, reliability
from codeintel_rev.evaluation.datasets import Query
from codeintel_rev.evaluation.plan import Plan, Task
from codeintel_rev.evaluation.summary import latency_percentiles
from codeintel_rev.types import AnswerEnvelope, SearchHit, Snippet

Progress = Callable[[int, int, str], None]


class Asked(NamedTuple):
    """An answer, and how long its stages took in milliseconds (``faiss_latency_ms`` ...)."""

    envelope: AnswerEnvelope
    trace: dict[str, Any]


class Answerer(Protocol):
    """Answers questions about one tree."""

    def ask(self, question: str, system: str = "") -> Asked:
        """Return the answer to a question; ``system`` replaces what a language model is told first."""
        ...


OpenAnswerer = Callable[[Path, str], AbstractContextManager[Answerer]]
"""Brings the index of a folder up to date under a name, and opens it for answering."""


@dataclass(slots=True)
class AnswerReport:
    """What a run measured."""

    rows: dict[str, list[dict[str, float]]] = field(default_factory=dict)
    """By set and by set and prompt: the scores of each answer."""
    outcomes: list[Outcome] = field(default_factory=list)
    """Confidence of each answer to a judged question, and whether it was supported."""
    elsewhere: list[Outcome] = field(default_factory=list)
    """Confidence of each answer to a question of another repository; none is right."""
    false_answers: int = 0
    """Those of them that were answered instead of refused."""
    seconds: dict[str, list[float]] = field(default_factory=dict)
    """By stage."""

    def document(self) -> dict[str, Any]:
        """Return means, the calibration of the confidence, and times as JSON shows them."""
        outcomes = self.outcomes + self.elsewhere
        return {
            "sets": {name: _means(rows) for name, rows in self.rows.items()},
            "confidence": {
                "n": len(self.outcomes),
                "auc": _rounded(auc(outcomes)),
                "auc_own": _rounded(auc(self.outcomes)),
                "reliability": [bin_._asdict() for bin_ in reliability(outcomes)],
            },
            "elsewhere": {
                "n": len(self.elsewhere),
                "false_answers": _rounded(self.false_answers / max(1, len(self.elsewhere))),
            },
            "latency_ms": {
                stage: latency_percentiles(times) for stage, times in sorted(self.seconds.items())
            },
        }


def run(
    plan: Plan,
    open_tree: OpenAnswerer,
    *,
    elsewhere: int = 0,
    prompts: dict[str, str] | None = None,
    progress: Progress | None = None,
) -> AnswerReport:
    """Ask every question of its own tree, and of the next ``elsewhere`` trees of other repositories.

    ``prompts`` are system texts by name; for each the prompt is built from the same snippets, and
    scored by what of the gold places it still holds. Where a language model answers, it is asked with
    each of them as well: retrieval does not depend on it, so that the snippets stay the same.
    """
    report = AnswerReport()
    done, total = 0, (1 + elsewhere) * sum(len(task.queries) for task in plan.tasks)
    for at, task in enumerate(plan.tasks):
        with open_tree(task.source.root, task.source.name) as answerer:
            for name, query in task.queries:
                _ask(report, name, query, answerer, task, prompts or {})
            others = list(strangers(plan.tasks, at, elsewhere))
            for query in others:
                envelope = answerer.ask(query.text).envelope
                report.elsewhere.append((envelope.confidence, False))
                report.false_answers += "no_evidence" not in envelope.limits
        done += len(task.queries) + len(others)
        if progress:
            progress(done, total, task.source.name)
    return report


def _ask(
    report: AnswerReport,
    name: str,
    query: Query,
    answerer: Answerer,
    task: Task,
    prompts: dict[str, str],
) -> None:
    envelope, trace = answerer.ask(query.text)
    prefix = task.source.prefix
    report.rows.setdefault(name, []).append(score_answer(query, envelope, prefix))
    if query.judgements:
        supported = is_supported(query, envelope, prefix=prefix)
        report.outcomes.append((envelope.confidence, supported))
    for stage, value in trace.items():
        if stage.endswith("_latency_ms") and value is not None:
            stage_name = stage.removesuffix("_latency_ms")
            report.seconds.setdefault(stage_name, []).append(value / 1000)
    for title, system in prompts.items():
        scores = _prompt_scores(query, envelope, system, prefix)
        if envelope.plan.synthesizer == "chat":
            scores |= _chat_scores(query, answerer.ask(query.text, system), prefix)
        report.rows.setdefault(f"{name} prompt={title}", []).append(scores)


def _prompt_scores(
    query: Query, envelope: AnswerEnvelope, system: str, prefix: str
) -> dict[str, float]:
    """Return what a prompt with this system text holds of the same snippets."""
    prompt = build_prompt(query.text, [_hit(s) for s in envelope.snippets], system=system)
    kept = [
        Snippet(
            id=passage.best.doc_id,
            uri=passage.best.uri,
            start_line=passage.start_line,
            end_line=passage.end_line,
            language=passage.best.language,
            code=passage.code,
            score=passage.best.score,
        )
        for passage in prompt.passages
    ]
    shown = AnswerEnvelope(query=query.text, answer="", snippets=tuple(kept))
    scores = score_answer(query, shown, prefix)
    wanted = ("context_recall", "found_in_context", "names_in_context")
    return {key: scores[key] for key in wanted if key in scores} | {
        "tokens": float(prompt.tokens),
        "snippets": float(len(kept)),
        "truncated": float(prompt.truncated),
    }


def _chat_scores(query: Query, asked: Asked, prefix: str) -> dict[str, float]:
    """Return what a language model made of the snippets."""
    envelope, trace = asked
    scores = score_answer(query, envelope, prefix)
    kept = ("citations", "citation_precision", "citation_recall", "names_in_answer")
    words = ("citation_invalid", "citation_missing", "synthesis_error", "synthesis_timeout")
    told = {"tokens_out": trace.get("tokens_out"), "ttft_ms": trace.get("ttft_ms")}
    return (
        {name: scores[name] for name in kept if name in scores}
        | {word: float(word in envelope.limits) for word in words}
        | {name: float(value) for name, value in told.items() if value is not None}
    )


def _hit(snippet: Snippet) -> SearchHit:
    return SearchHit(
        doc_id=snippet.id,
        score=snippet.score,
        repo=snippet.repo,
        uri=snippet.uri,
        start_line=snippet.start_line,
        end_line=snippet.end_line,
        language=snippet.language,
        symbol=snippet.symbol,
        kind=snippet.kind,
        code=snippet.code,
    )


def strangers(tasks: Sequence[Task], at: int, elsewhere: int) -> Iterator[Query]:
    """Yield the questions of the next tasks whose repository is another one."""
    own = tasks[at].source.name.partition("@")[0]
    order = [*tasks[at + 1 :], *tasks[:at]]
    others = [task for task in order if task.source.name.partition("@")[0] != own]
    for task in others[:elsewhere]:
        for _, query in task.queries:
            yield query


def _means(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    names = dict.fromkeys(name for row in rows for name in row)
    means = {}
    for name in names:
        values = [row[name] for row in rows if name in row]
        means[name] = round(sum(values) / len(values), 4)
    return {"n": float(len(rows)), **means}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
