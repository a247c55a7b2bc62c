"""Pages of other origins in a real browser: whatever their scripts try, they change and see nothing of the exchange."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final

import pytest
import trio
from browser_kit import Browser, find_chromium, open_browser

import bitmart_trio as bm
from bitmart_trio.sim import faults
from bitmart_trio.sim.bitmart.gate import signature

CHROMIUM = find_chromium()
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium")

OTHER_NAME: Final = "attacker.example"
TICKER: Final = "/spot/quotation/v3/ticker"
SUBMIT: Final = "/spot/v2/submit_order"
ORDER: Final = json.dumps({"symbol": "BTC_USDT", "side": "buy", "type": "limit", "size": "0.5", "price": "50000"})
ACCOUNT: Final = json.dumps({"account_id": "theirs", "key": "k", "secret": "s", "memo": "m"})
PAGE: Final = b"<!doctype html><title>A page</title><p>Nothing to see"
SANDBOX: Final = "Content-Security-Policy: sandbox allow-scripts allow-forms\r\n"
"""Makes the origin of a page ``null``."""

DEEDS: Final = """
async (there, sockets, ticker, submit, order, account, headers) => {
  const got = {};
  const attempt = async (name, deed) => {
    try { got[name] = await deed(); } catch (error) { got[name] = `refused: ${error}`; }
  };
  const fetched = (path, options) => async () => {
    const reply = await fetch(there + path, options);
    return reply.ok ? await reply.text() : `refused: ${reply.status}`;
  };
  const loaded = (made) => new Promise((resolve) => {
    made.onload = () => resolve("loaded");
    made.onerror = () => resolve("refused");
    document.body.append(made);
    setTimeout(() => resolve("refused: no answer"), 5000);
  });
  const element = (kind, source) => () => loaded(Object.assign(document.createElement(kind), { src: source }));
  const blind = { mode: "no-cors", method: "POST" };
  const signed = { method: "POST", body: order, headers };

  await attempt("state", fetched("/sim/state"));
  await attempt("log", fetched("/sim/log"));
  await attempt("order", fetched(submit, signed));
  await attempt("fault", fetched("/sim/faults", { method: "POST", body: "LatePong" }));
  await attempt("clock", fetched("/sim/clock", { method: "POST", body: '{"skew_ms": 5000}' }));
  await attempt("account", fetched("/sim/accounts", { method: "POST", body: account }));
  await attempt("drop", fetched("/sim/drop", { method: "POST", body: "{}" }));
  await attempt("delete", fetched("/sim/faults", { method: "DELETE" }));
  for (const [path, body] of [["/sim/faults", "LatePong"], ["/sim/clock", '{"skew_ms": 5000}'], ["/sim/drop", "{}"],
                              ["/sim/accounts", account], [submit, order]]) {
    await attempt(`blind ${path}`, async () => (await fetch(there + path, { ...blind, body })).type);
    await attempt(`beacon ${path}`, async () => navigator.sendBeacon(there + path, body));
  }
  for (const path of [ticker, "/sim/state"]) {
    await attempt(`blind ${path}`, async () => (await fetch(there + path, { mode: "no-cors" })).type);
    await attempt(`image ${path}`, element("img", there + path));
    await attempt(`script ${path}`, element("script", there + path));
    await attempt(`frame ${path}`, element("iframe", there + path));
  }
  await attempt("form", async () => {
    const frame = Object.assign(document.createElement("iframe"), { name: "hidden" });
    const form = Object.assign(document.createElement("form"),
      { action: there + "/sim/faults", method: "POST", enctype: "text/plain", target: "hidden" });
    const field = { name: '{"kind": "LatePong", "text": "', value: '"}' };
    form.append(Object.assign(document.createElement("input"), field));
    document.body.append(frame, form);
    form.submit();
    return loaded(frame);
  });
  for (const kind of ["spot/public", "spot/private", "futures/public", "futures/private"]) {
    await attempt(`socket ${kind}`, () => new Promise((resolve) => {
      const socket = new WebSocket(`${sockets}/ws/${kind}`);
      socket.onopen = () => resolve("open");
      socket.onerror = () => resolve("refused");
    }));
  }
  return got;
}
"""
"""What a page can try: to read, to write with and without leave, as an image, a script, a frame, a form, a socket."""


@asynccontextmanager
async def another_server() -> AsyncGenerator[int]:
    """A web server that has nothing to do with the exchange; its port. What is below ``/null`` has no origin."""

    async def serve(stream: trio.SocketStream) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            data = await stream.receive_some()
            if not data:
                return
            head += data
        sandbox = SANDBOX if head.startswith(b"GET /null") else ""
        lines = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{sandbox}Content-Length: {len(PAGE)}\r\n"
        await stream.send_all(f"{lines}Connection: close\r\n\r\n".encode() + PAGE)

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, serve, 0, host="127.0.0.1"))
        yield listeners[0].socket.getsockname()[1]
        nursery.cancel_scope.cancel()


async def try_everything(page: Browser, server: bm.sim.Server, there: str) -> dict[str, Any]:
    """Run `DEEDS` on the page against the exchange at ``there``; what the script got of each."""
    key, stamp = server.credentials, str(server.exchange.now_ms())
    headers = {
        "Content-Type": "application/json",
        "X-BM-KEY": key.api_key,
        "X-BM-TIMESTAMP": stamp,
        "X-BM-SIGN": signature("sim-secret", stamp, "sim-memo", ORDER),
    }
    given = [there, there.replace("http", "ws"), TICKER, SUBMIT, ORDER, ACCOUNT, headers]
    got: dict[str, Any] = await page.evaluate(f"({DEEDS})({', '.join(map(json.dumps, given))})")
    return got


@pytest.mark.parametrize(
    ("page", "there"),
    [
        ("http://127.0.0.1:{other}/", "http://127.0.0.1:{port}"),
        ("http://localhost:{other}/", "http://localhost:{port}"),
        ("http://localhost:{other}/", "http://127.0.0.1:{port}"),
        (f"http://{OTHER_NAME}:{{other}}/", "http://127.0.0.1:{port}"),
        (f"http://{OTHER_NAME}:{{port}}/", f"http://{OTHER_NAME}:{{port}}"),
        (f"http://sim.localhost.{OTHER_NAME}:{{port}}/", f"http://sim.localhost.{OTHER_NAME}:{{port}}"),
        ("http://127.0.0.1:{other}/null", "http://127.0.0.1:{port}"),
    ],
    ids=["port", "port-of-localhost", "localhost", "site", "rebinding", "rebinding-below", "no-origin"],
)
async def test_a_page_of_another_origin_changes_and_sees_nothing(page: str, there: str) -> None:
    """Another port, another site, none at all, and a name that was made to lead here (DNS rebinding)."""
    assert CHROMIUM is not None
    names = (OTHER_NAME, f"*.{OTHER_NAME}")
    async with (
        another_server() as other,
        bm.sim.open_server(port=0, seed=7) as server,
        open_browser(CHROMIUM, names=names) as browser,
    ):
        server.faults.add(faults.GarbageReply(TICKER, times=1))
        exchange = server.exchange
        await browser.open(page.format(other=other, port=server.port))
        got = await try_everything(browser, server, there.format(port=server.port))
        seen = {name: each for name, each in got.items() if name.startswith(("state", "log", "socket"))}
        assert len(seen) == 6
        assert all(str(each).startswith("refused") for each in seen.values()), seen
        assert [type(handle.fault) for handle in server.faults.active] == [faults.GarbageReply], "a fault was used up"
        assert exchange.spot.engine.open_orders("1") == []
        assert exchange.accounts.get("theirs") is None
        assert exchange.clock.skew_ms == 0
        assert not server.connections
        events = [event["kind"] for event in exchange.log.lines]
        assert "request" not in events, events
        assert "turned_away" in events


async def test_the_exchanges_own_page_may_do_all_of_it() -> None:
    """So it is the origin that the others are refused for, and the attempts are real ones."""
    assert CHROMIUM is not None
    async with bm.sim.open_server(port=0, seed=7) as server, open_browser(CHROMIUM) as browser:
        exchange = server.exchange
        await browser.open(server.url + "/system/time")
        got = await try_everything(browser, server, server.url)
        refused = {name for name, each in got.items() if str(each).startswith("refused")}
        assert not refused & {"state", "log", "fault", "clock", "account", "drop", "order", "delete"}, got
        assert {name: each for name, each in got.items() if name.startswith("socket")} == dict.fromkeys(
            (f"socket {kind}" for kind in ("spot/public", "spot/private", "futures/public", "futures/private")), "open"
        )
        assert len(exchange.spot.engine.open_orders("1")) == 1
        assert exchange.accounts.get("theirs") is not None
