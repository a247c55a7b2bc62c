"""Arguments with which functions of the npm package ``bitmart-api`` can do their work, where their samples cannot.

The samples of ``node_functions.py`` show every parameter, with ids that nobody has. A name with ``@`` stands for a
thing that is made when it is needed: see ``stage.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_SPOT, _CONTRACT = {"symbol": "BTC_USDT"}, {"symbol": "BTCUSDT"}
_LIMIT = {"side": "buy", "type": "limit", "size": "0.001", "price": "30000"}
_MOVE = {"requestNo": "@fresh", "amount": "1.5", "currency": "USDT"}
_DESK = {"subAccount": "desk1@example.com"}
_RANGE_S = {"start_time": 1767225600, "end_time": 1767312000}

NPM_ARGUMENTS: Final[dict[str, Mapping[str, Any]]] = {
    "submitWithdrawalV1": {
        "currency": "USDT-TRC20",
        "amount": "100",
        "destination": "To Digital Address",
        "address": "@address",
    },
    "getDepositWithdrawDetailV1": {"id": "@withdrawal"},
    "submitSpotOrderV2": {**_SPOT, **_LIMIT, "client_order_id": "@fresh"},
    "cancelSpotOrderV3": {**_SPOT, "order_id": "@spot_order"},
    "submitSpotBatchOrdersV4": {**_SPOT, "orderParams": [{**_LIMIT, "clientOrderId": "@fresh"}]},
    "cancelSpotBatchOrdersV4": {**_SPOT, "orderIds": ["@spot_order"]},
    "getSpotOrderByIdV4": {"orderId": "@spot_order", "queryState": "open"},
    "getSpotOrderByClientOrderIdV4": {"clientOrderId": "@spot_client", "queryState": "open"},
    "getSpotAccountOrderTradesV4": {"orderId": "@spot_filled"},
    "submitSpotAlgoOrderV4": {
        **_SPOT,
        "side": "buy",
        "type": "trigger",
        "trigger_price": "30000",
        "trigger_type": "limit",
        "price": "29000",
        "size": "0.001",
        "client_order_id": "@fresh",
    },
    "cancelSpotAlgoOrderV4": {**_SPOT, "order_id": "@algo_order", "type": "trigger"},
    "getSpotAlgoOrderByIdV4": {"orderId": "@algo_order", "queryState": "open"},
    "getSpotAlgoOrderByClientOrderIdV4": {"clientOrderId": "@algo_client", "queryState": "open"},
    "submitMarginOrderV1": {"symbol": "@margin_pair", **_LIMIT},
    "marginBorrowV1": {"symbol": "@margin_pair", "currency": "BTC", "amount": "0.0001"},
    "marginRepayV1": {"symbol": "@indebted_pair", "currency": "BTC", "amount": "0.0001"},
    "submitMainTransferSubToMainV1": {**_MOVE, **_DESK},
    "submitSubTransferSubToMainV1": _MOVE,
    "submitMainTransferMainToSubV1": {**_MOVE, **_DESK},
    "submitMainTransferSubToSubV1": {**_MOVE, "fromAccount": "desk1@example.com", "toAccount": "desk2@example.com"},
    "subscribeFlexibleSaving": {"productId": "1001", "amount": "100", "requestNo": "@fresh"},
    "redeemFlexibleSaving": {"earnId": "@flexible_holding", "amount": "50", "requestNo": "@fresh"},
    "subscribeFixedSaving": {
        "productId": "2001",
        "amount": "100",
        "autoSubscribe": "REINVEST_FIXED",
        "requestNo": "@fresh",
    },
    "redeemFixedSavingEarly": {"earnId": "@fixed_holding", "requestNo": "@fresh"},
    "updateFixedSavingAutoReinvest": {"earnId": "@fixed_holding", "autoSubscribe": "OFF"},
    "getFuturesAccountOrder": {**_CONTRACT, "order_id": "@contract_order"},
    "submitFuturesOrder": {
        **_CONTRACT,
        "side": 1,
        "type": "limit",
        "price": "30000",
        "size": 10,
        "leverage": "5",
        "open_type": "isolated",
        "client_order_id": "@fresh",
    },
    "updateFuturesLimitOrder": {**_CONTRACT, "order_id": "@contract_order_number", "price": "31000"},
    "cancelFuturesOrder": {**_CONTRACT, "order_id": "@contract_order"},
    "cancelFuturesPlanOrder": {**_CONTRACT, "order_id": "@plan_order"},
    "updateFuturesPlanOrder": {
        **_CONTRACT,
        "order_id": "@plan_order",
        "trigger_price": "31000",
        "executive_price": "30000",
        "price_type": 1,
        "type": "limit",
    },
    "updateFuturesPresetPlanOrder": {
        **_CONTRACT,
        "order_id": "@contract_order",
        "preset_take_profit_price_type": 1,
        "preset_stop_loss_price_type": 1,
        "preset_take_profit_price": "90000",
        "preset_stop_loss_price": "20000",
    },
    "submitFuturesTPSLOrder": {
        "symbol": "@position",
        "type": "take_profit",
        "side": 3,
        "size": 10,
        "trigger_price": "90000",
        "executive_price": "90000",
        "price_type": 1,
        "plan_category": 2,
        "client_order_id": "@fresh",
        "category": "limit",
    },
    "updateFuturesTPSLOrder": {
        **_CONTRACT,
        "order_id": "@exit_order",
        "trigger_price": "91000",
        "executive_price": "91000",
        "price_type": 1,
        "plan_category": 2,
        "category": "limit",
    },
    "cancelFuturesTrailOrder": {**_CONTRACT, "order_id": "@trailing_order"},
    "closeAllFuturesPositions": {"symbol": "@position", "contractType": 1, "position_side": "long"},
    "submitFuturesSubToMainTransferFromMain": {**_MOVE, **_DESK},
    "submitFuturesMainToSubTransferFromMain": {**_MOVE, **_DESK},
    "submitFuturesSubToMainSubFromSub": _MOVE,
    "getFuturesAffiliateTrades": {"user_id": "@invited", "page": 1, "type": 1, "size": 10, **_RANGE_S},
    "getFuturesAffiliateRebateUser": {"cid": "@invited", **_RANGE_S},
    "getFuturesAffiliateInviteCheck": {"cid": "@invited"},
    "getFuturesAffiliateCustomerInfo": {"userId": "@invited"},
    "getFuturesAffiliateRebateApi": {"cid": "@invited", **_RANGE_S},
    "getFuturesAffiliateDepositWithdrawalList": {"page": 1, "size": 50, "cid": "@invited", **_RANGE_S},
}
"""By function; the others are called with their samples."""

NPM_AS_SUB: Final = frozenset(
    {"submitSubTransferSubToMainV1", "submitSubTransferSubToSubV1", "submitFuturesSubToMainSubFromSub"}
)
"""Functions for the keys of sub-accounts."""
