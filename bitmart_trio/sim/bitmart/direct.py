"""Call the simulated exchange without HTTP: signed calls directly into `BitMart.handle`, for tests."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import cast
from urllib.parse import urlencode

import attrs

from ..kernel.accounts import SIM_KEY, SIM_MEMO, SIM_SECRET
from ..kernel.encoding import Json, encode
from ..kernel.messages import Request
from .face import BitMart
from .gate import signature
from .wire import Between


@attrs.frozen
class Answer:
    """One answer of the exchange, decoded."""

    status: int
    headers: Mapping[str, str]
    body: dict[str, Json]

    @property
    def code(self) -> Json:
        """Return the exchange's code; 1000 is success."""
        return self.body.get("code")

    @property
    def data(self) -> Json:
        """Return the payload of the answer."""
        return self.body.get("data")


@attrs.define
class Direct:
    """A caller with its own key; by default that of the default account."""

    venue: BitMart
    key: str = SIM_KEY
    secret: str = SIM_SECRET
    memo: str = SIM_MEMO
    address: str = "127.0.0.1"
    """The client's address as the exchange sees it."""
    between: Between | None = None
    """The function between the gate and the handlers, such as faults."""

    def get(self, path: str, **params: str | int) -> Answer:
        """Send a GET with only the key header, which is enough for a KEYED endpoint."""
        return self.send(Request("GET", path, urlencode(params), {"x-bm-key": self.key}, b"", self.address))

    def post(self, path: str, **members: Json) -> Answer:
        """Send a signed POST of these JSON members."""
        body = encode(members)
        stamp = str(self.venue.exchange.now_ms())
        headers = {
            "content-type": "application/json",
            "x-bm-key": self.key,
            "x-bm-timestamp": stamp,
            "x-bm-sign": signature(self.secret, stamp, self.memo, body.decode()),
        }
        return self.send(Request("POST", path, "", headers, body, self.address))

    def send(self, request: Request) -> Answer:
        """Send any request unchanged."""
        response = self.venue.handle(request, self.between)
        body = cast("dict[str, Json]", json.loads(response.body, parse_float=Decimal))
        return Answer(response.status, response.headers, body)
