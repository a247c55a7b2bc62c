"""The page at ``/sim/`` in a real browser: it shows what the exchange does, and does what a person asks of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from browser_kit import Browser, find_chromium, open_browser

import bitmart_trio as bm
from bitmart_trio.sim.faults import FAULTS

CHROMIUM = find_chromium()
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium")


@asynccontextmanager
async def shown(server: bm.sim.Server) -> AsyncIterator[Browser]:
    """The page in a browser; at the end it must have had nothing to complain of."""
    assert CHROMIUM is not None
    async with open_browser(CHROMIUM) as browser:
        await browser.open(server.url + "/sim/")
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


async def test_light_dark_and_small() -> None:
    """The page follows the button, and on a narrow screen nothing is wider than the screen."""
    async with bm.sim.open_server(port=0, seed=7) as server, shown(server) as page:
        first = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        await page.click("#theme")
        assert await page.evaluate("getComputedStyle(document.body).backgroundColor") != first
        await page.command(
            "Emulation.setDeviceMetricsOverride", width=400, height=800, deviceScaleFactor=1, mobile=False
        )
        assert await page.evaluate("document.documentElement.scrollWidth <= 400")


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
