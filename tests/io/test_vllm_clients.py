"""The clients of model servers against a server on a real socket."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest

from codeintel_rev.errors import (
    DeadlineExceeded,
    InvalidArgument,
    NotFound,
    SettingsError,
    Unavailable,
)
from codeintel_rev.io.vllm_chat_client import Completion, VLLMChatClient, VLLMScoreClient
from codeintel_rev.io.vllm_client import VLLMClient, batches
from codeintel_rev.io.vllm_transport import Timeouts, VLLMTransport
from tests.fakes.model_server import (
    DIM,
    DONE,
    HELLO,
    ModelServer,
    Receive,
    Scope,
    Send,
    chunk,
    event,
    serving,
)

CHAT = "/v1/chat/completions"
HI = [{"role": "user", "content": "Hi"}]


def test_without_the_packages_of_a_server_it_is_told_what_to_install() -> None:
    script = (
        "import sys; sys.modules['httpx2'] = None\n"
        "from codeintel_rev.cli.program import run\n"
        "sys.exit(run(['doctor', '--vllm', 'http://127.0.0.1:1']))"
    )
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert told.returncode == 6
    assert "httpx2, which is not installed" in told.stderr
    assert "[server]" in told.stderr


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with serving(ModelServer()) as app:
        yield app


async def said(client: VLLMChatClient, told: Completion | None = None) -> str:
    return "".join([text async for text in client.stream_completion(HI, told=told)])


async def test_a_completion_streams_and_tells_its_tokens(server: ModelServer) -> None:
    told = Completion()
    async with VLLMChatClient(f"{server.url}/v1/", "m", api_key="s3cret") as client:
        assert await said(client, told) == "Hello"
    assert (told.tokens_in, told.tokens_out, told.finish_reason) == (7, 2, "stop")
    path, body, headers = server.asked[0]
    assert (path, body["model"], body["stream"]) == (CHAT, "m", True)
    assert headers["authorization"] == "Bearer s3cret"
    assert headers["x-request-id"]


async def test_thoughts_are_kept_apart(server: ModelServer) -> None:
    thought = event({"choices": [{"delta": {"reasoning_content": "hm"}}]})
    server.stream = [thought, *HELLO]
    told = Completion()
    async with VLLMChatClient(server.url, "m") as client:
        assert await said(client, told) == "Hello"
    assert told.reasoning == "hm"


@pytest.mark.parametrize(
    "stream",
    [
        [b"data: nonsense\n\n"],
        [b"data: [1]\n\n"],
        [b"data: " + b"[" * 20_000 + b"\n\n"],
        [b"<html>not a model server</html>"],
        [chunk("Hel")],
        [chunk("Hel"), event({"error": {"message": "out of memory"}})],
        [b'event: error\ndata: {"message": "x"}\n\n'],
        [b"data: " + b"x" * (2 << 20)],
    ],
    ids=["garbage", "list", "deep", "html", "cut off", "error inside", "error event", "endless"],
)
async def test_what_is_no_completion_is_an_error(server: ModelServer, stream: list[bytes]) -> None:
    server.stream = stream
    async with VLLMChatClient(server.url, "m") as client:
        with pytest.raises(Unavailable):
            await said(client)


async def test_odd_but_valid_pieces_are_read(server: ModelServer) -> None:
    whole = b": ping\r\n\r\n" + chunk("é\n").replace(b"\n", b"\r\n").replace(b"data: ", b"data:")
    server.stream = [whole[at : at + 1] for at in range(len(whole))]
    server.stream = [*server.stream, event({"choices": [{"delta": None}]}), DONE]
    async with VLLMChatClient(server.url, "m") as client:
        assert await said(client) == "é\n"


async def test_closing_the_stream_closes_the_request(server: ModelServer) -> None:
    server.stall_after = 2
    async with VLLMChatClient(server.url, "m") as client:
        stream = client.stream_completion(HI)
        assert await anext(stream) == "Hel"
        await stream.aclose()
        assert await asyncio.to_thread(server.cancelled.wait, 20)


async def test_silence_ends(server: ModelServer) -> None:
    server.stall_after = 2
    async with VLLMChatClient(server.url, "m", timeout=0.1) as client:
        with pytest.raises(DeadlineExceeded):
            await said(client)


@pytest.mark.parametrize("length", [None, 0, "many", True])
async def test_a_context_that_is_not_told_is_not_known(server: ModelServer, length: object) -> None:
    rows = [{"id": "other", "max_model_len": 9}, {"id": "m", "max_model_len": length}]
    server.replies["/v1/models"] = [(200, {"data": rows})]
    async with VLLMChatClient(server.url, "m") as client:
        assert await client.context_tokens() is None


async def test_a_server_is_asked_once_for_its_context(server: ModelServer) -> None:
    server.replies["/v1/models"] = [(200, {"data": [{"id": "m", "max_model_len": 2048}]})]
    async with VLLMChatClient(server.url, "m") as client:
        sizes = await asyncio.gather(*(client.context_tokens() for _ in range(20)))
    assert set(sizes) == {2048}
    assert len(server.asked) == 1


async def test_a_server_without_a_list_of_models_has_an_unknown_context(
    server: ModelServer,
) -> None:
    server.absent = {"/v1/models"}
    async with VLLMChatClient(server.url, "m") as client:
        assert await client.context_tokens() is None
        assert await client.context_tokens() is None
    assert len(server.asked) == 1


async def test_a_server_that_knows_no_usage_is_asked_without(server: ModelServer) -> None:
    server.replies[CHAT] = [(400, {"message": "unexpected field stream_options"})]
    async with VLLMChatClient(server.url, "m") as client:
        assert await said(client) == "Hello"
        assert await said(client) == "Hello"
    assert ["stream_options" in body for body in server.bodies(CHAT)] == [True, False, False]


async def test_an_overloaded_server_is_asked_again(server: ModelServer) -> None:
    server.replies[CHAT] = [(503, {"error": "queue full"})] * 2
    async with VLLMChatClient(server.url, "m") as client:
        assert await said(client) == "Hello"


@pytest.mark.parametrize(
    ("status", "error"),
    [(401, Unavailable), (404, NotFound), (400, InvalidArgument), (500, Unavailable)],
)
async def test_a_refusal_says_what_the_server_said_and_no_key(
    server: ModelServer, status: int, error: type[Exception]
) -> None:
    server.replies[CHAT] = [(status, {"error": {"message": "no such model"}})] * 3
    async with VLLMChatClient(server.url, "m", api_key="s3cret") as client:
        with pytest.raises(error, match=f"{status}: no such model") as caught:
            await said(client)
    assert "s3cret" not in f"{caught.value!r}{client!r}{client.__dict__}"


async def test_nobody_there_is_unavailable() -> None:
    transport = VLLMTransport("http://127.0.0.1:9", timeouts=Timeouts(connect=5.0))
    async with VLLMChatClient("", "m", transport=transport) as client:
        with pytest.raises(Unavailable, match=r"127\.0\.0\.1:9"):
            await said(client)


@pytest.mark.parametrize(
    "absent",
    [set(), {"/v1/rerank"}, {"/v1/rerank", "/v1/score"}],
    ids=["rerank", "score", "scores"],
)
async def test_scores_come_in_the_order_of_the_candidates(
    server: ModelServer, absent: set[str]
) -> None:
    server.absent = absent
    texts = [("x" * (at % 7)) + str(at) for at in range(70)]
    async with VLLMScoreClient(server.url, "m") as client:
        scores = await client.rerank("q", texts)
        assert scores == [server.score("q", text) for text in texts]
        asked = len(server.asked)
        assert await client.rerank("q", texts) == scores
        assert len(server.asked) == asked, "they are remembered"


async def test_logits_become_shares(server: ModelServer) -> None:
    server.score = lambda query, text: float(text)
    async with VLLMScoreClient(server.url, "m") as client:
        first, second, third = await client.rerank("q", ["-1000", "0", "3.5"])
        again = await client.rerank("q", ["0.25"])
    assert first == 0.0
    assert second == 0.5
    assert 0.9 < third < 1.0
    assert again[0] == pytest.approx(0.562, abs=0.001)


async def test_a_batch_that_fails_costs_its_own_candidates(server: ModelServer) -> None:
    server.absent = set()
    texts = [str(at) for at in range(64)]
    server.replies["/v1/rerank"] = [(400, {"error": "too long"})]
    async with VLLMScoreClient(server.url, "m") as client:
        scores = await client.rerank("q", texts)
    assert sorted(score > 0 for score in scores) == [False] * 32 + [True] * 32


@pytest.mark.parametrize("reply", [{"results": []}, {"results": [{"index": 7}]}, [], "x", None])
async def test_scores_that_do_not_fit_are_an_error(server: ModelServer, reply: object) -> None:
    server.replies["/v1/rerank"] = [(200, reply)]
    async with VLLMScoreClient(server.url, "m") as client:
        with pytest.raises(Unavailable, match="no score for each of 2 texts"):
            await client.rerank("q", ["a", "b"])


async def test_no_endpoint_that_scores_is_said(server: ModelServer) -> None:
    server.absent = {"/v1/rerank", "/v1/score", "/v1/scores"}
    async with VLLMScoreClient(server.url, "m") as client:
        with pytest.raises(NotFound, match="/v1/rerank"):
            await client.rerank("q", ["a"])
        assert await client.rerank("q", []) == []


async def test_embeddings_keep_their_order_over_batches(server: ModelServer) -> None:
    texts = [f"{at:04}" for at in range(600)]
    async with VLLMClient(server.url, "m", DIM) as client:
        vectors = await client.embed_documents(texts)
        alone = await client.embed_query("0042")
        assert await client.embed_documents([]) is not None
    assert vectors.shape == (600, DIM)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0)
    assert np.array_equal(vectors[42], alone)
    assert len(server.bodies("/v1/embeddings")) == len(list(batches(texts))) + 1


async def test_prefixes_and_packed_vectors_are_used_where_served(server: ModelServer) -> None:
    server.replies["/v1/embeddings"] = [(400, {"message": "encoding_format is not supported"})]
    async with VLLMClient(
        server.url, "m", DIM, query_prefix="Q:", document_prefix="D:", max_tokens=9
    ) as client:
        await client.embed_query("x")
        await client.embed_documents(["x"])
    asked = server.bodies("/v1/embeddings")
    assert [body["input"] for body in asked] == [["Q:x"], ["Q:x"], ["D:x"]]
    assert [body.get("encoding_format") for body in asked] == ["base64", None, None]
    assert {body["truncate_prompt_tokens"] for body in asked} == {9}


async def test_another_dimension_names_both_numbers(server: ModelServer) -> None:
    server.dim = 5
    async with VLLMClient(server.url, "m", DIM) as client:
        with pytest.raises(SettingsError, match="vectors of 5, 8 were configured"):
            await client.embed_query("x")


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [{"index": 0, "embedding": [0.0] * DIM}],
        [{"index": 0, "embedding": [float("nan")] + [1.0] * (DIM - 1)}],
        [{"index": 1, "embedding": [1.0] * DIM}],
        [{"index": [0], "embedding": [1.0] * DIM}],
        "x",
    ],
    ids=["none", "zero", "nan", "another index", "no index", "text"],
)
async def test_vectors_that_cannot_be_used_are_an_error(server: ModelServer, rows: object) -> None:
    server.replies["/v1/embeddings"] = [(200, {"data": rows})] * 3
    async with VLLMClient(server.url, "m", DIM) as client:
        with pytest.raises(Unavailable):
            await client.embed_query("x")


async def test_vectors_of_any_length_are_made_unit(server: ModelServer) -> None:
    row = {"index": 0, "embedding": [3.0] + [0.0] * (DIM - 2) + [4.0]}
    server.replies["/v1/embeddings"] = [(200, {"data": [row]})]
    async with VLLMClient(server.url, "m", DIM) as client:
        vector = await client.embed_query("x")
    assert vector[[0, -1]] == pytest.approx([0.6, 0.8])


class Redirecting(ModelServer):
    """Sends every request on to another server."""

    def __init__(self, target: str) -> None:
        super().__init__()
        self.target = target

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"location", f"{self.target}{scope['path']}".encode())]
        await send({"type": "http.response.start", "status": 307, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


async def test_a_reply_that_leads_elsewhere_is_not_followed(server: ModelServer) -> None:
    with serving(Redirecting(server.url)) as elsewhere:
        async with VLLMChatClient(elsewhere.url, "m", api_key="s3cret") as client:
            with pytest.raises(Unavailable):
                await said(client)

    assert server.asked == []


async def test_counts_that_are_none_are_not_told(server: ModelServer) -> None:
    told = Completion()
    odd = {"prompt_tokens": "7", "completion_tokens": True}
    server.stream = [
        event({"choices": [{"delta": {"content": "x"}, "finish_reason": ["stop"]}]}),
        event({"choices": [], "usage": odd}),
        DONE,
    ]
    async with VLLMChatClient(server.url, "m") as client:
        assert await said(client, told) == "x"
    assert (told.tokens_in, told.tokens_out, told.finish_reason) == (None, None, "stop")
