"""Synthesis: the text of an answer, by a language model where one speaks, else from the hits."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from codeintel_rev.answer.chat import ChatSynthesis
from codeintel_rev.answer.context import AnswerOptions
from codeintel_rev.answer.extractive import (
    Piece,
    extractive_answer,
    extractive_sources,
    nothing_found,
    unsupported_answer,
)
from codeintel_rev.answer.prompt import Prompt, build_prompt, input_budget
from codeintel_rev.answer.run import AnswerRun
from codeintel_rev.ports import ChatModel, SizedModel
from codeintel_rev.types import SearchHit

MIN_SYNTHESIS_MS = 200
"""The language model is left out when no more time than this is left."""

MAX_SIZE_MS = 100
"""A server that does not tell the size of its model's context within this time is not waited for."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Synthesizer:
    """Writes answers; safe for concurrent answers on one event loop."""

    chat: ChatModel | None
    options: AnswerOptions

    async def pieces(
        self, hits: Sequence[SearchHit], run: AnswerRun
    ) -> AsyncGenerator[Piece, None]:
        """Yield the answer: the model's, or the extractive one where no model spoke."""
        if not hits:
            yield nothing_found(run.query, run.limits)
            return
        async with aclosing(self._chat_pieces(hits, run)) as pieces:
            async for piece in pieces:
                yield piece
        for piece in _extracted(hits, run):
            yield piece

    def prompt(
        self, hits: Sequence[SearchHit], run: AnswerRun, context_tokens: int | None = None
    ) -> Prompt:
        """Return the prompt that fits the input budget; what was cut leaves a limit word."""
        options = self.options
        prompt = build_prompt(
            run.query,
            hits,
            max_tokens=input_budget(
                options.max_input_tokens, context_tokens, options.max_output_tokens
            ),
            with_repo=run.names_repos,
            system=options.system_prompt,
            redact=options.redact_secrets,
        )
        if prompt.truncated:
            run.limit("prompt_truncated")
        return prompt

    async def _chat_pieces(
        self, hits: Sequence[SearchHit], run: AnswerRun
    ) -> AsyncGenerator[Piece, None]:
        """Yield what the language model says, if there is one and it has the time."""
        if self.chat is None:
            return
        context_tokens = await _context_tokens(self.chat, run)
        if run.deadline.left_ms <= MIN_SYNTHESIS_MS:
            run.limit("synthesis_skipped")
            return
        prompt = self.prompt(hits, run, context_tokens)
        if not prompt.passages:
            return
        synthesis = ChatSynthesis(prompt, self.options, run.deadline, run.symbols)
        try:
            async with aclosing(synthesis.pieces(self.chat)) as pieces:
                async for piece in pieces:
                    run.synthesizer = "chat"
                    yield piece
        finally:
            run.take_synthesis(synthesis)


async def _context_tokens(chat: ChatModel, run: AnswerRun) -> int | None:
    """Return how many tokens the model takes, or ``None`` where that is not told in time."""
    limit_ms = run.deadline.slice_ms(MAX_SIZE_MS)
    if not isinstance(chat, SizedModel) or limit_ms <= 0:
        return None
    try:
        async with asyncio.timeout(limit_ms / 1000):
            return await chat.context_tokens()
    except Exception as error:  # an answer does not fail for it
        log.info("the context of the language model is not known: %r", error)
        return None


def _extracted(hits: Sequence[SearchHit], run: AnswerRun) -> list[Piece]:
    """Return the extractive answer, or after a model's words the sources that it did not name."""
    if run.synthesizer == "chat":
        return extractive_sources(hits, run.symbols) if "citation_missing" in run.limits else []
    written = unsupported_answer if "no_evidence" in run.limits else extractive_answer
    return written(run.query, hits, run.symbols)
