"""The page at ``/sim/`` in a real browser: it shows what the exchange does, and does what a person asks of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest
import trio
from browser_kit import Browser, find_chromium, open_browser

import bitmart_trio as bm
from bitmart_trio.sim.faults import FAULTS

CHROMIUM = find_chromium()
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium")


@asynccontextmanager
async def shown(
    server: bm.sim.Server, *, width: int = 1280, height: int = 800, dark: bool = False
) -> AsyncIterator[Browser]:
    """The page in a browser; at the end it must have had nothing to complain of."""
    assert CHROMIUM is not None
    async with open_browser(CHROMIUM, dark=dark) as browser:
        await browser.open(server.url + "/sim/", width, height)
        await browser.wait("document.querySelectorAll('#bids tr').length > 3")
        yield browser
        assert browser.complaints == []


def _rows(body: str) -> str:
    return f"[...document.querySelectorAll('#{body} tr')].map((row) => row.innerText)"


async def test_what_the_page_shows_and_does() -> None:
    """Book, trades, price and clock move; orders, positions, sockets, faults and events appear; deeds are done."""
    async with (
        bm.sim.open_server(port=0, seed=7) as server,
        server.open_client() as client,
        client.streams.spot.trade("BTC_USDT"),
        shown(server) as page,
    ):
        await _a_market_that_lives(page)
        await _an_account(page, client)
        await _faults(page, server)
        await _connections(page, server)
        await _the_clock(page, server)
        await _another_symbol(page)


async def _a_market_that_lives(page: Browser) -> None:
    for body in ("asks", "bids", "prints"):
        before = await page.evaluate(f"{_rows(body)}.join()")
        await page.wait(f"{_rows(body)}.join() !== {json.dumps(before)}")
    asks, bids = await _prices(page, "asks"), await _prices(page, "bids")
    assert asks == sorted(asks, reverse=True)
    assert bids == sorted(bids, reverse=True)
    assert asks[-1] > bids[0]
    before = await page.text("#time")
    await page.wait(f"document.querySelector('#time').innerText !== {json.dumps(before)}")


async def _prices(page: Browser, body: str) -> list[float]:
    return [float(row.partition("\t")[0].replace(",", "")) for row in await page.evaluate(_rows(body))]


async def _an_account(page: Browser, client: bm.Client) -> None:
    await client.spot.trading.submit_order(
        "BTC_USDT", side="buy", type="limit", size="0.5", price="50000", client_order_id="byHand1"
    )
    await client.futures.trading.submit_order(
        symbol="BTCUSDT", side=1, size=200, leverage="5", open_type="isolated", type="market"
    )
    (order,) = await page.wait(f"(({_rows('orders')}).length && {_rows('orders')})")
    assert order.split("\t") == ["BTC_USDT", "buy", "limit", "50,000", "0.5", "0", "byHand1"]
    (position,) = await page.wait(f"(({_rows('positions')}).length && {_rows('positions')})")
    assert position.split("\t")[:3] == ["BTCUSDT 5\u00d7 isolated", "long", "200"]
    assert "spot\tUSDT\t74,975\t25,025" in await page.evaluate(_rows("balances"))
    await page.wait(f"{_rows('lines')}.some((line) => line.includes('/spot/v2/submit_order'))")
    await client.spot.trading.cancel_all_orders()
    await page.wait(f"{_rows('orders')}.length === 0")


async def _faults(page: Browser, server: bm.sim.Server) -> None:
    offered = await page.evaluate("[...document.querySelector('#kind').options].map((each) => each.value)")
    assert sorted(offered) == sorted(FAULTS)
    await page.choose("#kind", "LatePong")
    await page.fill("#fault-form input[name=seconds]", "7.5")
    await page.fill("#fault-form input[name=connection]", "spot/*")
    await page.click("#fault-form button[type=submit]")
    await page.wait("document.querySelector('#active li') !== null")
    (handle,) = server.faults.active
    assert handle.fault == bm.sim.LatePong("spot/*", seconds=7.5)
    assert "LatePong" in await page.text("#active")
    assert "seconds 7.5" in await page.text("#active")
    # Nonsense is refused by the exchange, and the page says why.
    await page.evaluate("document.querySelector('#fault-form').noValidate = true")
    await page.fill("#fault-form input[name=seconds]", "-1")
    await page.click("#fault-form button[type=submit]")
    await page.wait("document.querySelector('#message').innerText.includes('seconds must be at least 0')")
    page.complaints.clear()  # the browser logs every answer with status 400
    server.faults.add(bm.sim.MuteTopic("nothing"))
    await page.wait("document.querySelectorAll('#active li').length === 2")
    await page.click("#active li button")
    await page.wait("document.querySelectorAll('#active li').length === 1")
    assert [type(each.fault) for each in server.faults.active] == [bm.sim.MuteTopic]
    # What a program has written is shown as text, whatever it says.
    server.faults.add(bm.sim.RefuseLogin("nowhere", text="<img src=x onerror=document.title='taken'>"))
    await page.wait("document.querySelector('#active').innerText.includes('<img src=x')")
    assert await page.evaluate("document.images.length === 0 && document.title !== 'taken'")
    await page.click("#end-all")
    await page.wait("document.querySelectorAll('#active li').length === 0")
    assert server.faults.active == []


async def _connections(page: Browser, server: bm.sim.Server) -> None:
    await page.wait("document.querySelector('#sockets')?.innerText.includes('spot/trade:BTC_USDT')")
    (socket,) = server.connections
    await page.click("#sockets li button")
    with trio.fail_after(10):
        await page.wait(f"!document.querySelector('#sockets').innerText.includes('{socket.name} ')")
    assert socket not in server.connections


async def _the_clock(page: Browser, server: bm.sim.Server) -> None:
    before = server.exchange.now_ms()
    await page.click("[data-step='60000']")
    await page.wait("document.querySelector('#message').innerText.includes('has passed')")
    assert server.exchange.now_ms() >= before + 60_000
    await page.click("#hold")
    await page.wait("document.querySelector('#clock-note').innerText === 'held'")
    held = [server.exchange.clock.held]
    await page.click("#hold")
    await page.wait("document.querySelector('#clock-note').hidden")
    assert [*held, server.exchange.clock.held] == [True, False]
    await page.fill("#skew", "-1500")
    await page.click("#skew-form button")
    await page.wait("document.querySelector('#clock-note').innerText.includes('-1500 ms')")
    assert server.exchange.clock.skew_ms == -1500


async def _another_symbol(page: Browser) -> None:
    await page.choose("#symbol", "ETHUSDT")
    await page.wait("document.title.includes('ETHUSDT')")
    await page.wait("Number(document.querySelector('#bids td').innerText.replace(',', '')) < 9000")
    await page.wait("document.querySelector('#funding').innerText.includes('%')")


# -- charts ----------------------------------------------------------------------------------------


async def _painted(page: Browser, place: str, name: str) -> int:
    """How many points of a chart have a colour of the theme."""
    points = await page.evaluate(
        f"""(() => {{
          const canvas = document.querySelector('#{place} canvas');
          const wanted = getComputedStyle(document.documentElement).getPropertyValue('--{name}').trim().slice(1)
            .match(/../g).map((each) => parseInt(each, 16));
          const {{ data }} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
          let found = 0;
          for (let at = 0; at < data.length; at += 4) {{
            if (wanted.every((each, index) => data[at + index] === each)) found += 1;
          }}
          return found;
        }})()"""
    )
    assert isinstance(points, int)
    return points


FRAMES: Final = "new Promise((resume) => requestAnimationFrame(() => requestAnimationFrame(() => resume(true))))"
"""What was asked of the page has been drawn."""


async def test_charts_in_light_and_dark() -> None:
    """Candles and depth are those of the exchange, in the colours of the theme; a time range asks for other candles."""
    ground = "getComputedStyle(document.body).backgroundColor"
    async with (
        bm.sim.open_server(port=0, seed=7) as server,
        server.open_client() as client,
        shown(server, dark=True) as page,
    ):
        await page.wait("view.candles.shown.length === 120")
        dark = await page.evaluate(ground)
        for _ in range(2):
            await page.evaluate(FRAMES)
            for name in ("buy", "sell", "buy-bar"):
                assert await _painted(page, "candles", name) > 20, name
            for name in ("buy-bar", "sell-bar"):
                assert await _painted(page, "depths", name) > 20, name
            await page.click("#theme")
        assert await page.evaluate(ground) == dark
        await page.click("#theme")
        assert await page.evaluate(ground) == "rgb(238, 241, 245)" != dark
        await page.choose("#range", "60 168")
        await page.wait("view.candles.step === 60 && view.candles.shown.length === 168")
        shown_bars = await page.evaluate(
            "view.candles.shown.slice(-3, -1).map((bar) => [bar.ms / 1000, bar.open, bar.close])"
        )
        bars = await client.spot.market.klines("BTC_USDT", step=60, limit=3)
        assert shown_bars == [[bar.open_time, float(bar.open), float(bar.close)] for bar in reversed(bars[1:])]
        assert " O " in await page.text("#bar")
        assert "bid" in await page.text("#deep")
        # Under the pointer: another candle than the newest.
        newest = await page.text("#bar")
        box = await page.evaluate("(({x, y, width, height}) => [x + width / 3, y + height / 2])"
                                  "(document.querySelector('#candles .u-over').getBoundingClientRect())")  # fmt: skip
        await page.command("Input.dispatchMouseEvent", type="mouseMoved", x=box[0], y=box[1])
        await page.wait(f"document.querySelector('#bar').innerText.slice(0, 11) !== {json.dumps(newest[:11])}")


async def test_a_step_of_the_clock_leaves_no_gap_in_the_candles() -> None:
    """More candles have passed than a look asks for: all are asked for again."""
    async with bm.sim.open_server(port=0, seed=7) as server, shown(server) as page:
        await page.wait("view.candles.shown.length === 120")
        for _ in server.exchange.live(20 * 60_000, tick_ms=60_000):
            pass
        minute = server.exchange.clock.steady_ms() // 60_000 * 60_000
        await page.wait(f"view.candles.shown.at(-1)?.ms >= {minute}")
        apart = await page.evaluate(
            "view.candles.shown.slice(1).map((bar, index) => bar.ms - view.candles.shown[index].ms)"
        )
        assert set(apart) == {60_000}


# -- the event log ---------------------------------------------------------------------------------


async def test_events_are_chosen_by_the_exchange() -> None:
    """What a person did stays, however many frames come after it; a text finds what the page was never shown."""
    async with bm.sim.open_server(port=0, seed=7) as server, shown(server) as page:
        log = server.exchange.log
        log.write("request", method="POST", path="/early/one", account="1", status=200, code="1000")
        for number in range(5_000):
            log.write("frame", connection="ws-1", topic=f"spot/trade:{number}", bytes=100)
        await page.wait(f"{_rows('lines')}.some((line) => line.includes('/early/one'))")
        assert await page.evaluate(f"{_rows('lines')}.some((line) => line.includes('topic='))") is False
        await page.fill("#filter", "TRADE:77 ")
        await page.evaluate("document.querySelector('#filter').dispatchEvent(new Event('input'))")
        await page.choose("#event-kind", "kind=frame")
        await page.wait(
            f"{_rows('lines')}.length === 0 || {_rows('lines')}.every((line) => line.includes('spot/trade:77'))"
        )
        await page.fill("#filter", "trade:77")
        await page.evaluate("document.querySelector('#filter').dispatchEvent(new Event('input'))")
        # 77, 770 to 779: and none of them is among the newest.
        await page.wait(f"{_rows('lines')}.length === 11")
        assert "11 of" in await page.text("#log-note")
        await page.fill("#filter", "")
        await page.evaluate("document.querySelector('#filter').dispatchEvent(new Event('input'))")
        await page.choose("#event-kind", "quiet=1")
        await page.wait(f"{_rows('lines')}.some((line) => line.includes('/early/one'))")


# -- an exchange that ends --------------------------------------------------------------------------


async def test_a_stopped_exchange_is_not_shown_as_live() -> None:
    """Greyed, said to be stopped, without buttons; live again with what another exchange in its place has."""
    assert CHROMIUM is not None
    alive = "document.querySelector('#alive').innerText"
    async with open_browser(CHROMIUM) as page:
        async with bm.sim.open_server(port=0, seed=7, start=1_767_225_600_000) as server:
            port = server.port
            await page.open(server.url + "/sim/")
            await page.wait(f"{alive} === 'live' && document.querySelectorAll('#bids tr').length > 3")
            server.exchange.clock.hold()
            await page.wait(f"{alive} === 'held'")
            server.exchange.clock.release()
            await page.wait(f"{alive} === 'live'")
        await page.wait(f"{alive} === 'stopped'")
        assert await page.evaluate("document.title") == "stopped \u00b7 simulated exchange"
        assert "has not answered since" in await page.text("#message")
        assert await page.evaluate("document.querySelector('main').inert")
        assert await page.evaluate("getComputedStyle(document.querySelector('main')).filter") == "grayscale(1)"
        async with bm.sim.open_server(port=port, seed=8, start=1_767_312_000_000) as server:
            server.exchange.log.write("request", path="/of/the/second")
            await page.wait(f"{alive} === 'live'")
            assert await page.evaluate("document.querySelector('main').inert") is False
            await page.wait("document.querySelector('#seed').innerText === '8'")
            await page.wait("view.candles.shown.at(-1)?.ms >= 1767312000000 && view.candles.shown.length === 120")
            await page.wait(f"{_rows('lines')}.length === 1 && {_rows('lines')}[0].includes('/of/the/second')")


# -- screens ---------------------------------------------------------------------------------------

WIDER: Final = """[...document.querySelectorAll('section, section .scroll, section td, section h2')]
  .filter((each) => each.scrollWidth > each.clientWidth + 1 && each.checkVisibility() && !each.closest('#events'))
  .map((each) => each.outerHTML.slice(0, 90))"""
"""Blocks of the page, and cells in them, of which a part is cut off to the right."""


async def test_screens() -> None:
    """At 1,280 points all is whole and on the screen; on a phone one column: market, account, deeds, then the log."""
    async with (
        bm.sim.open_server(port=0, seed=7) as server,
        server.open_client() as client,
        shown(server) as page,
    ):
        await client.spot.trading.submit_order(
            "BTC_USDT", side="buy", type="limit", size="0.5", price="50000", client_order_id="byHand1"
        )
        await client.futures.trading.submit_order(
            symbol="BTCUSDT", side=1, size=200, leverage="5", open_type="isolated", type="market"
        )
        await page.wait(f"({_rows('orders')}).length && ({_rows('positions')}).length")
        for symbol in ("BTCUSDT", "BMX_USDT", "BTC_USDT"):
            await page.choose("#symbol", symbol)
            await page.wait(f"document.title.includes('{symbol} ')")
            assert await page.evaluate(WIDER) == []
        assert await page.evaluate("document.documentElement.scrollHeight <= innerHeight")
        for width in (390, 320):
            await page.command(
                "Emulation.setDeviceMetricsOverride", width=width, height=844, deviceScaleFactor=1, mobile=False
            )
            await page.wait("document.querySelectorAll('#bids tr').length === 10")
            await page.evaluate(FRAMES)
            assert await page.evaluate(f"document.documentElement.scrollWidth <= {width}")
            places = await page.evaluate(
                "[...document.querySelectorAll('section')].map((each) => [each.getBoundingClientRect().top, each.id])"
            )
            order = [name for _, name in sorted(places)]
            assert order == ["chart", "book", "depth", "trades", "accounts", "clock", "connections", "faults", "events"]
            assert order == [name for _, name in places]
            # Client ids and liquidation prices are there by a swipe.
            assert [each for each in await page.evaluate(WIDER) if "Balances" not in each] == []


async def test_the_root_leads_to_the_page() -> None:
    """What a person sees who opens the address that the server prints: what is there, and a link that works."""
    assert CHROMIUM is not None
    async with bm.sim.open_server(port=0, seed=7) as server, open_browser(CHROMIUM) as page:
        await page.open(server.url + "/")
        assert "sim-secret" in await page.text("body")
        await page.click("a[href='/sim/']")
        await page.wait("document.querySelectorAll('#bids tr').length > 3")
        assert page.complaints == []


async def test_who_cannot_see_can_use_it() -> None:
    """Every control, table and region has a name for a screen reader."""
    async with bm.sim.open_server(port=0, seed=7) as server, shown(server) as page:
        nodes = (await page.command("Accessibility.getFullAXTree"))["nodes"]
        nameless = [
            node["role"]["value"]
            for node in nodes
            if not node["ignored"]
            and node["role"]["value"]
            in (
                "button",
                "textbox",
                "combobox",
                "checkbox",
                "spinbutton",
                "searchbox",
                "region",
                "table",
                "image",
                "list",
            )
            and not node.get("name", {}).get("value")
        ]
        assert nameless == []
