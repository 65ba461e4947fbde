"""An answer from a language model: its text, with each ``[N]`` made a checked citation."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from codeintel_rev.answer.budget import Deadline
from codeintel_rev.answer.citations import CitationParser, Mention
from codeintel_rev.answer.context import AnswerOptions
from codeintel_rev.answer.extractive import Piece
from codeintel_rev.answer.failures import tell_failure
from codeintel_rev.answer.narrowing import last_sentence, narrowed
from codeintel_rev.answer.passages import cite
from codeintel_rev.answer.prompt import Prompt
from codeintel_rev.ports import ChatModel, Completion
from codeintel_rev.types import Citation, Symbol

MAX_TOKEN_CHARACTERS = 16
"""No text has more for each token that was allowed; a server that sends more ignores its limits."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class ChatSynthesis:
    """One completion as it streams in; its fields tell afterwards how it went."""

    prompt: Prompt
    options: AnswerOptions
    deadline: Deadline
    symbols: Mapping[int, Sequence[Symbol]] = field(default_factory=dict)
    """What is defined in the hits, by ``SearchHit.doc_id``."""
    spoke: bool = False
    """Whether the model wrote any text."""
    cited: bool = False
    """Whether it cited a snippet."""
    limits: list[str] = field(default_factory=list)
    model_id: str | None = None
    told: Completion = field(default_factory=Completion)
    """What the server told of its completion."""
    pieces_sent: int = 0
    """Pieces that the model sent; servers send one a token."""
    ttft_ms: float | None = None
    """From the request to the first text."""
    latency_ms: float | None = None
    _started: float = 0.0
    _said: str = ""
    """The text since the last mention."""

    async def pieces(self, chat: ChatModel) -> AsyncGenerator[Piece, None]:
        """Yield text and citations as the model writes.

        No first token in time leaves ``synthesis_timeout``, a stall or an overlong completion
        ``synthesis_truncated``, a failure or an empty completion ``synthesis_error``, a number that
        names no snippet ``citation_invalid``. Text that was written stands.
        """
        parser = CitationParser(len(self.prompt.passages))
        self.model_id = getattr(chat, "model_id", None)
        self._started = self.deadline.clock()
        # Closing the stream closes the request behind it, also when our own consumer went away.
        try:
            async with aclosing(self._completion(chat)) as tokens:
                async for token in self._timed(tokens):
                    for piece in self._cited(parser.feed(token)):
                        yield piece
        finally:
            self.latency_ms = self._elapsed_ms()
        for piece in self._cited(parser.close()):
            yield piece
        if parser.invalid:
            self.limits.append("citation_invalid")
        if self.told.finish_reason == "length" and not self.limits:
            self.limits.append("synthesis_truncated")
        if not (self.spoke or self.limits):
            self.limits.append("synthesis_error")

    @property
    def tokens_in(self) -> int:
        """Tokens that the model read: as its server counted them, else by estimate."""
        return self.told.tokens_in or self.prompt.tokens

    @property
    def tokens_out(self) -> int:
        """Tokens that the model wrote: as its server counted them, else the pieces."""
        return self.told.tokens_out or self.pieces_sent

    @property
    def tps(self) -> float | None:
        """Tokens a second after the first; ``None`` where that cannot be told."""
        if self.latency_ms is None or self.ttft_ms is None or self.latency_ms <= self.ttft_ms:
            return None
        return (self.tokens_out - 1) / (self.latency_ms - self.ttft_ms) * 1000

    def _elapsed_ms(self) -> float:
        return (self.deadline.clock() - self._started) * 1000

    async def _completion(self, chat: ChatModel) -> AsyncGenerator[str, None]:
        stream = chat.stream_completion(
            list(self.prompt.messages),
            max_tokens=self.options.max_output_tokens,
            temperature=self.options.temperature,
            told=self.told,
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
        room = self.options.max_output_tokens * MAX_TOKEN_CHARACTERS
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
                    tell_failure(log, "synthesis", error)
                return
            self.pieces_sent += 1
            # a broken escape may be half a character, which nothing downstream could encode
            token = token[:room].encode("utf-8", "replace").decode()
            if not self.spoke and token.strip():
                self.spoke, self.ttft_ms = True, self._elapsed_ms()
            room -= len(token)
            if token and self.spoke:
                yield token
            if room <= 0 or self.pieces_sent >= 2 * self.options.max_output_tokens:
                self.limits.append("synthesis_truncated" if self.spoke else "synthesis_error")
                return

    def _bad_end(self, *, late: bool) -> str:
        if not late:
            return "synthesis_error"
        return "synthesis_truncated" if self.spoke else "synthesis_timeout"

    def _cited(self, parsed: Sequence[str | Mention]) -> list[Piece]:
        pieces: list[Piece] = []
        for part in parsed:
            if isinstance(part, str):
                self._said += part
                pieces.append(part)
                continue
            self.cited = True
            said, self._said = last_sentence(self._said), ""
            pieces.append(tuple(self._citation(n, said) for n in part.numbers))
        return pieces

    def _citation(self, n: int, said: str) -> Citation:
        """Return the place of snippet ``n``: of the definition that the sentence names, if it can."""
        passage = self.prompt.passages[n - 1]
        symbols = [s for hit in passage.hits for s in self.symbols.get(hit.doc_id, ())]
        return cite(n, passage, narrowed(passage, symbols, said))
