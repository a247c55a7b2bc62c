"""Sessions beside replies and pushes that lack a member, one at a time: no crash, no order left open unknowingly."""

from __future__ import annotations

import json
from typing import Any

import attrs
import pytest
import trio
from shim_kit import shimmed
from trading_kit import MARKETS, open_ids, opener, rest, take
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio import models
from bitmart_trio._bitmart.channel import Channel
from bitmart_trio._bitmart.sockets import MarketDialect
from bitmart_trio.models._fields import WIRE


def _wires(model: type) -> list[str]:
    return [field.metadata.get(WIRE) or field.name for field in attrs.fields(model)]


MEMBERS = {
    "spot": sorted({*_wires(models.SpotOrder), *_wires(models.SpotFill)}),
    "futures": sorted(
        {*_wires(models.FuturesOrder)[:16], *_wires(models.FuturesFill), *_wires(models.FuturesPositionV2)}
    ),
}
PUSHED = {"spot": _wires(models.SpotOrderUpdate), "futures": _wires(models.FuturesPushedOrder)}
LOOKED_UP = {"spot": "/spot/v4/query/*", "futures": "/contract/private/*"}


def _without(value: Any, member: str) -> Any:
    if isinstance(value, dict):
        return {name: _without(each, member) for name, each in value.items() if name != member}
    return [_without(each, member) for each in value] if isinstance(value, list) else value


async def _trade(client: bm.Client, venue: Any, market: str) -> None:
    """Rest an order, cancel it, fill another, rest one more and leave: what is open afterwards was reported."""
    try:
        with trio.fail_after(900):
            async with opener(client, market, journal=None, visible_after=5, deadline=20) as session:
                order = await rest(session)
                await order.cancel()
                await take(session)
                await rest(session)
    except bm.ExitUnconfirmed:
        pass  # it says what could not be confirmed
    else:
        assert open_ids(venue, market) == []


@pytest.mark.parametrize(("market", "member"), [(market, member) for market in MARKETS for member in MEMBERS[market]])
async def test_a_session_beside_replies_that_lack_a_member(market: str, member: str, autojump_clock: MockClock) -> None:
    """Every look-up, list and history."""
    async with shimmed() as (venue, client, shim):
        shim.change("*", LOOKED_UP[market], lambda data: _without(data, member))
        await _trade(client, venue, market)


@pytest.mark.parametrize(("market", "member"), [(market, member) for market in MARKETS for member in PUSHED[market]])
async def test_a_session_beside_pushes_that_lack_a_member(
    market: str, member: str, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes by what it reads."""
    read, whole = Channel.read, MarketDialect.push_reader
    name = "spot/user/order" if market == "spot" else "futures/order"

    def lacking(self: Channel[Any], data: bytes) -> Any:
        if self.name.startswith(name):
            data = json.dumps(_without(json.loads(data), member)).encode()
        return read(self, data)

    monkeypatch.setattr(Channel, "read", lacking)
    monkeypatch.setattr(
        MarketDialect,
        "push_reader",
        lambda self, channel: None if channel.name.startswith(name) else whole(self, channel),
    )
    async with shimmed() as (venue, client, _):
        await _trade(client, venue, market)
