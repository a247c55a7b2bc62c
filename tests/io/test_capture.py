"""What a caller that keeps exact bytes gets of every try."""

from __future__ import annotations

import httpx
import pytest
import trio
import trio.testing

import bitmart_trio as bm
from bitmart_trio._io.capture import CAPTURE, Captured


def time(server_time: int) -> httpx.Response:
    return httpx.Response(200, json={"code": 1000, "trace": "t", "data": {"server_time": server_time}})


async def test_every_try_is_kept_before_it_is_decoded(autojump_clock: trio.testing.MockClock) -> None:
    """A page of the edge, a broken connection, JSON that cannot be decoded, then the reply; what fails is kept too."""
    answers = [httpx.Response(520, text="<title>x</title>"), httpx.ReadError("reset"), httpx.Response(200, text="{"), 1]
    kept: list[Captured] = []

    async def handle(request: httpx.Request) -> httpx.Response:
        await trio.lowlevel.checkpoint()
        answer = answers.pop(0)
        if isinstance(answer, httpx.Response):
            return answer
        if isinstance(answer, httpx.ReadError):
            raise answer
        return time(5)

    async def keep(captured: Captured) -> None:
        await trio.sleep(1)
        kept.append(captured)

    config = bm.Config(retry=bm.Retry(attempts=8))
    async with bm.open_spot(config=config, http_transport=httpx.MockTransport(handle)) as spot:
        token = CAPTURE.set(keep)
        try:
            assert (await spot.system.time()).server_time == 5
        finally:
            CAPTURE.reset(token)
        answers.append(1)
        await spot.system.time()
    assert [(each.status, each.body) for each in kept] == [
        (520, b"<title>x</title>"),
        (None, b""),
        (200, b"{"),
        (200, time(5).content),
    ]
    assert "reset" in kept[1].error
    assert {(each.method, each.target, each.request) for each in kept} == {("GET", "/system/time", b"")}


async def test_a_call_that_fails_for_good_is_kept(autojump_clock: trio.testing.MockClock) -> None:
    """The refusal is raised after its bytes were handed over."""
    kept: list[Captured] = []

    async def keep(captured: Captured) -> None:
        await trio.lowlevel.checkpoint()
        kept.append(captured)

    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(403, json={"code": 30012, "message": "Forbidden", "trace": "t"})

    credentials = bm.Credentials("key", "very-secret", "memo")
    async with bm.open_spot(credentials, http_transport=httpx.MockTransport(handle)) as spot:
        token = CAPTURE.set(keep)
        try:
            with pytest.raises(bm.PermissionDenied):
                await spot.trading.trades()
        finally:
            CAPTURE.reset(token)
    [one] = kept
    assert (one.status, one.method) == (403, "POST")
    assert b"very-secret" not in one.request
    assert "very-secret" not in one.target
