"""Work that a server does again and again, until it is told to stop."""

from __future__ import annotations

import asyncio

import pytest

from codeintel_rev.app.freed_memory import give_back
from codeintel_rev.app.periodic import every


async def test_work_is_done_again_until_it_is_stopped() -> None:
    done = 0
    thrice = asyncio.Event()

    async def work() -> None:
        nonlocal done
        done += 1
        if done == 3:
            thrice.set()

    stop = every(0.001, work)
    async with asyncio.timeout(60):
        await thrice.wait()
    await stop()
    so_far = done
    await asyncio.sleep(0)
    assert done == so_far


async def test_work_that_is_under_way_is_waited_for() -> None:
    begun, go = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        await go.wait()

    stop = every(3600, work)
    await begun.wait()
    stopping = asyncio.create_task(stop())
    await asyncio.sleep(0)
    assert not stopping.done()
    go.set()
    async with asyncio.timeout(60):
        await stopping


async def test_memory_is_given_back_where_that_can_be() -> None:
    await give_back()


async def test_work_that_failed_is_done_again(caplog: pytest.LogCaptureFixture) -> None:
    again = asyncio.Event()
    done = 0

    async def work() -> None:
        nonlocal done
        done += 1
        if done == 1:
            raise OSError("full")
        again.set()

    stop = every(0.001, work)
    async with asyncio.timeout(60):
        await again.wait()
        await stop()
    assert "failed" in caplog.text
