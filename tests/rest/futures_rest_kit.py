"""A futures API over a caller that builds and reads like the real one, but sends nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar, cast

import trio

from bitmart_trio._bitmart.rest import READER
from bitmart_trio._core.endpoint import Auth, Endpoint
from bitmart_trio._core.reply import RawReply, Reply
from bitmart_trio._core.request import WireRequest, build
from bitmart_trio.models.system import Latency
from bitmart_trio.rest.futures import Futures

T = TypeVar("T")


class Recorder:
    """Keeps what would have been sent, and answers with one prepared body."""

    def __init__(self, body: bytes, status: int) -> None:
        self.body = body
        self.status = status
        self.sent: list[WireRequest] = []

    async def call(self, endpoint: Endpoint[T], /, **arguments: object) -> Reply[T]:
        request = build(cast("Endpoint[object]", endpoint), arguments)
        await trio.lowlevel.checkpoint()
        self.sent.append(request)
        return READER.parse(endpoint, self.status, {}, self.body)

    async def request(
        self, method: str, path: str, *, params: Mapping[str, object] | None = None, auth: Auth = Auth.NONE
    ) -> RawReply:
        raise AssertionError("not part of these tests")

    async def latency(self) -> Latency:
        raise AssertionError("not part of these tests")


def futures_over(body: bytes = b'{"code":1000,"data":{}}', status: int = 200) -> tuple[Futures, Recorder]:
    """A futures API and its recorder."""
    recorder = Recorder(body, status)
    return Futures(recorder), recorder
