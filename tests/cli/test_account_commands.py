"""``orders``, ``balances``, ``positions``, ``order``: what a script reads and what it is told."""

from __future__ import annotations

import io
import json
import sys
from contextlib import nullcontext
from typing import cast

import pytest
from cli_process import KEYS, Ended, started
from in_process import Cli

import bitmart_trio as bm
from bitmart_trio.cli import _options
from bitmart_trio.cli._run import Failure

RESTING = ("--size", "0.01", "--price", "30000")


def _open_orders(cli: Cli, market: str) -> list[object]:
    return [row["order_id"] for row in cli.rows("call", f"{market}.trading.open_orders")]


def test_lists_of_an_account_as_json(cli: Cli) -> None:
    """One document each: balances of both markets without empty ones, open orders, positions with a side in words."""
    cli.json("order", "submit", "BTC_USDT", "buy", *RESTING)
    sell = ("order", "submit", "BTCUSDT", "sell", "--type", "market", "--size", "3")
    cli.json(*sell, "--leverage", "5", "--margin-mode", "isolated")

    balances = cli.rows("balances")
    (dollars,) = (row for row in balances if (row["market"], row["currency"]) == ("spot", "USDT"))
    assert (dollars["available"], dollars["frozen"]) == ("99699.70000000", "300.30000000")
    assert {row["market"] for row in balances} == {"spot", "futures"}
    assert {row["market"] for row in cli.rows("balances", "--market", "spot", "--all")} == {"spot"}
    (order,) = cli.rows("orders", "BTC_USDT")
    assert {"market": "spot", "symbol": "BTC_USDT", "price": "30000.00", "state": "new"}.items() <= order.items()
    assert cli.rows("orders", "ETH_USDT") == []
    (position,) = cli.rows("positions")
    assert {"symbol": "BTCUSDT", "side": "short", "size": "3"}.items() <= position.items()
    assert cli.rows("positions", "ETHUSDT") == []


async def test_follow_prints_a_line_a_change(home: str) -> None:
    """First the list, then what changes, as it does."""
    async with bm.sim.open_server(port=0, seed=7) as server, server.open_client() as client:
        words = ("orders", "--market", "spot", "--follow", "--json", "--env", server.url)
        async with started(*words, home=home, **KEYS) as follow:
            assert json.loads(await follow.line()) == []
            placed = await client.spot.trading.submit_order(
                "BTC_USDT", side="buy", type="limit", size="0.01", price="30000"
            )
            while (change := json.loads(await follow.line()))["change"] != "OrderChanged":
                pass
            assert change["order"]["order_id"] == placed.order_id
            ended = await follow.interrupt()
    assert (ended.code, ended.err) == (130, "")


def test_an_order_is_placed_and_cancelled(cli: Cli) -> None:
    """On spot and on futures; ids come back as JSON; the client order id is the one that was given."""
    placed = cast(
        "dict[str, str]", cli.json("order", "submit", "BTC_USDT", "buy", *RESTING, "--client-order-id", "mine1")
    )
    assert placed["client_order_id"] == "mine1"
    assert _open_orders(cli, "spot") == [placed["order_id"]]
    cli.json("order", "cancel", "BTC_USDT", "--client-order-id", "mine1")
    assert _open_orders(cli, "spot") == []

    sell = ("order", "submit", "BTCUSDT", "sell", "--size", "3", "--price", "90000")
    placed = cast("dict[str, str]", cli.json(*sell, "--leverage", "5", "--margin-mode", "isolated"))
    (order,) = cli.rows("orders", "BTCUSDT")
    assert (order["order_id"], order["side"]) == (placed["order_id"], 4)
    cli.json("order", "cancel", "BTCUSDT", "--all")
    assert _open_orders(cli, "futures") == []

    said = cli("order", "submit", "BTC_USDT", "buy", "--type", "market", "--notional", "50").out
    assert said.startswith("placed market buy BTC_USDT for 50 USDT: order ")


def _refused(cli: Cli, *arguments: str) -> Ended:
    ended = cli("order", "submit", *arguments)
    assert ended.out == ""
    assert "Traceback" not in ended.err
    return ended


def test_an_order_that_breaks_the_rules_is_not_sent(cli: Cli) -> None:
    """The market's own tick, step and least size, all at once, before anything goes out: code 2."""
    ended = _refused(cli, "BTC_USDT", "buy", "--size", "0.0000001", "--price", "30000.001")
    assert ended.code == 2
    for word in ("tick", "step", "smallest"):
        assert word in ended.err
    assert _open_orders(cli, "spot") == []
    assert _refused(cli, "NO_SUCH", "buy", *RESTING).err.startswith("bitmart-trio: InvalidSymbol: ")


def test_an_unknown_outcome_is_code_3_and_names_the_order(cli: Cli) -> None:
    """The reply is lost, the order placed: nobody can know, but how to find out is said."""
    cli.control("faults", "LoseReply:path=/spot/v2/submit_order,times=1")
    ended = _refused(cli, "BTC_USDT", "buy", *RESTING, "--client-order-id", "lost1")
    assert ended.code == 3
    assert "OutcomeUnknown" in ended.err
    assert "lost1" in ended.err
    found = cast("dict[str, str]", cli.json("call", "spot.trading.order_by_client_id", "client_order_id=lost1"))
    assert found["state"] == "new"


def test_without_a_key_nothing_private_is_asked(cli: Cli) -> None:
    """One line that says what is missing."""
    for command in (("balances",), ("order", "cancel", "BTC_USDT", "--all")):
        ended = cli(*command, keyed=False)
        assert ended.code == 1
        assert ended.err.startswith("bitmart-trio: MissingCredentials: ")


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("Yes\n", 0), ("n\n", 1), ("\n", 1), ("", 1)])
def test_the_answer_to_the_question(monkeypatch: pytest.MonkeyPatch, answer: str, code: int) -> None:
    """Only a yes is one; the end of input is none."""
    typed = io.StringIO(answer)
    monkeypatch.setattr(typed, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", typed)
    with pytest.raises(Failure) if code else nullcontext() as refused:
        _options.confirm("do it", bm.LIVE, yes=False)
    if refused is not None:
        assert refused.value.code == code


def test_play_money_needs_no_question() -> None:
    """BitMart's demo and this machine; not a name that could be anything."""
    play = (bm.DEMO, *map(bm.Environment.at, ("http://127.0.0.1:1", "http://[::1]:1", "http://localhost:1")))
    real = (
        bm.LIVE,
        *map(bm.Environment.at, ("http://exchange.invalid", "http://192.0.2.1", "http://127.0.0.1.invalid")),
    )
    assert all(map(_options.is_play, play))
    assert not any(map(_options.is_play, real))
