"""The functions of the npm package's ``FuturesClientV2``, and our methods for them."""

from __future__ import annotations

from typing import Final

from node_function import NodeFunction, row

_ID = "118100034543076010"
_PAGE = {"renamed": {"size": "page_size"}}
_SINCE, _UNTIL = 1767225600, 1767312000
_RANGE_S = {"start_time": _SINCE, "end_time": _UNTIL}
_RANGE_MS = {"start_time": _SINCE * 1000, "end_time": _UNTIL * 1000}
_WINDOW = {"recvWindow": 3000}
_REQUEST_NO = {"requestNo": "4f2f5e6a-0001", "amount": "1.5", "currency": "USDT"}

FUTURES: Final[tuple[NodeFunction, ...]] = (
    # System
    row("getSystemTime", "futures.system.time"),
    row("getSystemStatus", "futures.system.status"),
    # Market data
    row("getFuturesContractDetails", "futures.market.contracts", {}, {"symbol": "BTCUSDT"}),
    row("getFuturesContractDepth", "futures.market.order_book", {"symbol": "BTCUSDT"}),
    row("getFuturesMarketTrade", "futures.market.trades", {"symbol": "BTCUSDT", "limit": 1}),
    row("getFuturesOpenInterest", "futures.market.open_interest", {"symbol": "BTCUSDT"}),
    row("getFuturesFundingRate", "futures.market.funding_rate", {"symbol": "BTCUSDT"}),
    row("getFuturesFundingRateV2", "futures.market.funding_rates", {}, {"symbol": "BTCUSDT"}),
    row("getFuturesKlines", "futures.market.klines", {"symbol": "BTCUSDT", "step": 5, **_RANGE_S}),
    row("getFuturesMarkPriceKlines", "futures.market.mark_price_klines", {"symbol": "BTCUSDT", "step": 5, **_RANGE_S}),
    row(
        "getFuturesFundingRateHistory",
        "futures.market.funding_rate_history",
        {"symbol": "BTCUSDT", "limit": "2"},
        values={"limit": 2},
    ),
    row("getFuturesLeverageBracket", "futures.market.leverage_brackets", {}, {"symbol": "BTCUSDT"}),
    # Account
    row("getFuturesAccountAssets", "futures.account.assets"),
    row("getFuturesTradeFeeRate", "futures.account.trade_fee_rate", {"symbol": "BTCUSDT"}),
    row(
        "getFuturesAccountTransactionHistory",
        "futures.account.transaction_history",
        {"symbol": "BTCUSDT", "flow_type": 1, "account": "futures", "page_size": 100, **_RANGE_MS},
    ),
    row(
        "getFuturesAutoRepayment",
        "futures.account.auto_repayments",
        {"page": 1, "size": 20, "from_coin_code": "USDT", "type": "AUTO_REPAY", **_RANGE_S},
        **_PAGE,
    ),
    row(
        "getFuturesCrossCollateralInterestLog",
        "futures.account.cross_collateral_interest",
        {"page": 1, "size": 20, "coin_code": "USDT", **_RANGE_S},
        **_PAGE,
    ),
    row(
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
    row(
        "submitFuturesTransfer",
        "futures.account.submit_transfer",
        {"currency": "USDT", "amount": "10", "type": "spot_to_contract", **_WINDOW},
    ),
    row(
        "submitFuturesFundingAccountTransfer",
        "futures.account.submit_funding_transfer",
        {"currency": "USDT", "amount": "10", "type": "fund_to_contract"},
    ),
    # Trading
    row(
        "getFuturesAccountOrder", "futures.trading.order", {"symbol": "BTCUSDT", "order_id": _ID, "account": "futures"}
    ),
    row(
        "getFuturesAccountOrderHistory",
        "futures.trading.order_history",
        {"symbol": "BTCUSDT", "account": "futures", **_RANGE_S},
    ),
    row(
        "getFuturesAccountOpenOrders",
        "futures.trading.open_orders",
        {},
        {"symbol": "BTCUSDT", "type": "limit", "order_state": "partially_filled", "limit": 10},
    ),
    row(
        "getFuturesAccountPlanOrders",
        "futures.trading.plan_orders",
        {},
        {"symbol": "BTCUSDT", "type": "limit", "limit": 10, "plan_type": "plan"},
    ),
    row(
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
    row(
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
    row(
        "updateFuturesLimitOrder",
        "futures.trading.modify_limit_order",
        {"symbol": "ETHUSDT", "order_id": 220906179559421, "client_order_id": "123456", "price": "1450", "size": "1"},
        values={"order_id": "220906179559421", "size": 1},
    ),
    row(
        "cancelFuturesOrder",
        "futures.trading.cancel_order",
        {"symbol": "ETHUSDT", "order_id": _ID},
        {"symbol": "ETHUSDT", "client_order_id": "BM1234"},
    ),
    row("cancelAllFuturesOrders", "futures.trading.cancel_all_orders", {"symbol": "ETHUSDT"}),
    row("cancelAllFuturesOrdersAfter", "futures.trading.cancel_all_after", {"symbol": "BTCUSDT", "timeout": 10}),
    row(
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
    row(
        "cancelFuturesPlanOrder",
        "futures.trading.cancel_plan_order",
        {"symbol": "ETHUSDT", "order_id": _ID},
        {"symbol": "ETHUSDT", "client_order_id": "BM1234"},
    ),
    row("cancelFuturesPlanOrder", "futures.trading.cancel_all_plan_orders", {"symbol": "ETHUSDT"}),
    row(
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
    row(
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
    row(
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
    row(
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
    row(
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
    row("cancelFuturesTrailOrder", "futures.trading.cancel_trailing_order", {"symbol": "ETHUSDT", "order_id": _ID}),
    row("cancelFuturesTrailOrder", "futures.trading.cancel_all_trailing_orders", {"symbol": "ETHUSDT"}),
    # Positions
    row("getFuturesAccountPositions", "futures.position.positions", {}, {"symbol": "BTCUSDT", "account": "futures"}),
    row(
        "getFuturesAccountPositionsV2", "futures.position.positions_v2", {}, {"symbol": "BTCUSDT", "account": "futures"}
    ),
    row("getPositionRiskDetails", "futures.position.risk", {}, {"symbol": "BTCUSDT", "account": "futures"}),
    row("getPositionMode", "futures.position.mode"),
    row("setPositionMode", "futures.position.set_mode", {"position_mode": "one_way_mode"}),
    row(
        "setFuturesLeverage",
        "futures.position.set_leverage",
        {"symbol": "ETHUSDT", "leverage": "5", "open_type": "isolated"},
    ),
    row(
        "closeAllFuturesPositions",
        "futures.position.close_all",
        {"symbol": "BTCUSDT", "contractType": 1, "position_side": "long"},
    ),
    # Sub-accounts
    row(
        "submitFuturesSubToMainTransferFromMain",
        "futures.sub_account.submit_sub_to_main_transfer",
        {**_REQUEST_NO, "subAccount": "desk1@example.com"},
    ),
    row(
        "submitFuturesMainToSubTransferFromMain",
        "futures.sub_account.submit_main_to_sub_transfer",
        {**_REQUEST_NO, "subAccount": "desk1@example.com"},
    ),
    row("submitFuturesSubToMainSubFromSub", "futures.sub_account.submit_sub_to_main_transfer_as_sub", _REQUEST_NO),
    row("getFuturesSubWallet", "futures.sub_account.balances", {"subAccount": "desk1@example.com", "currency": "USDT"}),
    row("getFuturesSubTransfers", "futures.sub_account.transfers", {"subAccount": "desk1@example.com", "limit": 100}),
    row("getFuturesSubTransferHistory", "futures.sub_account.transfer_history", {"limit": 100}),
    # Affiliates
    row(
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
    row(
        "getFuturesAffiliateTrades",
        "futures.affiliate.trades",
        {"user_id": 10048829, "page": 1, "type": 1, "size": 10, **_RANGE_S},
        **_PAGE,
    ),
    row("getFuturesAffiliateRebateUser", "futures.affiliate.user_rebate", {"cid": 166668888, **_RANGE_S}),
    row("getFuturesAffiliateInviteCheck", "futures.affiliate.invite_check", {"cid": 166668888}),
    row("getFuturesAffiliateCustomerInfo", "futures.affiliate.customer_info", {"userId": 166668888}),
    row(
        "getFuturesAffiliateRebateInviteUser",
        "futures.affiliate.invited_users",
        {"cid": 166668888, "page": 1, "size": 10, **_RANGE_S},
        **_PAGE,
    ),
    row("getFuturesAffiliateRebateApi", "futures.affiliate.api_rebate", {"cid": 166668888, **_RANGE_S}),
    row(
        "getFuturesAffiliateDepositWithdrawalList",
        "futures.affiliate.funds_records",
        {"page": 1, "size": 50, "type": 1, "cid": 166668888, **_RANGE_S},
        **_PAGE,
    ),
    # Simulated trading
    row("submitFuturesSimulatedClaim", "futures.demo.claim", {}, {"currency": "USDT", "amount": "1000"}),
)
"""What ``FuturesClientV2`` offers."""
