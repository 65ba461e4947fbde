"""An answer from a language model: its text, with each ``[N]`` made a checked citation."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from codeintel_rev.answer.budget import Deadline
from codeintel_rev.answer.citations import CitationParser, Mention
from codeintel_rev.answer.context import AnswerOptions
from codeintel_rev.answer.extractive import Piece
from codeintel_rev.answer.passages import cite
from codeintel_rev.answer.prompt import Prompt
from codeintel_rev.ports import ChatModel

log = logging.getLogger(__name__)


@dataclass(slots=True)
class ChatSynthesis:
    """One completion as it streams in; its fields tell afterwards how it went."""

    prompt: Prompt
    options: AnswerOptions
    deadline: Deadline
    spoke: bool = False
    """Whether the model wrote any text."""
    cited: bool = False
    """Whether it cited a snippet."""
    limits: list[str] = field(default_factory=list)

    async def pieces(self, chat: ChatModel) -> AsyncGenerator[Piece, None]:
        """Yield text and citations as the model writes.

        No first token in time leaves ``synthesis_timeout``, a stall or an overlong completion
        ``synthesis_truncated``, a failure or an empty completion ``synthesis_error``, a number that
        names no snippet ``citation_invalid``. Text that was written stands.
        """
        parser = CitationParser(len(self.prompt.passages))
        # Closing the stream closes the request behind it, also when our own consumer went away.
        async with aclosing(self._completion(chat)) as tokens:
            async for token in self._timed(tokens):
                for piece in self._cited(parser.feed(token)):
                    yield piece
        for piece in self._cited(parser.close()):
            yield piece
        if parser.invalid:
            self.limits.append("citation_invalid")
        if not (self.spoke or self.limits):
            self.limits.append("synthesis_error")

    async def _completion(self, chat: ChatModel) -> AsyncGenerator[str, None]:
        stream = chat.stream_completion(
            list(self.prompt.messages),
            max_tokens=self.options.max_output_tokens,
            temperature=self.options.temperature,
        )
        try:
            async for token in stream:
                yield token
        finally:
            close = getattr(stream, "aclose", None)
            if close is not None:
                await close()

    async def _timed(self, tokens: AsyncGenerator[str, None]) -> AsyncGenerator[str, None]:
        budget, clock = self.options.budget, self.deadline.clock
        end = Deadline.after(self.deadline.slice_ms(budget.synthesis_total), clock)
        while True:
            limit = end.slice_ms(budget.synthesis_gap if self.spoke else budget.synthesis)
            try:
                async with asyncio.timeout(limit / 1000) as guard:
                    token = await anext(tokens)
            except StopAsyncIteration:
                return
            except Exception as error:
                is_late = isinstance(error, TimeoutError) and guard.expired()
                self.limits.append(self._bad_end(late=is_late))
                if not is_late:
                    log.warning("synthesis failed: %s", error, exc_info=error)
                return
            self.spoke = self.spoke or bool(token.strip())
            if token and self.spoke:
                yield token

    def _bad_end(self, *, late: bool) -> str:
        if not late:
            return "synthesis_error"
        return "synthesis_truncated" if self.spoke else "synthesis_timeout"

    def _cited(self, parsed: Sequence[str | Mention]) -> list[Piece]:
        pieces: list[Piece] = []
        for part in parsed:
            if isinstance(part, str):
                pieces.append(part)
                continue
            self.cited = True
            pieces.append(tuple(cite(n, self.prompt.passages[n - 1]) for n in part.numbers))
        return pieces
