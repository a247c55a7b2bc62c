"""The other spot chapters: market data, account, margin, sub-accounts, broker, savings."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from rest_recorder import Recorder

from bitmart_trio._bitmart.rest import extras
from bitmart_trio.errors import AbsentMember, InvalidRequest
from bitmart_trio.models._enums import OrderSide
from bitmart_trio.models._rows import Level
from bitmart_trio.models.earn import FixedAutoSubscribe
from bitmart_trio.models.spot_account import WithdrawAccountType
from bitmart_trio.models.spot_market import SpotKlineStep
from bitmart_trio.rest import spot_market
from bitmart_trio.rest.spot import Spot


def over(data: object) -> tuple[Spot, Recorder]:
    """A spot API that answers with this payload."""
    recorder = Recorder(json.dumps({"code": 1000, "message": "OK", "data": data}).encode())
    return Spot(recorder), recorder


def these(*values: object) -> tuple[object, ...]:
    """Values to compare at once: decimals equal whole numbers."""
    return values


TICKER_ROW = ["BTC_USDT", "1", "2", "3", "4", "5", "6", "-0.07", "8", "9", "10", "11", "1767225600123"]


class TestMarket:
    """``client.spot.market``."""

    async def test_a_ticker_row_and_a_ticker_object_are_one_model(self) -> None:
        """The columns of the all-pairs reply land in the fields of the one-pair reply."""
        names = ["symbol", "last", "v_24h", "qv_24h", "open_24h", "high_24h", "low_24h", "fluctuation"]
        names += ["bid_px", "bid_sz", "ask_px", "ask_sz", "ts"]
        spot, _ = over([TICKER_ROW])
        (from_row,) = await spot.market.tickers()
        spot, _ = over(dict(zip(names, TICKER_ROW, strict=True)))
        assert await spot.market.ticker("BTC_USDT") == from_row
        assert these(from_row.last_price, from_row.volume_24h, from_row.quote_volume_24h) == (1, 2, 3)
        assert these(from_row.open_24h, from_row.high_24h, from_row.low_24h) == (4, 5, 6)
        assert from_row.fluctuation == Decimal("-0.07")
        assert these(from_row.bid_price, from_row.bid_size, from_row.ask_price, from_row.ask_size) == (8, 9, 10, 11)
        assert from_row.timestamp == 1767225600123

    async def test_a_ticker_row_that_grew_shows_its_new_column(self) -> None:
        """It reads as before, and extras() has the rest; what a shorter one lacks is absent, the rest is read."""
        spot, recorder = over([[*TICKER_ROW, "new"]])
        reply = await spot.call(spot_market.tickers)
        assert reply.data[0].last_price == 1
        assert extras(reply) == {"[0].[13]": "new"}
        recorder.body = json.dumps({"code": 1000, "data": [TICKER_ROW[:-1], TICKER_ROW]}).encode()
        reply = await spot.call(spot_market.tickers)
        assert dict(reply.deviations) == {"[].timestamp": None}
        shorter, whole = reply.data
        assert shorter.ask_size == whole.ask_size == 11
        assert whole.timestamp == 1767225600123
        with pytest.raises(AbsentMember, match="timestamp"):
            shorter.timestamp  # noqa: B018

    async def test_klines(self) -> None:
        """Seven columns in the order open, high, low, close."""
        spot, recorder = over([["1767225600", "1", "4", "0.5", "2", "100", "150"]])
        (kline,) = await spot.market.klines("BTC_USDT", step=SpotKlineStep.ONE_HOUR, limit=200)
        assert these(kline.open_time, kline.open, kline.high, kline.low) == (1767225600, 1, 4, Decimal("0.5"))
        assert these(kline.close, kline.volume, kline.quote_volume) == (2, 100, 150)
        assert recorder.last.target == "/spot/quotation/v3/klines?symbol=BTC_USDT&step=60&limit=200"

    async def test_kline_bounds(self) -> None:
        """Seconds or datetimes; after lies before before; steps and limits are the documented ones."""
        spot, recorder = over([])
        start, end = datetime(2026, 1, 1, tzinfo=UTC), 1767312000
        await spot.market.latest_klines("BTC_USDT", after=start, before=end)
        assert recorder.last.target.endswith("?symbol=BTC_USDT&before=1767312000&after=1767225600")
        bad: list[dict[str, Any]] = [
            {"after": end, "before": start},
            {"after": 1767225600000},
            {"step": 3},
            {"limit": 201},
            {"limit": 0},
        ]
        for arguments in bad:
            with pytest.raises(InvalidRequest):
                await spot.market.klines("BTC_USDT", **arguments)
        assert len(recorder.sent) == 1

    async def test_the_book(self) -> None:
        """Levels by name; an empty side is an empty list."""
        spot, _ = over({"ts": "1767225600123", "symbol": "BTC_USDT", "asks": [["2", "0.1"]], "bids": None})
        book = await spot.market.order_book("BTC_USDT")
        assert book.asks == [Level(Decimal(2), Decimal("0.1"))]
        assert book.bids == []
        with pytest.raises(InvalidRequest):
            await spot.market.order_book("BTC_USDT", limit=51)

    async def test_public_trades(self) -> None:
        """Five columns."""
        spot, _ = over([["BTC_USDT", "1767225600123", "67000.00", "0.15", "sell"]])
        (trade,) = await spot.market.trades("BTC_USDT")
        assert these(trade.timestamp, trade.price, trade.size) == (1767225600123, 67000, Decimal("0.15"))
        assert trade.side is OrderSide.SELL


class TestAccount:
    """``client.spot.account``."""

    async def test_a_withdrawal_goes_one_way(self) -> None:
        """To a chain or to another account: both or neither is refused, and so is half of either."""
        spot, recorder = over({"withdraw_id": "1"})
        bad: list[tuple[dict[str, Any], str]] = [
            ({}, "address"),
            ({"address": "0x1", "type": 1, "value": "9"}, "type"),
            ({"address": "0x1", "value": "9"}, "value"),
            ({"type": 1}, "value"),
            ({"type": WithdrawAccountType.PHONE, "value": "400000000"}, "area_code"),
            ({"type": 2, "value": "a@example.com", "address_memo": "7"}, "address_memo"),
            ({"type": 4, "value": "9"}, "type"),
        ]
        for arguments, at_fault in bad:
            with pytest.raises(InvalidRequest) as caught:
                await spot.account.submit_withdrawal("USDT-TRX", "100", **arguments)
            assert caught.value.argument == at_fault
        for amount in ("0", -1):
            with pytest.raises(InvalidRequest):
                await spot.account.submit_withdrawal("USDT-TRX", amount, address="0x1")
        assert recorder.sent == []
        placed = await spot.account.submit_withdrawal("USDT-TRX", "100", type=WithdrawAccountType.ACCOUNT_ID, value="9")
        assert placed.withdraw_id == "1"

    async def test_currencies_are_joined_by_commas(self) -> None:
        """Up to twenty."""
        spot, recorder = over({"currencies": []})
        await spot.account.currencies("BTC,ETH")
        assert recorder.last.target == "/account/v1/currencies?currencies=BTC%2CETH"
        await spot.account.currencies()
        assert recorder.last.target == "/account/v1/currencies"
        for value in (",".join(["BTC"] * 21), "BTC,,ETH"):
            with pytest.raises(InvalidRequest):
                await spot.account.currencies(value)

    async def test_the_limit_travels_as_n(self) -> None:
        """1 to 1000 records."""
        spot, recorder = over({"records": []})
        await spot.account.deposit_withdraw_history("deposit", 1000)
        assert recorder.last.target == "/account/v2/deposit-withdraw/history?operation_type=deposit&N=1000"
        with pytest.raises(InvalidRequest):
            await spot.account.deposit_withdraw_history("deposit", 1001)

    async def test_what_is_not_documented_comes_as_it_is(self) -> None:
        """Two endpoints whose replies nobody has shown hand on plain JSON values."""
        spot, _ = over({"anything": [0.5]})
        assert await spot.account.deposit_account() == {"anything": [Decimal("0.5")]}
        assert await spot.account.set_deposit_account("FUND") == {"anything": [Decimal("0.5")]}


class TestOthers:
    """Margin, sub-accounts, broker, savings."""

    async def test_loan_times_are_seconds_either_way(self) -> None:
        """Ten digits in the documentation, thirteen in a recording."""
        record = {
            "borrow_id": "9",
            "symbol": "BTC_USDT",
            "currency": "USDT",
            "borrow_amount": "100",
            "daily_interest": "0.00055",
            "hourly_interest": "0.00002291",
            "interest_amount": "0.00229166",
        }
        times = (1767225600, "1767225600", 1767225600123, "1767225600123")
        spot, recorder = over({"records": [{**record, "create_time": time} for time in times]})
        loans = await spot.margin.borrow_records("BTC_USDT", limit=50)
        assert [loan.create_time for loan in loans] == [1767225600] * 4
        assert recorder.last.target.endswith("?symbol=BTC_USDT&N=50")

    async def test_margin_without_a_loan(self) -> None:
        """Rates and the liquidation price may be missing."""
        amounts = ("borrowed", "borrow_unpaid", "interest_unpaid", "available", "frozen", "net_asset", "net_assetBTC")
        asset: dict[str, object] = dict.fromkeys((*amounts, "total_asset"), "0")
        asset |= {"currency": "BTC", "borrow_enabled": True}
        account: dict[str, object] = {"symbol": "BTC_USDT", "risk_rate": None, "risk_level": "1", "buy_enabled": True}
        account |= {"sell_enabled": False, "liquidate_price": "", "liquidate_rate": None, "base": asset, "quote": asset}
        spot, _ = over({"symbols": [account]})
        (shown,) = await spot.margin.accounts()
        assert these(shown.risk_rate, shown.liquidate_price, shown.liquidate_rate) == (None, None, None)
        assert these(shown.buy_enabled, shown.sell_enabled, shown.base.net_asset_btc) == (True, False, 0)

    async def test_sub_account_transfers_want_a_request_number(self) -> None:
        """At most 64 characters; it is what makes them safe to repeat."""
        spot, recorder = over({})
        with pytest.raises(InvalidRequest) as caught:
            await spot.sub_account.submit_main_to_sub_transfer(
                "x" * 65, amount=1, currency="USDT", sub_account="desk1@example.com"
            )
        assert caught.value.argument == "request_no"
        assert recorder.sent == []
        await spot.sub_account.submit_main_to_sub_transfer(
            "x" * 64, amount=1, currency="USDT", sub_account="desk1@example.com"
        )
        assert json.loads(recorder.last.body)["requestNo"] == "x" * 64

    async def test_the_only_move_type_is_filled_in(self) -> None:
        """With its blanks encoded."""
        spot, recorder = over({"total": 0, "historyList": []})
        page = await spot.sub_account.transfer_history(100)
        assert these(page.total, page.transfers) == (0, [])
        assert recorder.last.target.endswith("?moveType=spot%20to%20spot&N=100")

    async def test_rebates_by_day(self) -> None:
        """A mapping from the day to what it brought."""
        spot, recorder = over({"rebates": {"2026-01-01": [{"currency": "USDT", "rebate_amount": "10.238"}]}})
        shown = await spot.broker.rebates(start_time=datetime(2026, 1, 1, tzinfo=UTC))
        assert shown.rebates["2026-01-01"][0].rebate_amount == Decimal("10.238")
        assert recorder.last.target.endswith("?start_time=1767225600")

    async def test_savings_numbers_have_twenty_digits(self) -> None:
        """Anything else is refused here: the number is what makes the call idempotent."""
        spot, recorder = over(data=True)
        for number in ("2000000900000030000", "200000090000003000000", "2000000900000030000x"):
            with pytest.raises(InvalidRequest) as caught:
                await spot.earn.subscribe_flexible("1001", "5", request_no=number)
            assert caught.value.argument == "request_no"
        assert recorder.sent == []
        assert await spot.earn.subscribe_fixed(
            "2001", "5", request_no="2" * 20, auto_subscribe=FixedAutoSubscribe.REINVEST_FLEXIBLE
        )
        assert json.loads(recorder.last.body)["autoSubscribe"] == "REINVEST_FLEXIBLE"

    async def test_savings_pages(self) -> None:
        """The first page, as large as it may be, unless asked otherwise; tiers may be missing."""
        product = {"productId": 1001, "coinName": "USDT", "apy": "0.03", "minPurchaseAmount": "1"}
        product |= {"maxPurchaseAmount": "10", "additionalApy": "0", "hasTierRate": False}
        spot, recorder = over({"total": 1, "list": [product]})
        page = await spot.earn.flexible_products()
        assert recorder.last.target.endswith("?currentPage=1&sizePage=100")
        assert page.items[0].product_id == "1001"
        assert page.items[0].tier_rates == []
        with pytest.raises(InvalidRequest):
            await spot.earn.flexible_products(page=0)
        with pytest.raises(InvalidRequest):
            await spot.earn.flexible_products(page_size=101)


async def test_numbers_of_records_never_become_floats() -> None:
    """A fraction that comes as a JSON number is as exact as one that comes as text."""
    spot, _ = over([["BTC_USDT", 1767225600123, 0.1, 1e-8, "buy"]])
    (trade,) = await spot.market.trades("BTC_USDT")
    assert these(trade.price, trade.size) == (Decimal("0.1"), Decimal("1E-8"))
