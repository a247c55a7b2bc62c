"""Every function of the npm package ``bitmart-api`` 2.5.1 that calls the exchange, and our method for it, with sample arguments.

Data only: the tests compare what both libraries send for these, and the table of functions in the documentation comes from here too. Arguments
are spelled and typed as the package's own type declarations have it, faults included; each parameter it declares is in some sample.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import attrs

Arguments: TypeAlias = Mapping[str, Any]

SPOT_CLIENT: Final = "RestClient"
FUTURES_CLIENT: Final = "FuturesClientV2"

RENAMED: Final[dict[str, str]] = {
    "N": "limit",
    "from": "from_",
    "currentPage": "page",
    "sizePage": "page_size",
    "orderParams": "orders",
    "recvwindow": "recv_window",
    "stpmode": "stp_mode",
    "time_start": "start_time",
    "time_end": "end_time",
}
"""Parameters whose name here is not the one there in snake case, whatever the function."""


@attrs.frozen
class NodeFunction:
    """One function and its counterpart."""

    name: str
    method: str
    """Ours, below ``client``: ``spot.market.ticker``."""
    samples: tuple[Arguments, ...]
    """Arguments for the Node function, one call each."""
    renamed: Mapping[str, str] = attrs.field(factory=dict, kw_only=True)
    """Like `RENAMED`, for this function only."""
    values: Arguments = attrs.field(factory=dict, kw_only=True)
    """What our method is given instead, by our names, where the package declares another type."""
    without: tuple[str, ...] = attrs.field(default=(), kw_only=True)
    """Parameters that the endpoint does not have, so that our method does not take them."""

    def ours(self, sample: Arguments) -> dict[str, Any]:
        """The same arguments as our method takes them."""
        names = {**RENAMED, **self.renamed}
        return {**_respelled(sample, names, self.without), **{k: v for k, v in self.values.items()}}


def _respelled(arguments: Arguments, names: Mapping[str, str], without: tuple[str, ...]) -> dict[str, Any]:
    return {
        names.get(name, _snake(name)): (
            [_respelled(each, names, without) if isinstance(each, dict) else each for each in value]
            if isinstance(value, list)
            else value
        )
        for name, value in arguments.items()
        if name not in without
    }


def _snake(name: str) -> str:
    return re.sub("(?<!^)[A-Z]", lambda letter: "_" + letter[0].lower(), name)


def _row(name: str, method: str, *samples: Arguments, **more: Any) -> NodeFunction:
    return NodeFunction(name, method, samples or ({},), **more)


_ID = "118100034543076010"
_PAGE = {"renamed": {"size": "page_size"}}
_SINCE, _UNTIL = 1767225600, 1767312000
_RANGE_S = {"start_time": _SINCE, "end_time": _UNTIL}
_RANGE_MS = {"start_time": _SINCE * 1000, "end_time": _UNTIL * 1000}
_CAMEL_RANGE_MS = {"startTime": _SINCE * 1000, "endTime": _UNTIL * 1000}
_WINDOW = {"recvWindow": 3000}
_REQUEST_NO = {"requestNo": "4f2f5e6a-0001", "amount": "1.5", "currency": "USDT"}
_EARN_NO = {"requestNo": "20000009000000300000"}
_COIN_PAGE = {"coinName": "USDT", "currentPage": 2, "sizePage": 20}
_LIMIT_ORDER = {"side": "buy", "type": "limit", "size": "0.1", "price": "8800"}
_MARKET_BUY = {"side": "buy", "type": "market", "notional": "50"}

SPOT: Final[tuple[NodeFunction, ...]] = (
    # System
    _row("fetchLatencySummary", "spot.system.latency"),
    _row("getSystemTime", "spot.system.time"),
    _row("getSystemStatus", "spot.system.status"),
    # Market data
    _row("getSpotCurrenciesV1", "spot.market.currencies"),
    _row("getSpotTradingPairsV1", "spot.market.symbols"),
    _row("getSpotTradingPairDetailsV1", "spot.market.symbol_details"),
    _row("getSpotTickersV3", "spot.market.tickers"),
    _row("getSpotTickerV3", "spot.market.ticker", {"symbol": "BTC_USDT"}),
    _row(
        "getSpotLatestKlineV3",
        "spot.market.latest_klines",
        {"symbol": "BTC_USDT", "after": _SINCE, "before": _UNTIL, "step": 60, "limit": 100},
    ),
    _row(
        "getSpotHistoryKlineV3",
        "spot.market.klines",
        {"symbol": "BTC_USDT", "after": _SINCE, "before": _UNTIL, "step": 60, "limit": 200},
    ),
    _row("getSpotOrderBookDepthV3", "spot.market.order_book", {"symbol": "BTC_USDT", "limit": 2}),
    _row("getSpotRecentTrades", "spot.market.trades", {"symbol": "BTC_USDT", "limit": 2}),
    _row("getSpotTickersV2", "spot.market.tickers_v2"),
    _row("getSpotTickerV1", "spot.market.ticker_v1", {"symbol": "BTC_USDT"}),
    _row("getSpotKLineStepsV1", "spot.market.kline_steps"),
    _row("getSpotKlinesV1", "spot.market.klines_v1", {"symbol": "BTC_USDT", "from": _SINCE, "to": _UNTIL, "step": 1}),
    _row(
        "getSpotOrderBookDepthV1",
        "spot.market.order_book_v1",
        {"symbol": "BTC_USDT", "precision": "6", "size": 50},
    ),
    # Funds
    _row(
        "getAccountBalancesV1",
        "spot.account.balances",
        {},
        {"currency": "USDT", "needUsdValuation": True, "sourceAccount": "FUND"},
    ),
    _row("getAccountInfoV1", "spot.account.info"),
    _row(
        "submitAccountTransferV1",
        "spot.account.submit_transfer",
        {"currency": "USDT", "amount": "25.5", "type": "spot_to_fund"},
    ),
    _row("getAccountCurrenciesV1", "spot.account.currencies", {}, {"currencies": "USDT-TRC20,BTC"}),
    _row("getSpotWalletBalanceV1", "spot.account.spot_balances"),
    _row("getAccountDepositAddressV1", "spot.account.deposit_address", {"currency": "USDT-TRC20"}),
    _row("getAccountWithdrawQuotaV1", "spot.account.withdraw_quota", {"currency": "BTC"}),
    _row(
        "submitWithdrawalV1",
        "spot.account.submit_withdrawal",
        {
            "currency": "USDT-TRX",
            "amount": "100.000",
            "destination": "To Digital Address",
            "address": "0x1EE6FA5A3803608fc22a1f3F76",
            "address_memo": "7",
            "sourceAccount": "FUND",
        },
    ),
    _row("getWithdrawAddressList", "spot.account.withdraw_addresses"),
    _row(
        "getDepositWithdrawHistoryV2",
        "spot.account.deposit_withdraw_history",
        {"currency": "BMX", "operation_type": "withdraw", "N": 10, **_RANGE_MS},
    ),
    _row("getDepositWithdrawDetailV1", "spot.account.deposit_withdraw_record", {"id": "1679952"}),
    _row("getBasicSpotFeeRateV1", "spot.account.basic_fee_rate"),
    _row("getActualSpotTradeFeeRateV1", "spot.account.trade_fee_rate", {"symbol": "BTC_USDT"}),
    # Trading
    _row(
        "submitSpotOrderV2",
        "spot.trading.submit_order",
        {"symbol": "BTC_USDT", **_LIMIT_ORDER, "client_order_id": "desk0001", "stpmode": "cancel_maker"},
        {"symbol": "BTC_USDT", **_MARKET_BUY},
    ),
    _row(
        "submitSpotBatchOrdersV2",
        "spot.trading.submit_orders_v2",
        {"order_params": [{"symbol": "BTC_USDT", **_LIMIT_ORDER, "client_order_id": "desk0001"}]},
        {"order_params": [{"symbol": "BTC_USDT", **_MARKET_BUY, "stpmode": "none"}]},
        without=("stpmode",),
    ),
    _row(
        "cancelSpotOrderV3",
        "spot.trading.cancel_order",
        {"symbol": "BTC_USDT", "order_id": _ID},
        {"symbol": "BTC_USDT", "client_order_id": "desk0001"},
    ),
    _row(
        "submitSpotBatchOrdersV4",
        "spot.trading.submit_orders",
        {
            "symbol": "BTC_USDT",
            "orderParams": [{**_LIMIT_ORDER, "clientOrderId": "desk0001", "stpmode": "cancel_both"}, _MARKET_BUY],
            **_WINDOW,
        },
    ),
    _row(
        "cancelSpotBatchOrdersV4",
        "spot.trading.cancel_orders",
        {"symbol": "BTC_USDT", "orderIds": [_ID, "213055379155243013"], **_WINDOW},
        {"symbol": "BTC_USDT", "clientOrderIds": ["desk0001"]},
    ),
    _row("cancelAllSpotOrders", "spot.trading.cancel_all_orders", {}, {"symbol": "BTC_USDT", "side": "buy"}),
    _row("cancelSpotOrdersV1", "spot.trading.cancel_orders_v1", {"symbol": "BTC_USDT", "side": "buy"}),
    _row("getSpotOrderByIdV4", "spot.trading.order", {"orderId": _ID, "queryState": "history", "recvwindow": 3000}),
    _row(
        "getSpotOrderByClientOrderIdV4",
        "spot.trading.order_by_client_id",
        {"clientOrderId": "desk0001", "queryState": "open", "recvwindow": 3000},
    ),
    _row(
        "getSpotOpenOrdersV4",
        "spot.trading.open_orders",
        {},
        {"orderMode": "spot", "limit": 20, **_CAMEL_RANGE_MS, **_WINDOW},
    ),
    _row(
        "getSpotHistoricOrdersV4",
        "spot.trading.order_history",
        {"symbol": "BTC_USDT", "orderMode": "iso_margin", "limit": 200, **_CAMEL_RANGE_MS, **_WINDOW},
    ),
    _row(
        "getSpotAccountTradesV4",
        "spot.trading.trades",
        {"symbol": "BTC_USDT", "orderMode": "spot", "limit": 10, **_CAMEL_RANGE_MS, **_WINDOW},
    ),
    _row("getSpotAccountOrderTradesV4", "spot.trading.order_trades", {"orderId": _ID, **_WINDOW}),
    # Algo orders
    _row(
        "submitSpotAlgoOrderV4",
        "spot.algo.submit_order",
        {
            "symbol": "BTC_USDT",
            "side": "buy",
            "type": "trigger",
            "trigger_price": "29500",
            "trigger_type": "limit",
            "price": "29000",
            "size": "0.1",
            "client_order_id": "desk0003",
        },
        {
            "symbol": "BTC_USDT",
            "side": "buy",
            "type": "trigger",
            "trigger_price": "29500",
            "trigger_type": "market",
            "notional": "50",
        },
    ),
    _row("cancelSpotAlgoOrderV4", "spot.algo.cancel_order", {"symbol": "BTC_USDT", "order_id": _ID, "type": "trigger"}),
    _row("cancelAllSpotAlgoOrdersV4", "spot.algo.cancel_all_orders", {"symbol": "BTC_USDT", "type": "tp/sl"}),
    _row("getSpotAlgoOrderByIdV4", "spot.algo.order", {"orderId": _ID, "queryState": "open", **_WINDOW}),
    _row(
        "getSpotAlgoOrderByClientOrderIdV4",
        "spot.algo.order_by_client_id",
        {"clientOrderId": "desk0003", "queryState": "history", **_WINDOW},
    ),
    _row(
        "getSpotAlgoOpenOrdersV4",
        "spot.algo.open_orders",
        {"symbol": "BTC_USDT", "orderMode": "trigger", "limit": 20, **_CAMEL_RANGE_MS, **_WINDOW},
    ),
    _row(
        "getSpotAlgoHistoryOrdersV4",
        "spot.algo.order_history",
        {"symbol": "BTC_USDT", "orderMode": "tp/sl", "limit": 200, **_CAMEL_RANGE_MS, **_WINDOW},
    ),
    # Margin
    _row("getMarginAccountDetailsV1", "spot.margin.accounts", {}, {"symbol": "BTC_USDT"}),
    _row(
        "submitMarginAssetTransferV1",
        "spot.margin.submit_transfer",
        {"symbol": "BTC_USDT", "currency": "USDT", "amount": "10", "side": "in"},
    ),
    _row(
        "submitMarginOrderV1",
        "spot.margin.submit_order",
        {"symbol": "BTC_USDT", **_LIMIT_ORDER, "client_order_id": "desk0004"},
        {"symbol": "BTC_USDT", **_MARKET_BUY, "stpmode": "none"},
        without=("stpmode",),
    ),
    _row("marginBorrowV1", "spot.margin.borrow", {"symbol": "BTC_USDT", "currency": "BTC", "amount": "1"}),
    _row("marginRepayV1", "spot.margin.repay", {"symbol": "BTC_USDT", "currency": "BTC", "amount": "0.00000001"}),
    _row(
        "getMarginBorrowRecordV1",
        "spot.margin.borrow_records",
        {"symbol": "BTC_USDT", "borrow_id": "1659045283903rNvJnuRTJNL5J53n", "N": 50, **_RANGE_MS},
    ),
    _row(
        "getMarginRepayRecordV1",
        "spot.margin.repay_records",
        {"symbol": "BTC_USDT", "repay_id": "118723", "currency": "BTC", "N": 50, **_RANGE_MS},
    ),
    _row("getMarginBorrowingRatesV1", "spot.margin.borrowing_rates", {}, {"symbol": "BTC_USDT,ETH_USDT"}),
    # Sub-accounts
    _row(
        "submitMainTransferSubToMainV1",
        "spot.sub_account.submit_sub_to_main_transfer",
        {**_REQUEST_NO, "subAccount": "desk1@example.com"},
    ),
    _row("submitSubTransferSubToMainV1", "spot.sub_account.submit_sub_to_main_transfer_as_sub", _REQUEST_NO),
    _row(
        "submitMainTransferMainToSubV1",
        "spot.sub_account.submit_main_to_sub_transfer",
        {**_REQUEST_NO, "subAccount": "desk1@example.com"},
    ),
    _row(
        "submitMainTransferSubToSubV1",
        "spot.sub_account.submit_sub_to_sub_transfer",
        {**_REQUEST_NO, "fromAccount": "desk1@example.com", "toAccount": "desk2@example.com"},
    ),
    _row(
        "submitSubTransferSubToSubV1",
        "spot.sub_account.submit_sub_to_sub_transfer_as_sub",
        {**_REQUEST_NO, "subAccount": "desk2@example.com"},
    ),
    _row(
        "getSubTransfersV1",
        "spot.sub_account.transfers",
        {"moveType": "spot to spot", "N": 10, "accountName": "desk1@example.com"},
    ),
    _row("getAccountSubTransfersV1", "spot.sub_account.transfer_history", {"moveType": "spot to spot", "N": 10}),
    _row(
        "getSubSpotWalletBalancesV1",
        "spot.sub_account.balances",
        {"subAccount": "desk1@example.com", "currency": "BTC"},
    ),
    _row("getSubAccountsV1", "spot.sub_account.accounts"),
    # Earn
    _row("getEarnAccountPosition", "spot.earn.holdings"),
    _row("getFlexibleSavingProducts", "spot.earn.flexible_products", _COIN_PAGE),
    _row("subscribeFlexibleSaving", "spot.earn.subscribe_flexible", {"productId": "1001", "amount": "100", **_EARN_NO}),
    _row("redeemFlexibleSaving", "spot.earn.redeem_flexible", {"earnId": "200001", "amount": "50", **_EARN_NO}),
    _row("getFlexibleSavingPositions", "spot.earn.flexible_holdings", {"productId": "1001", **_COIN_PAGE}),
    _row(
        "getFlexibleSavingHistory",
        "spot.earn.flexible_records",
        {"type": "subscribe", **_CAMEL_RANGE_MS, **_COIN_PAGE},
    ),
    _row("getFixedSavingProducts", "spot.earn.fixed_products", _COIN_PAGE),
    _row(
        "subscribeFixedSaving",
        "spot.earn.subscribe_fixed",
        {"productId": "2001", "amount": "100", "autoSubscribe": "REINVEST_FIXED", **_EARN_NO},
    ),
    _row("getFixedSavingPositions", "spot.earn.fixed_holdings", {"productId": "2001", **_COIN_PAGE}),
    _row("getFixedSavingHistory", "spot.earn.fixed_records", {"type": "interest", **_CAMEL_RANGE_MS, **_COIN_PAGE}),
    _row("redeemFixedSavingEarly", "spot.earn.redeem_fixed", {"earnId": "300001", **_EARN_NO}),
    _row(
        "updateFixedSavingAutoReinvest",
        "spot.earn.set_fixed_auto_renewal",
        {"earnId": "300001", "autoSubscribe": "OFF"},
    ),
    _row("setAutoSavingBatch", "spot.earn.set_auto_savings", {"autoSubscribe": "open"}),
    _row("getAutoSavingBatchStatus", "spot.earn.auto_savings_status"),
    _row(
        "setFlexibleSavingAutoSubscribe",
        "spot.earn.set_flexible_auto_subscribe",
        {"productId": "1001", "autoSubscribe": "close"},
    ),
    _row("getFlexibleSavingAutoSubscribeStatus", "spot.earn.flexible_auto_subscribe_status", {"productId": "1001"}),
    # Broker
    _row("getBrokerRebate", "spot.broker.rebates", {}, _RANGE_S),
)
"""What ``RestClient`` offers for the spot market."""

FUTURES: Final[tuple[NodeFunction, ...]] = (
    # System
    _row("getSystemTime", "futures.system.time"),
    _row("getSystemStatus", "futures.system.status"),
    # Market data
    _row("getFuturesContractDetails", "futures.market.contracts", {}, {"symbol": "BTCUSDT"}),
    _row("getFuturesContractDepth", "futures.market.order_book", {"symbol": "BTCUSDT"}),
    _row("getFuturesMarketTrade", "futures.market.trades", {"symbol": "BTCUSDT", "limit": 1}),
    _row("getFuturesOpenInterest", "futures.market.open_interest", {"symbol": "BTCUSDT"}),
    _row("getFuturesFundingRate", "futures.market.funding_rate", {"symbol": "BTCUSDT"}),
    _row("getFuturesFundingRateV2", "futures.market.funding_rates", {}, {"symbol": "BTCUSDT"}),
    _row("getFuturesKlines", "futures.market.klines", {"symbol": "BTCUSDT", "step": 5, **_RANGE_S}),
    _row("getFuturesMarkPriceKlines", "futures.market.mark_price_klines", {"symbol": "BTCUSDT", "step": 5, **_RANGE_S}),
    _row(
        "getFuturesFundingRateHistory",
        "futures.market.funding_rate_history",
        {"symbol": "BTCUSDT", "limit": "2"},
        values={"limit": 2},
    ),
    _row("getFuturesLeverageBracket", "futures.market.leverage_brackets", {}, {"symbol": "BTCUSDT"}),
    # Account
    _row("getFuturesAccountAssets", "futures.account.assets"),
    _row("getFuturesTradeFeeRate", "futures.account.trade_fee_rate", {"symbol": "BTCUSDT"}),
    _row(
        "getFuturesAccountTransactionHistory",
        "futures.account.transaction_history",
        {"symbol": "BTCUSDT", "flow_type": 1, "account": "futures", "page_size": 100, **_RANGE_MS},
    ),
    _row(
        "getFuturesAutoRepayment",
        "futures.account.auto_repayments",
        {"page": 1, "size": 20, "from_coin_code": "USDT", "type": "AUTO_REPAY", **_RANGE_S},
        **_PAGE,
    ),
    _row(
        "getFuturesCrossCollateralInterestLog",
        "futures.account.cross_collateral_interest",
        {"page": 1, "size": 20, "coin_code": "USDT", **_RANGE_S},
        **_PAGE,
    ),
    _row(
        "getFuturesTransfers",
        "futures.account.transfers",
        {
            "page": 1,
            "limit": 10,
            "currency": "USDT",
            "time_start": _SINCE * 1000,
            "time_end": _UNTIL * 1000,
            **_WINDOW,
        },
    ),
    _row(
        "submitFuturesTransfer",
        "futures.account.submit_transfer",
        {"currency": "USDT", "amount": "10", "type": "spot_to_contract", **_WINDOW},
    ),
    _row(
        "submitFuturesFundingAccountTransfer",
        "futures.account.submit_funding_transfer",
        {"currency": "USDT", "amount": "10", "type": "fund_to_contract"},
    ),
    # Trading
    _row(
        "getFuturesAccountOrder", "futures.trading.order", {"symbol": "BTCUSDT", "order_id": _ID, "account": "futures"}
    ),
    _row(
        "getFuturesAccountOrderHistory",
        "futures.trading.order_history",
        {"symbol": "BTCUSDT", "account": "futures", **_RANGE_S},
    ),
    _row(
        "getFuturesAccountOpenOrders",
        "futures.trading.open_orders",
        {},
        {"symbol": "BTCUSDT", "type": "limit", "order_state": "partially_filled", "limit": 10},
    ),
    _row(
        "getFuturesAccountPlanOrders",
        "futures.trading.plan_orders",
        {},
        {"symbol": "BTCUSDT", "type": "limit", "limit": 10, "plan_type": "plan"},
    ),
    _row(
        "getFuturesAccountTrades",
        "futures.trading.trades",
        {
            "symbol": "BTCUSDT",
            "account": "futures",
            "order_id": 220921197409432,
            "client_order_id": "BM1234",
            **_RANGE_S,
        },
        values={"order_id": "220921197409432"},
    ),
    _row(
        "submitFuturesOrder",
        "futures.trading.submit_order",
        {
            "symbol": "ETHUSDT",
            "client_order_id": "BM1234",
            "side": 4,
            "mode": 1,
            "type": "limit",
            "leverage": "1",
            "open_type": "isolated",
            "size": 10,
            "price": "2000",
            "preset_take_profit_price_type": 1,
            "preset_stop_loss_price_type": 2,
            "preset_take_profit_price": "1900",
            "preset_stop_loss_price": "2100",
            "stp_mode": 2,
        },
        {"symbol": "ETHUSDT", "side": 1, "type": "market", "size": 1},
    ),
    _row(
        "updateFuturesLimitOrder",
        "futures.trading.modify_limit_order",
        {"symbol": "ETHUSDT", "order_id": 220906179559421, "client_order_id": "123456", "price": "1450", "size": "1"},
        values={"order_id": "220906179559421", "size": 1},
    ),
    _row(
        "cancelFuturesOrder",
        "futures.trading.cancel_order",
        {"symbol": "ETHUSDT", "order_id": _ID},
        {"symbol": "ETHUSDT", "client_order_id": "BM1234"},
    ),
    _row("cancelAllFuturesOrders", "futures.trading.cancel_all_orders", {"symbol": "ETHUSDT"}),
    _row("cancelAllFuturesOrdersAfter", "futures.trading.cancel_all_after", {"symbol": "BTCUSDT", "timeout": 10}),
    _row(
        "submitFuturesPlanOrder",
        "futures.trading.submit_plan_order",
        {
            "symbol": "ETHUSDT",
            "type": "limit",
            "side": 4,
            "leverage": "1",
            "open_type": "isolated",
            "mode": 1,
            "size": 10,
            "trigger_price": "2000",
            "executive_price": "1450",
            "price_way": 1,
            "price_type": 1,
            "plan_category": 1,
            "preset_take_profit_price_type": 1,
            "preset_stop_loss_price_type": 2,
            "preset_take_profit_price": "1400",
            "preset_stop_loss_price": "1500",
        },
    ),
    _row(
        "cancelFuturesPlanOrder",
        "futures.trading.cancel_plan_order",
        {"symbol": "ETHUSDT", "order_id": _ID},
        {"symbol": "ETHUSDT", "client_order_id": "BM1234"},
    ),
    _row("cancelFuturesPlanOrder", "futures.trading.cancel_all_plan_orders", {"symbol": "ETHUSDT"}),
    _row(
        "submitFuturesTPSLOrder",
        "futures.trading.submit_tp_sl_order",
        {
            "symbol": "ETHUSDT",
            "type": "take_profit",
            "side": 2,
            "size": 10,
            "trigger_price": "2000",
            "executive_price": "1450",
            "price_type": 1,
            "plan_category": 1,
            "client_order_id": "123456789",
            "category": "limit",
        },
    ),
    _row(
        "updateFuturesPlanOrder",
        "futures.trading.modify_plan_order",
        {
            "symbol": "ETHUSDT",
            "order_id": _ID,
            "trigger_price": "2000",
            "executive_price": "1450",
            "price_type": 1,
            "type": "limit",
        },
    ),
    _row(
        "updateFuturesPresetPlanOrder",
        "futures.trading.modify_preset_plan_order",
        {
            "symbol": "ETHUSDT",
            "order_id": _ID,
            "preset_take_profit_price_type": 1,
            "preset_stop_loss_price_type": 1,
            "preset_take_profit_price": "2000",
            "preset_stop_loss_price": "1900",
        },
    ),
    _row(
        "updateFuturesTPSLOrder",
        "futures.trading.modify_tp_sl_order",
        {
            "symbol": "ETHUSDT",
            "order_id": _ID,
            "trigger_price": "2100",
            "executive_price": "2100",
            "price_type": 2,
            "plan_category": 2,
            "category": "limit",
        },
        {
            "symbol": "ETHUSDT",
            "client_order_id": "123456789",
            "trigger_price": "2100",
            "price_type": 2,
            "category": "market",
        },
    ),
    _row(
        "submitFuturesTrailOrder",
        "futures.trading.submit_trailing_order",
        {
            "symbol": "ETHUSDT",
            "side": 4,
            "leverage": "1",
            "open_type": "isolated",
            "size": 10,
            "activation_price": "2000",
            "callback_rate": "1",
            "activation_price_type": 1,
        },
    ),
    _row("cancelFuturesTrailOrder", "futures.trading.cancel_trailing_order", {"symbol": "ETHUSDT", "order_id": _ID}),
    _row("cancelFuturesTrailOrder", "futures.trading.cancel_all_trailing_orders", {"symbol": "ETHUSDT"}),
    # Positions
    _row("getFuturesAccountPositions", "futures.position.positions", {}, {"symbol": "BTCUSDT", "account": "futures"}),
    _row(
        "getFuturesAccountPositionsV2", "futures.position.positions_v2", {}, {"symbol": "BTCUSDT", "account": "futures"}
    ),
    _row("getPositionRiskDetails", "futures.position.risk", {}, {"symbol": "BTCUSDT", "account": "futures"}),
    _row("getPositionMode", "futures.position.mode"),
    _row("setPositionMode", "futures.position.set_mode", {"position_mode": "one_way_mode"}),
    _row(
        "setFuturesLeverage",
        "futures.position.set_leverage",
        {"symbol": "ETHUSDT", "leverage": "5", "open_type": "isolated"},
    ),
    _row(
        "closeAllFuturesPositions",
        "futures.position.close_all",
        {"symbol": "BTCUSDT", "contractType": 1, "position_side": "long"},
    ),
    # Sub-accounts
    _row(
        "submitFuturesSubToMainTransferFromMain",
        "futures.sub_account.submit_sub_to_main_transfer",
        {**_REQUEST_NO, "subAccount": "desk1@example.com"},
    ),
    _row(
        "submitFuturesMainToSubTransferFromMain",
        "futures.sub_account.submit_main_to_sub_transfer",
        {**_REQUEST_NO, "subAccount": "desk1@example.com"},
    ),
    _row("submitFuturesSubToMainSubFromSub", "futures.sub_account.submit_sub_to_main_transfer_as_sub", _REQUEST_NO),
    _row(
        "getFuturesSubWallet", "futures.sub_account.balances", {"subAccount": "desk1@example.com", "currency": "USDT"}
    ),
    _row("getFuturesSubTransfers", "futures.sub_account.transfers", {"subAccount": "desk1@example.com", "limit": 100}),
    _row("getFuturesSubTransferHistory", "futures.sub_account.transfer_history", {"limit": 100}),
    # Affiliates
    _row(
        "getFuturesAffiliateRebates",
        "futures.affiliate.rebates",
        {
            "user_id": 10048829,
            "page": 1,
            "size": 10,
            "currency": "USDT",
            "rebate_start_time": _SINCE,
            "rebate_end_time": _UNTIL,
            "register_start_time": _SINCE,
            "register_end_time": _UNTIL,
        },
        **_PAGE,
    ),
    _row(
        "getFuturesAffiliateTrades",
        "futures.affiliate.trades",
        {"user_id": 10048829, "page": 1, "type": 1, "size": 10, **_RANGE_S},
        **_PAGE,
    ),
    _row("getFuturesAffiliateRebateUser", "futures.affiliate.user_rebate", {"cid": 166668888, **_RANGE_S}),
    _row("getFuturesAffiliateInviteCheck", "futures.affiliate.invite_check", {"cid": 166668888}),
    _row("getFuturesAffiliateCustomerInfo", "futures.affiliate.customer_info", {"userId": 166668888}),
    _row(
        "getFuturesAffiliateRebateInviteUser",
        "futures.affiliate.invited_users",
        {"cid": 166668888, "page": 1, "size": 10, **_RANGE_S},
        **_PAGE,
    ),
    _row("getFuturesAffiliateRebateApi", "futures.affiliate.api_rebate", {"cid": 166668888, **_RANGE_S}),
    _row(
        "getFuturesAffiliateDepositWithdrawalList",
        "futures.affiliate.funds_records",
        {"page": 1, "size": 50, "type": 1, "cid": 166668888, **_RANGE_S},
        **_PAGE,
    ),
    # Simulated trading
    _row("submitFuturesSimulatedClaim", "futures.demo.claim", {}, {"currency": "USDT", "amount": "1000"}),
)
"""What ``FuturesClientV2`` offers."""

FUTURES_ON_SPOT_CLIENT: Final = frozenset({
    "getFuturesContractDetails", "getFuturesContractDepth", "getFuturesOpenInterest", "getFuturesFundingRate",
    "getFuturesKlines", "getFuturesAccountAssets", "getFuturesAccountOrder", "getFuturesAccountOrderHistory",
    "getFuturesAccountOpenOrders", "getFuturesAccountPlanOrders", "getFuturesAccountPositions", "getPositionRiskDetails",
    "getFuturesAccountTrades", "getFuturesTransfers", "submitFuturesOrder", "cancelFuturesOrder",
    "cancelAllFuturesOrders", "submitFuturesPlanOrder", "cancelFuturesPlanOrder", "submitFuturesTransfer",
    "setFuturesLeverage", "submitFuturesSubToMainTransferFromMain", "submitFuturesMainToSubTransferFromMain",
    "submitFuturesSubToMainSubFromSub", "getFuturesSubWallet", "getFuturesSubTransfers",
    "getFuturesSubTransferHistory", "getFuturesAffiliateRebates", "getFuturesAffiliateTrades",
})  # fmt: skip
"""Deprecated doubles on ``RestClient`` of functions of `FUTURES`."""

FUNCTIONS: Final[tuple[tuple[str, NodeFunction], ...]] = (
    *((SPOT_CLIENT, each) for each in SPOT),
    *((FUTURES_CLIENT, each) for each in FUTURES),
    *((SPOT_CLIENT, each) for each in FUTURES if each.name in FUTURES_ON_SPOT_CLIENT),
)
"""All of them, with the class that has them."""
