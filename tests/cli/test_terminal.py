"""The live views as a person has them: a real terminal, keys, another size, Ctrl-C, against a simulated exchange."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import trio
import trustme
from cli_process import KEYS
from terminal import needs_tmux, shows, terminal
from tls_kit import roots_file, server_context, tls_in_front_of

import bitmart_trio as bm

pytestmark = needs_tmux

COLOUR = re.compile(r"\x1b\[(?:[0-9;]*;)?3[0-7](?:;[0-9;]*)?m")


def is_ladder(screen: str, rows: int) -> bool:
    """Whether so many prices stand below each other, the highest on top."""
    prices = [float(each) for each in re.findall(r"^ *(\d+\.\d+) ", screen, re.MULTILINE)]
    return len(prices) == rows and prices == sorted(prices, reverse=True)


async def test_the_book_is_a_ladder_that_fits_and_says_when_it_is_not_right(tmp_path: Path) -> None:
    """Asks above, bids below; another size has other rows; a broken line shows no price until the book is right."""
    async with (
        bm.sim.open_server(seed=7) as server,
        terminal(tmp_path, "book", "BTC_USDT", "--env", server.url, width=100, height=30) as term,
    ):
        whole = shows(r"BTC_USDT +live", r"price +size +total", "spread", "█")
        await term.until(lambda screen: whole(screen) and is_ladder(screen, 2 * 12 + 1))

        await term.resize(50, 14)
        await term.until(
            lambda screen: (
                "total" not in screen
                and "spread" in screen
                and is_ladder(screen, 2 * 4 + 1)
                and max(map(len, screen.splitlines())) <= 50
            )
        )

        refuse = server.faults.add(bm.sim.RefuseConnect())
        server.drop_connections()
        await term.until(
            lambda screen: "stale" in screen and not re.search(r"\d+\.\d\d", screen.partition("no prices")[2])
        )
        await term.resize(110, 30)
        refuse.remove()
        await term.until(shows("live", "resynced 1 times", "spread"))

        seen = await term.interrupt()
        assert "spread" not in seen
        assert "Traceback" not in seen


def tickers_of(screen: str) -> list[str]:
    """The contracts in the table of tickers, one for each row."""
    table = screen.partition("\nfutures/ticker\n")[2]
    return re.findall(r"^([A-Z]+USDT?) ", table, re.MULTILINE)


async def test_watch_has_a_table_a_channel(tmp_path: Path) -> None:
    """Trades come in on top; tickers stay in one row a symbol; a gap is counted; Ctrl-C leaves a summary."""
    topics = ("spot/trade:BTC_USDT", "spot/trade:ETH_USDT", "futures/ticker")
    async with (
        bm.sim.open_server(seed=7) as server,
        terminal(tmp_path, "watch", *topics, "--env", server.url, width=130, height=36) as term,
    ):
        whole = shows(
            *(rf"^{re.escape(topic)} +[1-9]" for topic in topics), "^BTC_USDT .*(buy|sell)", "^ETH_USDT .*(buy|sell)"
        )
        await term.until(
            lambda screen: (
                whole(screen)
                and len(re.findall(r"(?:buy|sell) +\d", screen)) > 4
                and "BTCUSDT" in (tickers := tickers_of(screen))
                and len(tickers) == len(set(tickers)) <= 3
            )
        )
        await term.until(lambda screen: bool(COLOUR.search(screen)), styled=True)

        server.drop_connections("spot/*")
        # Beside the count stands what came last: that it is connected again, or that this machine has no time for it.
        await term.until(shows(r"spot/trade:BTC_USDT .* s +[1-9]\d*$", "reconnected|was busy"))
        seen = await term.interrupt()
        assert re.search(r"^spot/trade:BTC_USDT: \d+ messages, [1-9]\d* gaps$", seen, re.MULTILINE)


async def test_no_color_has_none(tmp_path: Path) -> None:
    """``NO_COLOR=1``: the same view without a colour."""
    async with (
        bm.sim.open_server(seed=7) as server,
        terminal(
            tmp_path, "book", "BTCUSDT", "--levels", "3", "--env", server.url, environment={"NO_COLOR": "1"}
        ) as term,
    ):
        await term.until("spread")
        assert not COLOUR.search(await term.screen(styled=True))
        await term.interrupt()


async def test_orders_come_and_go(tmp_path: Path) -> None:
    """The view follows the account: an order placed elsewhere appears, and goes when it is cancelled."""
    async with (
        bm.sim.open_server(seed=7) as server,
        server.open_client() as client,
        terminal(tmp_path, "orders", "--env", server.url, width=150, environment=KEYS) as term,
    ):
        await term.until(shows("spot live", "futures live", "no orders"))
        placed = await client.spot.trading.submit_order(
            "BTC_USDT", side="buy", type="limit", size="0.01", price="30000"
        )
        await client.futures.trading.submit_order(
            symbol="BTCUSDT", side=4, type="limit", size=3, price="90000", leverage="5", open_type="isolated"
        )
        buy = r"spot +BTC_USDT +buy +limit +30000\.00 +0\.01000"
        await term.until(shows(placed.order_id, "sell open short", buy))
        await client.spot.trading.cancel_order("BTC_USDT", placed.order_id)
        await term.until(lambda screen: placed.order_id not in screen and "sell open short" in screen)
        await term.interrupt()


async def test_an_order_is_sent_after_a_yes_only(tmp_path: Path) -> None:
    """A host that is not this machine by its name is asked about first; "n" sends nothing."""
    no, yes = tmp_path / "no", tmp_path / "yes"
    no.mkdir()
    yes.mkdir()
    elsewhere = "127.1"  # reaches this machine, but is not spelled as one of its addresses: for all we know a stranger
    authority = trustme.CA()
    environment = {**KEYS, "SSL_CERT_FILE": str(roots_file(authority, tmp_path))}
    async with (
        bm.sim.open_server(seed=7, limits=bm.sim.Limits(allowed_hosts=frozenset({elsewhere}))) as server,
        server.open_client() as client,
        tls_in_front_of(server.url, server_context(authority.issue_cert(elsewhere))) as port,
    ):
        url = f"https://{elsewhere}:{port}"
        words = ("order", "submit", "BTC_USDT", "buy", "--size", "0.01", "--price", "30000", "--env", url)
        async with terminal(no, *words, environment=environment) as term:
            seen = await term.until("[y/N]")
            assert "limit buy 0.01 BTC_USDT at 30000 (worth 300.00 USDT)" in seen
            assert url in seen
            await term.press("n", "Enter")
            assert "not sent" in await term.until("exit code 1")
        assert await client.spot.trading.open_orders() == []
        async with terminal(yes, *words, environment=environment) as term:
            await term.until("[y/N]")
            await term.press("y", "Enter")
            assert "placed limit buy" in await term.until("exit code 0")
        assert len(await client.spot.trading.open_orders()) == 1


async def test_ctrl_c_at_the_question_sends_nothing(tmp_path: Path) -> None:
    """The same code as everywhere."""
    words = ("order", "cancel", "BTC_USDT", "--all", "--env", "http://exchange.invalid")
    async with terminal(tmp_path, *words, environment=KEYS) as term:
        assert "cancel all orders of BTC_USDT" in await term.until("[y/N]")
        assert "Traceback" not in await term.interrupt()


async def test_an_archive_shows_how_far_it_is_and_can_be_interrupted(tmp_path: Path) -> None:
    """What has been read, and a count that grows; Ctrl-C says how to go on."""
    words = ("archive", "--out", str(tmp_path / "account"), "--allow-trading-key")
    async with (
        bm.sim.open_server(seed=7) as server,
        terminal(tmp_path, *words, environment={**KEYS, "BITMART_URL": server.url}) as term,
    ):
        part = r"^(spot|futures)\.\w+\.\w+.*: \d+ records, (1 request|\d+ requests)\b"
        await term.until(shows(r"account .* [1-9]\d* parts done", part))
        seen = await term.interrupt()
        assert "--resume" in seen
        assert "Traceback" not in seen


async def test_tab_completes_in_bash(tmp_path: Path) -> None:
    """Names of endpoints, their arguments, and the symbols that the exchange has."""
    script = Path(sys.executable).with_name("bitmart-trio")
    setup = tmp_path / "bashrc"
    setup.write_text(
        f'PATH={shlex.quote(str(script.parent))}:$PATH\nPS1="ready: "\n'
        'eval "$(_BITMART_TRIO_COMPLETE=source_bash bitmart-trio)"\n'
    )
    async with (
        bm.sim.open_server(seed=7) as server,
        terminal(
            tmp_path, program=f"bash --rcfile {shlex.quote(str(setup))} -i", environment={"BITMART_URL": server.url}
        ) as term,
    ):
        await term.until("ready:")
        await term.press("bitmart-trio call spot.market.order_book s", "Tab")
        await term.until("spot.market.order_book symbol=")
        await term.press("ETH", "Tab")
        seen = await term.until("symbol=ETH_USDT")
        assert "Traceback" not in seen
        with trio.fail_after(30):
            await term.press("C-u", "bitmart-trio watch futures/fund", "Tab")
            await term.until("futures/fundingRate:")
