"""The functions of the npm package's ``RestClient`` for the spot market, and our methods for them."""

from __future__ import annotations

from typing import Final

from node_function import NodeFunction, row

_ID = "118100034543076010"
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
    row("fetchLatencySummary", "spot.system.latency"),
    row("getSystemTime", "spot.system.time"),
    row("getSystemStatus", "spot.system.status"),
    # Market data
    row("getSpotCurrenciesV1", "spot.market.currencies"),
    row("getSpotTradingPairsV1", "spot.market.symbols"),
    row("getSpotTradingPairDetailsV1", "spot.market.symbol_details"),
    row("getSpotTickersV3", "spot.market.tickers"),
    row("getSpotTickerV3", "spot.market.ticker", {"symbol": "BTC_USDT"}),
    row(
        "getSpotLatestKlineV3",
        "spot.market.latest_klines",
        {"symbol": "BTC_USDT", "after": _SINCE, "before": _UNTIL, "step": 60, "limit": 100},
    ),
    row(
        "getSpotHistoryKlineV3",
        "spot.market.klines",
        {"symbol": "BTC_USDT", "after": _SINCE, "before": _UNTIL, "step": 60, "limit": 200},
    ),
    row("getSpotOrderBookDepthV3", "spot.market.order_book", {"symbol": "BTC_USDT", "limit": 2}),
    row("getSpotRecentTrades", "spot.market.trades", {"symbol": "BTC_USDT", "limit": 2}),
    row("getSpotTickersV2", "spot.market.tickers_v2"),
    row("getSpotTickerV1", "spot.market.ticker_v1", {"symbol": "BTC_USDT"}),
    row("getSpotKLineStepsV1", "spot.market.kline_steps"),
    row("getSpotKlinesV1", "spot.market.klines_v1", {"symbol": "BTC_USDT", "from": _SINCE, "to": _UNTIL, "step": 1}),
    row(
        "getSpotOrderBookDepthV1",
        "spot.market.order_book_v1",
        {"symbol": "BTC_USDT", "precision": "6", "size": 50},
    ),
    # Funds
    row(
        "getAccountBalancesV1",
        "spot.account.balances",
        {},
        {"currency": "USDT", "needUsdValuation": True, "sourceAccount": "FUND"},
    ),
    row("getAccountInfoV1", "spot.account.info"),
    row(
        "submitAccountTransferV1",
        "spot.account.submit_transfer",
        {"currency": "USDT", "amount": "25.5", "type": "spot_to_fund"},
    ),
    row("getAccountCurrenciesV1", "spot.account.currencies", {}, {"currencies": "USDT-TRC20,BTC"}),
    row("getSpotWalletBalanceV1", "spot.account.spot_balances"),
    row("getAccountDepositAddressV1", "spot.account.deposit_address", {"currency": "USDT-TRC20"}),
    row("getAccountWithdrawQuotaV1", "spot.account.withdraw_quota", {"currency": "BTC"}),
    row(
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
    row("getWithdrawAddressList", "spot.account.withdraw_addresses"),
    row(
        "getDepositWithdrawHistoryV2",
        "spot.account.deposit_withdraw_history",
        {"currency": "BMX", "operation_type": "withdraw", "N": 10, **_RANGE_MS},
    ),
    row("getDepositWithdrawDetailV1", "spot.account.deposit_withdraw_record", {"id": "1679952"}),
    row("getBasicSpotFeeRateV1", "spot.account.basic_fee_rate"),
    row("getActualSpotTradeFeeRateV1", "spot.account.trade_fee_rate", {"symbol": "BTC_USDT"}),
    # Trading
    row(
        "submitSpotOrderV2",
        "spot.trading.submit_order",
        {"symbol": "BTC_USDT", **_LIMIT_ORDER, "client_order_id": "desk0001", "stpmode": "cancel_maker"},
        {"symbol": "BTC_USDT", **_MARKET_BUY},
    ),
    row(
        "submitSpotBatchOrdersV2",
        "spot.trading.submit_orders_v2",
        {"order_params": [{"symbol": "BTC_USDT", **_LIMIT_ORDER, "client_order_id": "desk0001"}]},
        {"order_params": [{"symbol": "BTC_USDT", **_MARKET_BUY, "stpmode": "none"}]},
        without=("stpmode",),
    ),
    row(
        "cancelSpotOrderV3",
        "spot.trading.cancel_order",
        {"symbol": "BTC_USDT", "order_id": _ID},
        {"symbol": "BTC_USDT", "client_order_id": "desk0001"},
    ),
    row(
        "submitSpotBatchOrdersV4",
        "spot.trading.submit_orders",
        {
            "symbol": "BTC_USDT",
            "orderParams": [{**_LIMIT_ORDER, "clientOrderId": "desk0001", "stpmode": "cancel_both"}, _MARKET_BUY],
            **_WINDOW,
        },
    ),
    row(
        "cancelSpotBatchOrdersV4",
        "spot.trading.cancel_orders",
        {"symbol": "BTC_USDT", "orderIds": [_ID, "213055379155243013"], **_WINDOW},
        {"symbol": "BTC_USDT", "clientOrderIds": ["desk0001"]},
    ),
    row("cancelAllSpotOrders", "spot.trading.cancel_all_orders", {}, {"symbol": "BTC_USDT", "side": "buy"}),
    row("cancelSpotOrdersV1", "spot.trading.cancel_orders_v1", {"symbol": "BTC_USDT", "side": "buy"}),
    row("getSpotOrderByIdV4", "spot.trading.order", {"orderId": _ID, "queryState": "history", "recvwindow": 3000}),
    row(
        "getSpotOrderByClientOrderIdV4",
        "spot.trading.order_by_client_id",
        {"clientOrderId": "desk0001", "queryState": "open", "recvwindow": 3000},
    ),
    row(
        "getSpotOpenOrdersV4",
        "spot.trading.open_orders",
        {},
        {"orderMode": "spot", "limit": 20, **_CAMEL_RANGE_MS, **_WINDOW},
    ),
    row(
        "getSpotHistoricOrdersV4",
        "spot.trading.order_history",
        {"symbol": "BTC_USDT", "orderMode": "iso_margin", "limit": 200, **_CAMEL_RANGE_MS, **_WINDOW},
    ),
    row(
        "getSpotAccountTradesV4",
        "spot.trading.trades",
        {"symbol": "BTC_USDT", "orderMode": "spot", "limit": 10, **_CAMEL_RANGE_MS, **_WINDOW},
    ),
    row("getSpotAccountOrderTradesV4", "spot.trading.order_trades", {"orderId": _ID, **_WINDOW}),
    # Algo orders
    row(
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
    row("cancelSpotAlgoOrderV4", "spot.algo.cancel_order", {"symbol": "BTC_USDT", "order_id": _ID, "type": "trigger"}),
    row("cancelAllSpotAlgoOrdersV4", "spot.algo.cancel_all_orders", {"symbol": "BTC_USDT", "type": "tp/sl"}),
    row("getSpotAlgoOrderByIdV4", "spot.algo.order", {"orderId": _ID, "queryState": "open", **_WINDOW}),
    row(
        "getSpotAlgoOrderByClientOrderIdV4",
        "spot.algo.order_by_client_id",
        {"clientOrderId": "desk0003", "queryState": "history", **_WINDOW},
    ),
    row(
        "getSpotAlgoOpenOrdersV4",
        "spot.algo.open_orders",
        {"symbol": "BTC_USDT", "orderMode": "trigger", "limit": 20, **_CAMEL_RANGE_MS, **_WINDOW},
    ),
    row(
        "getSpotAlgoHistoryOrdersV4",
        "spot.algo.order_history",
        {"symbol": "BTC_USDT", "orderMode": "tp/sl", "limit": 200, **_CAMEL_RANGE_MS, **_WINDOW},
    ),
    # Margin
    row("getMarginAccountDetailsV1", "spot.margin.accounts", {}, {"symbol": "BTC_USDT"}),
    row(
        "submitMarginAssetTransferV1",
        "spot.margin.submit_transfer",
        {"symbol": "BTC_USDT", "currency": "USDT", "amount": "10", "side": "in"},
    ),
    row(
        "submitMarginOrderV1",
        "spot.margin.submit_order",
        {"symbol": "BTC_USDT", **_LIMIT_ORDER, "client_order_id": "desk0004"},
        {"symbol": "BTC_USDT", **_MARKET_BUY, "stpmode": "none"},
        without=("stpmode",),
    ),
    row("marginBorrowV1", "spot.margin.borrow", {"symbol": "BTC_USDT", "currency": "BTC", "amount": "1"}),
    row("marginRepayV1", "spot.margin.repay", {"symbol": "BTC_USDT", "currency": "BTC", "amount": "0.00000001"}),
    row(
        "getMarginBorrowRecordV1",
        "spot.margin.borrow_records",
        {"symbol": "BTC_USDT", "borrow_id": "1659045283903rNvJnuRTJNL5J53n", "N": 50, **_RANGE_MS},
    ),
    row(
        "getMarginRepayRecordV1",
        "spot.margin.repay_records",
        {"symbol": "BTC_USDT", "repay_id": "118723", "currency": "BTC", "N": 50, **_RANGE_MS},
    ),
    row("getMarginBorrowingRatesV1", "spot.margin.borrowing_rates", {}, {"symbol": "BTC_USDT,ETH_USDT"}),
    # Sub-accounts
    row(
        "submitMainTransferSubToMainV1",
        "spot.sub_account.submit_sub_to_main_transfer",
        {**_REQUEST_NO, "subAccount": "desk1@example.com"},
    ),
    row("submitSubTransferSubToMainV1", "spot.sub_account.submit_sub_to_main_transfer_as_sub", _REQUEST_NO),
    row(
        "submitMainTransferMainToSubV1",
        "spot.sub_account.submit_main_to_sub_transfer",
        {**_REQUEST_NO, "subAccount": "desk1@example.com"},
    ),
    row(
        "submitMainTransferSubToSubV1",
        "spot.sub_account.submit_sub_to_sub_transfer",
        {**_REQUEST_NO, "fromAccount": "desk1@example.com", "toAccount": "desk2@example.com"},
    ),
    row(
        "submitSubTransferSubToSubV1",
        "spot.sub_account.submit_sub_to_sub_transfer_as_sub",
        {**_REQUEST_NO, "subAccount": "desk2@example.com"},
    ),
    row(
        "getSubTransfersV1",
        "spot.sub_account.transfers",
        {"moveType": "spot to spot", "N": 10, "accountName": "desk1@example.com"},
    ),
    row("getAccountSubTransfersV1", "spot.sub_account.transfer_history", {"moveType": "spot to spot", "N": 10}),
    row(
        "getSubSpotWalletBalancesV1",
        "spot.sub_account.balances",
        {"subAccount": "desk1@example.com", "currency": "BTC"},
    ),
    row("getSubAccountsV1", "spot.sub_account.accounts"),
    # Earn
    row("getEarnAccountPosition", "spot.earn.holdings"),
    row("getFlexibleSavingProducts", "spot.earn.flexible_products", _COIN_PAGE),
    row("subscribeFlexibleSaving", "spot.earn.subscribe_flexible", {"productId": "1001", "amount": "100", **_EARN_NO}),
    row("redeemFlexibleSaving", "spot.earn.redeem_flexible", {"earnId": "200001", "amount": "50", **_EARN_NO}),
    row("getFlexibleSavingPositions", "spot.earn.flexible_holdings", {"productId": "1001", **_COIN_PAGE}),
    row(
        "getFlexibleSavingHistory",
        "spot.earn.flexible_records",
        {"type": "subscribe", **_CAMEL_RANGE_MS, **_COIN_PAGE},
    ),
    row("getFixedSavingProducts", "spot.earn.fixed_products", _COIN_PAGE),
    row(
        "subscribeFixedSaving",
        "spot.earn.subscribe_fixed",
        {"productId": "2001", "amount": "100", "autoSubscribe": "REINVEST_FIXED", **_EARN_NO},
    ),
    row("getFixedSavingPositions", "spot.earn.fixed_holdings", {"productId": "2001", **_COIN_PAGE}),
    row("getFixedSavingHistory", "spot.earn.fixed_records", {"type": "interest", **_CAMEL_RANGE_MS, **_COIN_PAGE}),
    row("redeemFixedSavingEarly", "spot.earn.redeem_fixed", {"earnId": "300001", **_EARN_NO}),
    row(
        "updateFixedSavingAutoReinvest",
        "spot.earn.set_fixed_auto_renewal",
        {"earnId": "300001", "autoSubscribe": "OFF"},
    ),
    row("setAutoSavingBatch", "spot.earn.set_auto_savings", {"autoSubscribe": "open"}),
    row("getAutoSavingBatchStatus", "spot.earn.auto_savings_status"),
    row(
        "setFlexibleSavingAutoSubscribe",
        "spot.earn.set_flexible_auto_subscribe",
        {"productId": "1001", "autoSubscribe": "close"},
    ),
    row("getFlexibleSavingAutoSubscribeStatus", "spot.earn.flexible_auto_subscribe_status", {"productId": "1001"}),
    # Broker
    row("getBrokerRebate", "spot.broker.rebates", {}, _RANGE_S),
)
"""What ``RestClient`` offers for the spot market."""
