"""A model server that dies in the middle of an answer, and comes back."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from codeintel_rev.app.local import LocalIndex
from codeintel_rev.errors import Unavailable
from codeintel_rev.io.vllm_chat_client import VLLMChatClient
from tests.vllm.asking import Configure, answered
from tests.vllm.servers import Served, restarted, stop, wait_for

pytestmark = [pytest.mark.vllm, pytest.mark.timeout(900)]


async def stream_until_killed(served: Served) -> None:
    async with VLLMChatClient(served.url, "smollm2", timeout=120.0) as client:
        story = [{"role": "user", "content": "Tell a very long story about a whale."}]
        async for _ in client.stream_completion(story, max_tokens=2000):
            stop(served)


def test_killed_in_the_middle_it_is_told_and_later_used_again(
    servers: dict[str, Served],
    index: LocalIndex,
    configure: Configure,
    repository: Path,
    tmp_path: Path,
) -> None:
    with pytest.raises(Unavailable):
        asyncio.run(stream_until_killed(servers["smollm2"]))

    settings = configure(VLLM_CHAT_MODEL="smollm2")
    with LocalIndex(index.data_dir, settings, near=repository) as asked:
        envelope = answered(asked)[-1].envelope
        assert envelope is not None
        assert envelope.plan.synthesizer == "extractive"
        assert "synthesis_error" in envelope.limits
        assert envelope.citations

        servers["smollm2"] = wait_for(restarted(servers["smollm2"], tmp_path))
        envelope = answered(asked)[-1].envelope
        assert envelope is not None
        assert envelope.plan.synthesizer == "chat"
