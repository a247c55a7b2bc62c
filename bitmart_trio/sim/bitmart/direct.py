"""Talking to the simulated exchange without HTTP: signed calls straight into `BitMart.handle`, for tests."""

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
    """One answer, taken apart."""

    status: int
    headers: Mapping[str, str]
    body: dict[str, Json]

    @property
    def code(self) -> Json:
        """The exchange's code; 1000 is success."""
        return self.body.get("code")

    @property
    def data(self) -> Json:
        """Return the payload of the answer."""
        return self.body.get("data")


@attrs.define
class Direct:
    """A caller with a key of its own; the default account's unless another is given."""

    venue: BitMart
    key: str = SIM_KEY
    secret: str = SIM_SECRET
    memo: str = SIM_MEMO
    address: str = "127.0.0.1"
    """The address that the calls seem to come from."""
    between: Between | None = None
    """Stands between the gate and the handlers, as faults do."""

    def get(self, path: str, **params: str | int) -> Answer:
        """A GET with the key header alone, which is all a KEYED endpoint wants."""
        return self.send(Request("GET", path, urlencode(params), {"x-bm-key": self.key}, b"", self.address))

    def post(self, path: str, **members: Json) -> Answer:
        """A signed POST of these JSON members."""
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
        """Any request, as it is."""
        response = self.venue.handle(request, self.between)
        body = cast("dict[str, Json]", json.loads(response.body, parse_float=Decimal))
        return Answer(response.status, response.headers, body)
