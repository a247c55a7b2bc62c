"""The generic venue: a plain client trades on both markets, and everything adds up."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import trio
from chapters_kit import money_of
from trio.testing import MockClock
from trio_websocket import WebSocketConnection, open_websocket_url, wrap_client_stream

from bitmart_trio.sim import (
    Delay,
    Fail5xx,
    LoseReply,
    Models,
    Simulation,
    UnknownField,
    Venue,
    open_exchange,
    open_server,
)
from bitmart_trio.sim.generic.face import Generic
from bitmart_trio.sim.kernel.encoding import encode
from bitmart_trio.sim.kernel.messages import Request
from bitmart_trio.sim.models import Fixed, Ways

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "generic_venue.md"
KEY: Final = ("sim-key", "sim-secret")


class Client:
    """A plain one: httpx and a WebSocket."""

    def __init__(self, http: httpx.AsyncClient, stream: WebSocketConnection) -> None:
        self.http = http
        self.stream = stream
        self.pushed: list[Any] = []

    async def get(self, path: str, **params: Any) -> Any:
        return self._ok(await self.http.get(path, params=params))

    async def order(self, **form: Any) -> Any:
        return self._ok(await self.http.post("/v1/orders", json=form))

    async def cancel(self, **params: Any) -> Any:
        return self._ok(await self.http.delete("/v1/orders", params=params))

    @staticmethod
    def _ok(reply: httpx.Response) -> Any:
        assert reply.status_code == 200, reply.text
        return reply.json()

    async def say(self, **message: Any) -> Any:
        """Send a message, and return the answer to it; pushes that come before are kept."""
        await self.stream.send_message(json.dumps(message))
        while "topic" in (heard := json.loads(await self.stream.get_message())) and "op" not in heard:
            self.pushed.append(heard)
        return heard

    async def push(self, topic: str) -> Any:
        """The next push of a topic; others are left out."""
        while True:
            heard = self.pushed.pop(0) if self.pushed else json.loads(await self.stream.get_message())
            if heard["topic"] == topic:
                return heard["data"]


@asynccontextmanager
async def plain_client(venue: Venue) -> AsyncGenerator[Client, None]:
    """One in process."""
    base = "http://localhost"
    async with trio.open_nursery() as nursery:
        stream = await venue.connect(f"{base}/ws/stream")
        socket = await wrap_client_stream(nursery, stream, "localhost", "/ws/stream")  # type: ignore[arg-type]
        async with httpx.AsyncClient(transport=venue.http_transport(), base_url=base, auth=KEY) as http:
            yield Client(http, socket)
        nursery.cancel_scope.cancel()


async def test_a_plain_client_trades_on_both_markets(autojump_clock: MockClock) -> None:
    """Orders fill, rest and are cancelled; pushes say the same as REST, and the ledger agrees to the last digit."""
    async with open_exchange(venue="generic", seed=7) as venue, plain_client(venue) as client:
        before = await client.get("/v1/balances")
        assert (await client.say(op="subscribe", topics=["orders"]))["error"] == "unauthorized"
        assert (await client.say(op="login", key="sim-key", secret="wrong"))["ok"] is False
        assert await client.say(op="login", key="sim-key", secret="sim-secret") == {"op": "login", "ok": True}
        assert (await client.say(op="subscribe", topics=["orders"]))["ok"] is True

        await client.order(symbol="BTC_USDT", side="buy", type="market", value="5000", client_id="a")
        assert (await client.push("orders"))["state"] == "open"
        while (bought := await client.push("orders"))["state"] == "open":
            pass
        assert (bought["state"], Decimal(bought["filled"]) > 0) == ("filled", True)
        resting = await client.order(symbol="BTC_USDT", side="sell", size="0.01", price="99000", client_id="b")
        assert resting["state"] == "open"
        assert [each["id"] for each in await client.get("/v1/orders")] == [resting["id"]]
        held = {row["currency"]: row["held"] for row in (await client.get("/v1/balances"))["spot"]}
        assert held["BTC"] == "0.01"
        assert [each["id"] for each in await client.cancel(client_id="b")] == [resting["id"]]
        assert (await client.get("/v1/orders", id=resting["id"]))[0]["state"] == "cancelled"

        opened = await client.order(symbol="BTCUSDT", side="sell", type="market", size="20", leverage="10")
        assert opened["state"] == "filled"
        position = (await client.get("/v1/positions"))[0]
        assert [position["symbol"], position["size"], position["leverage"]] == ["BTCUSDT", "-20", "10"]
        await client.order(symbol="BTCUSDT", side="buy", type="market", size="20", reduce_only=True)
        assert await client.get("/v1/positions") == []

        fills = await client.get("/v1/fills")
        assert {row["symbol"] for row in fills} == {"BTC_USDT", "BTCUSDT"}
        after = await client.get("/v1/balances")
        expect = {wallet: {row["currency"]: Decimal(row["free"]) for row in rows} for wallet, rows in before.items()}
        for row in fills:
            size, price, fee = (Decimal(row[name]) for name in ("size", "price", "fee"))
            if row["symbol"] == "BTC_USDT":
                expect["spot"]["BTC"] += size
                expect["spot"]["USDT"] -= size * price
                expect["spot"][row["fee_currency"]] -= fee
            else:
                expect["futures"]["USDT"] += Decimal(row["profit"]) - fee
        found = {wallet: {row["currency"]: Decimal(row["free"]) for row in rows} for wallet, rows in after.items()}
        assert found == expect


async def test_books_and_trades_are_pushed(autojump_clock: MockClock) -> None:
    """A book comes at once and when it has changed, as REST shows it; trades as they happen; nothing after leaving."""
    async with open_exchange(venue="generic", market="scripted") as venue, plain_client(venue) as client:
        venue.book.set("BTC_USDT", bids=[("59000", "1")], asks=[("60000", "2")])
        await client.say(op="subscribe", topics=["book:BTC_USDT"])
        assert await client.push("book:BTC_USDT") == await client.get("/v1/book", symbol="BTC_USDT")
        await client.say(op="subscribe", topics=["trades:BTC_USDT"])
        venue.market.trade("BTC_USDT", price="60000", size="0.5", side="buy")
        assert (await client.push("trades:BTC_USDT"))["price"] == "60000"
        book = await client.push("book:BTC_USDT")
        assert book["asks"] == [["60000", "1.5"]]
        assert (await client.get("/v1/trades", symbol="BTC_USDT", limit=1))[0]["size"] == "0.5"
        assert (await client.say(op="unsubscribe", topics=["trades:BTC_USDT"]))["ok"] is True
        assert (await client.say(op="subscribe", topics=["book:NO_SUCH"]))["error"] == "not_found"
        venue.market.trade("BTC_USDT", price="60000", size="0.5", side="buy")
        with trio.move_on_after(5):
            while True:
                assert json.loads(await client.stream.get_message())["topic"] == "book:BTC_USDT"
        assert (await client.say(op="ping")) == {"op": "pong"}
        assert (await client.say(op="dance"))["error"] == "invalid"


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({}, 400, "invalid"),
        ({"symbol": "NO_SUCH", "side": "buy", "size": "1", "price": "1"}, 404, "not_found"),
        ({"symbol": "BTC_USDT", "side": "hold", "size": "1", "price": "1"}, 400, "invalid"),
        ({"symbol": "BTC_USDT", "side": "buy", "type": "odd", "size": "1", "price": "1"}, 400, "invalid"),
        ({"symbol": "BTC_USDT", "side": "buy", "size": "0.000001", "price": "60000"}, 400, "invalid"),
        ({"symbol": "BTC_USDT", "side": "buy", "size": "0.00001", "price": "60000"}, 400, "invalid"),
        ({"symbol": "BTC_USDT", "side": "buy", "size": "1", "price": "0.001"}, 400, "invalid"),
        ({"symbol": "BTC_USDT", "side": "buy", "size": "NaN", "price": "60000"}, 400, "invalid"),
        ({"symbol": "BTC_USDT", "side": "buy", "type": "market", "size": "1"}, 400, "invalid"),
        ({"symbol": "BTC_USDT", "side": "buy", "size": "1000", "price": "60000"}, 409, "funds"),
        ({"symbol": "BTC_USDT", "side": "buy", "size": "1", "price": "60000", "client_id": "x" * 65}, 400, "invalid"),
        ({"symbol": "BTCUSDT", "side": "buy", "size": "1.5", "price": "60000"}, 400, "invalid"),
        ({"symbol": "BTCUSDT", "side": "buy", "size": "1", "price": "60000", "leverage": "500"}, 409, "leverage"),
        ({"symbol": "BTCUSDT", "side": "buy", "size": "1", "price": "60000", "margin_mode": "odd"}, 400, "invalid"),
        ({"symbol": "BTCUSDT", "side": "buy", "size": "1", "price": "60000", "reduce_only": True}, 409, "position"),
        ({"symbol": "BTCUSDT", "side": "buy", "size": "200000", "price": "60000"}, 409, "funds"),
    ],
)
async def test_refusals(autojump_clock: MockClock, form: dict[str, Any], status: int, error: str) -> None:
    """Each says what is wrong, and nothing has happened."""
    async with open_exchange(venue="generic", market="scripted") as venue, plain_client(venue) as client:
        before = await client.get("/v1/balances")
        reply = await client.http.post("/v1/orders", json=form)
        assert (reply.status_code, reply.json()["error"]) == (status, error), reply.text
        assert reply.json()["message"]
        assert await client.get("/v1/orders") == []
        assert await client.get("/v1/balances") == before


async def test_a_client_id_is_used_once(autojump_clock: MockClock) -> None:
    """Over both markets."""
    async with open_exchange(venue="generic", market="scripted") as venue, plain_client(venue) as client:
        await client.order(symbol="BTC_USDT", side="buy", size="0.01", price="50000", client_id="one")
        for symbol, size in (("BTC_USDT", "0.01"), ("BTCUSDT", "1")):
            form = {"symbol": symbol, "side": "buy", "size": size, "price": "50000", "client_id": "one"}
            reply = await client.http.post("/v1/orders", json=form)
            assert (reply.status_code, reply.json()["error"]) == (409, "used")


async def test_who_is_nobody(autojump_clock: MockClock) -> None:
    """Without the right key private paths are closed, public ones open; unknown paths and verbs are named."""
    async with open_exchange(venue="generic") as venue, plain_client(venue) as client:
        for auth in (None, ("sim-key", "wrong"), ("nobody", "sim-secret")):
            client.http.auth = auth  # type: ignore[assignment]
            refused = await client.http.get("/v1/balances")
            assert (refused.status_code, refused.json()["error"]) == (401, "unauthorized")
            assert refused.headers["www-authenticate"].startswith("Basic")
            assert (await client.http.get("/v1/time")).status_code == 200
        assert (await client.http.get("/v1/nothing")).status_code == 404
        assert (await client.http.put("/v1/orders")).status_code == 405
        assert (await client.http.get("/spot/v1/symbols")).json()["error"] == "not_found"
        assert (await client.http.post("/v1/orders", content=b"[1]", auth=KEY)).status_code == 400


async def test_models_and_faults_are_the_exchanges(autojump_clock: MockClock) -> None:
    """Latency, lost replies, errors and odd members work with this face, too, and so does the control."""
    models = Models(latency=Ways(order=Fixed(400)))
    async with (
        open_exchange(venue="generic", market="scripted", models=models) as venue,
        plain_client(venue) as client,
    ):
        order = {"symbol": "BTC_USDT", "side": "buy", "size": "0.01", "price": "50000"}
        assert (await client.order(**order))["state"] == "open"
        assert venue.book.bids("BTC_USDT") == []
        await trio.sleep(0.5)
        assert venue.book.bids("BTC_USDT") == [(Decimal(50000), Decimal("0.01"))]
        venue.faults.add(LoseReply("/v1/orders"))
        with pytest.raises(httpx.HTTPError):
            await client.order(**order)
        assert len(await client.get("/v1/orders")) == 2
        venue.faults.add(Fail5xx("/v1/time", status=503))
        assert (await client.http.get("/v1/time")).status_code == 503
        venue.faults.add(UnknownField("/v1/time", times=1))
        assert "sim_unknown_field" in await client.get("/v1/time")
        venue.faults.add(Delay("/v1/time", seconds=2))
        began = trio.current_time()
        await client.get("/v1/time")
        assert trio.current_time() - began >= 2
        state = (await client.http.get("/sim/state")).json()
        assert state["endpoints"] == 10


def test_bitmarts_client_is_not_for_this_venue() -> None:
    """What would only fail later says so at once; a face that does not exist is named."""
    with pytest.raises(ValueError, match='venue="bitmart"'):
        _ = Simulation(venue="generic").bitmart
    with pytest.raises(ValueError, match="no such venue: 'other'"):
        Simulation(venue="other")  # type: ignore[arg-type]


async def test_its_client_is_not_opened(autojump_clock: MockClock) -> None:
    """`open_client` of such an exchange refuses."""
    async with open_exchange(venue="generic") as venue:
        with pytest.raises(ValueError, match="plain protocol"):
            venue.open_client()


@pytest.mark.parametrize("seed", range(3))
def test_no_junk_breaks_it_and_no_money_is_made(seed: int) -> None:
    """Random values for every parameter: an answer in the protocol, never a bug, and the sum of all money stays."""
    dice, simulation = random.Random(seed), Simulation(seed=seed, venue="generic")
    exchange, face = simulation.exchange, simulation.face
    assert isinstance(face, Generic)
    values: list[Any] = [
        *("BTC_USDT", "BTCUSDT", "ETH_USDT", "BTCUSD", "buy", "sell", "limit", "market", "ioc", "post_only", "x" * 300),
        *(0, 1, 5, -1, "", None, True, 1.5, "1e40", "1e-9", "NaN", "0.5", "60000", "30000", [], {}, ["a"], "\ud800"),
    ]
    good: dict[str, list[Any]] = {
        "symbol": ["BTC_USDT", "BTCUSDT"], "side": ["buy", "sell"], "type": ["limit", "market", "ioc"],
        "size": ["1", "9"], "price": ["60000"], "value": ["100"], "client_id": values, "leverage": values,
        "margin_mode": values, "reduce_only": values, "id": values, "limit": values,
    }  # fmt: skip
    auth = {"authorization": "Basic c2ltLWtleTpzaW0tc2VjcmV0"}

    before, statuses = money_of(exchange), set[int]()
    for _ in range(600):
        chosen = [name for name in good if dice.random() < 0.7]
        form = {name: dice.choice(good[name] if dice.random() < 0.8 else values) for name in chosen}
        method, path = dice.choice([*face._routes])
        query = httpx.QueryParams({k: str(v) for k, v in form.items() if v != "\ud800"})
        try:
            body = encode(form)
        except UnicodeEncodeError:
            body = b'"\xff'
        statuses.add(face.handle(Request(method, path, str(query), auth, body, "127.0.0.1")).status)
        if dice.random() < 0.1:
            exchange.step(100)
    assert money_of(exchange) == before
    assert statuses <= {200, 400, 404, 409}
    assert {200, 400, 409} <= statuses


def test_it_is_small() -> None:
    """A second venue costs less than 500 lines, blank ones too: what it needs of an exchange is not BitMart's."""
    files = (ROOT / "bitmart_trio" / "sim" / "generic").rglob("*.py")
    assert sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files) < 500


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
async def test_the_pages_curl_recipes() -> None:
    """Each line of the page is answered with what it is about, over loopback."""
    block = re.search(r"```shell\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    answers: list[Any] = []
    async with open_server(venue="generic", seed=7) as server:
        for line in block.group(1).strip().splitlines():
            environment = {"URL": server.url, "PATH": os.environ["PATH"]}
            done = await trio.run_process(["/bin/sh", "-c", line], capture_stdout=True, env=environment)
            answers.append(json.loads(done.stdout))
    book, bought, placed, cancelled, balances = answers
    assert len(book["bids"]) == 1
    assert bought["type"] == "market"
    assert (placed["state"], placed["client_id"]) == ("open", "mine")
    assert [each["client_id"] for each in cancelled] == ["mine"]
    assert set(balances) == {"spot", "futures"}


async def test_over_loopback_with_a_foreign_client() -> None:
    """Httpx and trio-websocket against a server: the book that is pushed is the one that REST shows."""
    async with open_server(venue="generic", market="scripted") as server:
        server.book.set("BTCUSDT", bids=[("59000", "3")], asks=[("60000", "2")])
        url = server.url.replace("http", "ws") + "/ws/stream"
        async with open_websocket_url(url) as socket, httpx.AsyncClient(base_url=server.url) as http:
            await socket.send_message('{"op":"subscribe","topics":["book:BTCUSDT"]}')
            assert json.loads(await socket.get_message())["ok"] is True
            pushed = json.loads(await socket.get_message())["data"]
            assert pushed == (await http.get("/v1/book", params={"symbol": "BTCUSDT"})).json()
