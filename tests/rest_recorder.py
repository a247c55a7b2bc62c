"""A caller that never sends: it builds each request, keeps it, and reads a reply that a test has prepared.

With it a chapter runs without a network, a clock or credentials, through the same building and reading as in earnest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import attrs
import trio

from bitmart_trio._bitmart.rest import READER
from bitmart_trio._core.endpoint import Auth, Endpoint
from bitmart_trio._core.reply import RawReply, Reply
from bitmart_trio._core.request import WireRequest, build
from bitmart_trio.models.system import Latency

T = TypeVar("T")


@attrs.define
class Recorder:
    """Serves as a chapter's caller."""

    body: bytes = b'{"code": 1000, "message": "OK", "data": {}}'
    """What every call is answered with."""
    status: int = 200
    sent: list[tuple[Endpoint[Any], WireRequest]] = attrs.field(factory=list)
    replies: list[Reply[Any]] = attrs.field(factory=list)

    async def call(self, endpoint: Endpoint[T], /, **arguments: object) -> Reply[T]:
        row: Endpoint[Any] = endpoint
        self.sent.append((row, build(row, arguments)))
        await trio.lowlevel.checkpoint()
        reply = READER.parse(endpoint, self.status, {}, self.body)
        self.replies.append(reply)
        return reply

    async def request(
        self, method: str, path: str, *, params: Mapping[str, object] | None = None, auth: Auth = Auth.NONE
    ) -> RawReply:
        raise AssertionError("no chapter uses raw requests")

    async def latency(self) -> Latency:
        raise AssertionError("measured by the real caller only")

    @property
    def last(self) -> WireRequest:
        """The request that was built last."""
        return self.sent[-1][1]
