"""Every documented endpoint is answered, with the authentication, quota and permission that are documented for it.

A row is: verb, path, authentication, calls/seconds/counted by, permission of the key, whether ``recvWindow`` is taken,
and whether the endpoint is still there. A dash stands for what no source states.
"""

from __future__ import annotations

import pytest
from documented import ENDPOINTS
from every_case import every_case

from bitmart_trio.sim import Simulation
from bitmart_trio.sim.bitmart.direct import Direct
from bitmart_trio.sim.bitmart.gate import permission_of
from bitmart_trio.sim.kernel.messages import Request

DOCUMENTED = """
GET /system/time none 10/1/ip - - current
GET /system/service none 10/1/ip - - current
GET /spot/v1/currencies none 8/2/ip - - current
GET /spot/v1/symbols none 8/2/ip - - current
GET /spot/v1/symbols/details none 12/2/ip - - current
GET /spot/quotation/v3/tickers none 10/2/ip - - current
GET /spot/quotation/v3/ticker none 15/2/ip - - current
GET /spot/quotation/v3/lite-klines none 15/2/ip - - current
GET /spot/quotation/v3/klines none 10/2/ip - - current
GET /spot/quotation/v3/books none 15/2/ip - - current
GET /spot/quotation/v3/trades none 15/2/ip - - current
GET /spot/v2/ticker none - - - removed
GET /spot/v1/ticker_detail none - - - removed
GET /spot/v1/steps none - - - removed
GET /spot/v1/symbols/kline none - - - removed
GET /spot/v1/symbols/book none - - - removed
GET /account/v1/wallet keyed 12/2/key read - current
GET /account/v1/currencies none 2/2/ip - - current
GET /spot/v1/wallet keyed 12/2/key read - current
GET /account/v1/deposit/address keyed 2/2/key read - current
GET /account/v1/withdraw/charge keyed 2/2/key withdraw - current
POST /account/v1/withdraw/apply signed 8/2/key withdraw - current
GET /account/v1/withdraw/address/list keyed 2/2/key read - current
GET /account/v2/deposit-withdraw/history keyed 8/2/key read - current
GET /account/v1/deposit-withdraw/detail keyed 8/2/key read - current
GET /spot/v1/user_fee keyed 2/2/key read - current
GET /spot/v1/trade_fee keyed 2/2/key read - current
GET /uapi-key/v1/account/info keyed - read - current
POST /account/v1/transfer signed - - - current
GET /account/v1/get-deposit-account keyed - - - current
POST /account/v1/set-deposit-account signed - - - current
POST /spot/v2/submit_order signed 40/2/uid spot_trade - current
POST /spot/v3/cancel_order signed 40/2/uid spot_trade - current
POST /spot/v4/batch_orders signed 40/2/uid spot_trade recv current
POST /spot/v4/cancel_orders signed 40/2/uid spot_trade recv current
POST /spot/v4/cancel_all signed 1/3/uid spot_trade - current
POST /spot/v2/batch_orders signed - spot_trade - removed
POST /spot/v1/cancel_orders signed - spot_trade - removed
POST /spot/v4/query/order signed 50/2/key read recv current
POST /spot/v4/query/client-order signed 50/2/key read recv current
POST /spot/v4/query/open-orders signed 12/2/key read recv current
POST /spot/v4/query/history-orders signed 12/2/key read recv current
POST /spot/v4/query/trades signed 12/2/key read recv current
POST /spot/v4/query/order-trades signed 12/2/key read recv current
POST /spot/v4/algo/submit_order signed 10/2/key spot_trade - current
POST /spot/v4/algo/cancel_order signed 10/2/key spot_trade - current
POST /spot/v4/algo/cancel_all signed 5/2/key spot_trade - current
POST /spot/v4/query/algo/order signed 40/2/key read recv current
POST /spot/v4/query/algo/client-order signed 40/2/key read recv current
POST /spot/v4/query/algo/open-orders signed 20/2/key read recv current
POST /spot/v4/query/algo/history-orders signed 20/2/key read recv current
GET /spot/v1/margin/isolated/account keyed 12/2/key read - current
POST /spot/v1/margin/isolated/transfer signed 2/2/key margin_trade - current
POST /spot/v1/margin/submit_order signed 20/1/uid margin_trade - current
POST /spot/v1/margin/isolated/borrow signed 2/2/key margin_trade - current
POST /spot/v1/margin/isolated/repay signed 2/2/key margin_trade - current
GET /spot/v1/margin/isolated/borrow_record keyed 150/2/key read - current
GET /spot/v1/margin/isolated/repay_record keyed 150/2/key read - current
GET /spot/v1/margin/isolated/pairs keyed 2/2/key read - current
POST /account/sub-account/main/v1/sub-to-main signed 2/2/key sub_transfer - current
POST /account/sub-account/sub/v1/sub-to-main signed 2/2/key sub_transfer - current
POST /account/sub-account/main/v1/main-to-sub signed 2/2/key sub_transfer - current
POST /account/sub-account/main/v1/sub-to-sub signed 2/2/key sub_transfer - current
POST /account/sub-account/sub/v1/sub-to-sub signed 2/2/key sub_transfer - removed
GET /account/sub-account/main/v1/transfer-list keyed 8/2/key sub_transfer - current
GET /account/sub-account/v1/transfer-history keyed 8/2/key sub_transfer - current
GET /account/sub-account/main/v1/wallet keyed 12/2/key sub_transfer - current
GET /account/sub-account/main/v1/subaccount-list keyed 8/2/key sub_transfer - current
GET /spot/v1/broker/rebate keyed - - - current
GET /newearn/cloud/v1/earn keyed - read - current
GET /newearn/cloud/v1/saving/product keyed - read - current
POST /newearn/cloud/v1/saving/subscribe signed - finance - current
POST /newearn/cloud/v1/saving/redeem signed - finance - current
GET /newearn/cloud/v1/saving/earn keyed - read - current
GET /newearn/cloud/v1/saving/record keyed - read - current
GET /newearn/cloud/v1/saving/fixed/product keyed - read - current
POST /newearn/cloud/v1/saving/fixed/subscribe signed - finance - current
GET /newearn/cloud/v1/saving/fixed/earn keyed - read - current
GET /newearn/cloud/v1/saving/fixed/record keyed - read - current
POST /newearn/cloud/v1/saving/fixed/redeem signed - finance - current
POST /newearn/cloud/v1/saving/fixed/subscribe/operate signed - finance - current
POST /newearn/cloud/v1/saving/subscribe/batch/operate signed - finance - current
GET /newearn/cloud/v1/saving/subscribe/batch keyed - read - current
POST /newearn/cloud/v1/saving/subscribe/operate signed - finance - current
GET /newearn/cloud/v1/saving/subscribe/status keyed - read - current
GET /system/time none 10/1/ip - - current
GET /system/service none 10/1/ip - - current
GET /contract/public/details none 12/2/ip - - current
GET /contract/public/depth none 12/2/ip - - current
GET /contract/public/market-trade none 12/2/ip - - current
GET /contract/public/open-interest none 2/2/ip - - current
GET /contract/public/funding-rate none 12/2/ip - - current
GET /contract/public/funding-rate-v2 none 12/2/ip - - current
GET /contract/public/funding-rate-history none 12/2/ip - - current
GET /contract/public/kline none 12/2/ip - - current
GET /contract/public/markprice-kline none 12/2/ip - - current
GET /contract/public/leverage-bracket none 12/2/ip - - current
GET /contract/private/assets-detail keyed 12/2/key - - current
GET /contract/private/trade-fee-rate keyed 2/2/key - - current
GET /contract/private/transaction-history keyed 6/2/key - - current
POST /account/v1/transfer-contract-list signed 1/2/key - recv current
POST /account/v1/transfer-contract signed 1/2/key - recv current
POST /contract/private/account/v1/transfer signed - - - current
GET /contract/private/auto_repayment keyed - - - current
GET /contract/private/cross_collateral/interest_log keyed - - - current
GET /contract/private/order keyed 50/2/key - - current
GET /contract/private/order-history keyed 6/2/key - - current
GET /contract/private/get-open-orders keyed 50/2/key - - current
GET /contract/private/current-plan-order keyed 50/2/key - - current
GET /contract/private/trades keyed 6/2/key - - current
POST /contract/private/submit-order signed 24/2/key - - current
POST /contract/private/modify-limit-order signed 24/2/uid - - current
POST /contract/private/cancel-order signed 40/2/key - - current
POST /contract/private/cancel-orders signed 2/2/key - - current
POST /contract/private/cancel-all-after signed 4/2/uid - - current
POST /contract/private/submit-plan-order signed 24/2/uid - - current
POST /contract/private/modify-plan-order signed 24/2/uid - - current
POST /contract/private/modify-preset-plan-order signed 24/2/uid - - current
POST /contract/private/cancel-plan-order signed 40/2/uid - - current
POST /contract/private/submit-tp-sl-order signed 24/2/uid - - current
POST /contract/private/modify-tp-sl-order signed 24/2/uid - - current
POST /contract/private/submit-trail-order signed 24/2/uid - - current
POST /contract/private/cancel-trail-order signed 24/2/uid - - current
GET /contract/private/position keyed 6/2/key - - current
GET /contract/private/position-v2 keyed 6/2/key - - current
GET /contract/private/position-risk keyed 24/2/key - - current
GET /contract/private/get-position-mode keyed 2/2/key - - current
POST /contract/private/set-position-mode signed 2/2/key - - current
POST /contract/private/submit-leverage signed 24/2/key - - current
POST /contract/private/close-all-position signed - - - current
POST /account/contract/sub-account/main/v1/sub-to-main signed 8/2/key - - current
POST /account/contract/sub-account/main/v1/main-to-sub signed 8/2/key - - current
POST /account/contract/sub-account/sub/v1/sub-to-main signed 8/2/key - - current
GET /account/contract/sub-account/main/v1/wallet keyed 12/2/key - - current
GET /account/contract/sub-account/main/v1/transfer-list keyed 8/2/key - - current
GET /account/contract/sub-account/v1/transfer-history keyed 8/2/key - - current
GET /contract/private/affiliate/rebate-list keyed 24/2/key - - current
GET /contract/private/affiliate/trade-list keyed 24/2/key - - current
GET /contract/private/affiliate/rebate-user keyed 24/2/key - - current
GET /contract/private/affiliate/rebate-api keyed 24/2/key - - current
GET /contract/private/affiliate/invite-check keyed 24/2/key - - current
GET /contract/private/affiliate/rebate-inviteUser keyed 24/2/key - - current
GET /contract/private/affiliate/deposit-withdrawal-list keyed - - - current
GET /contract/private/affiliate/aff-customer-info keyed - - - current
POST /contract/private/claim signed - - - current
"""
ROWS = [tuple(line.split()) for line in DOCUMENTED.strip().splitlines()]
SHARED = {("GET", "/system/time"), ("GET", "/system/service")}
"""Both hosts have these."""


@pytest.fixture(scope="module")
def simulation() -> Simulation:
    return Simulation(seed=3)


def test_the_table_is_complete() -> None:
    """There is a row for each, and only the two that both hosts share occur twice."""
    keys = [(row[0], row[1]) for row in ROWS]
    assert len(keys) == ENDPOINTS
    assert {key for key in keys if keys.count(key) > 1} == SHARED


@every_case(
    "method, path, auth, quota, permission, window",
    [row[:6] for row in ROWS if row[6] == "current"],
    ids=[row[1] for row in ROWS if row[6] == "current"],
)
def test_endpoint(
    simulation: Simulation, method: str, path: str, auth: str, quota: str, permission: str, window: str
) -> None:
    """The endpoint has a route, and everything documented about its door holds."""
    route = simulation.bitmart.routes.table[method, path]
    assert route.auth == auth
    if quota == "-":
        assert route.limit is None
    else:
        assert route.limit is not None
        assert f"{route.limit.count}/{route.limit.seconds:g}/{route.limit.by}" == quota
    if permission != "-":
        assert permission_of(route) == permission
    assert route.recv_window == (window == "recv")
    assert not (route.writes and method == "GET")


@pytest.mark.parametrize(("method", "path"), [row[:2] for row in ROWS if row[6] == "removed"])
def test_removed_endpoint(simulation: Simulation, method: str, path: str) -> None:
    """What has been removed says so, to anybody, with HTTP 200 and code 30031."""
    headers = {"content-type": "application/json"}
    answer = Direct(simulation.bitmart).send(
        Request(method, path, "", headers, b"{}" if method == "POST" else b"", "127.0.0.1")
    )
    assert (answer.status, answer.code) == (200, 30031)


def test_nothing_undocumented_is_served(simulation: Simulation) -> None:
    """Routes beyond the table are older paths, which all answer that they are retired."""
    documented = {(row[0], row[1]) for row in ROWS}
    headers = {"content-type": "application/json"}
    for method, path in simulation.bitmart.routes.table.keys() - documented:
        body = b"{}" if method == "POST" else b""
        answer = Direct(simulation.bitmart).send(Request(method, path, "", headers, body, "127.0.0.1"))
        assert answer.code == 30031, path


@every_case("method, path", [row[:2] for row in ROWS if row[2] != "none" and row[6] == "current"])
def test_nobody_gets_in_without_a_key(simulation: Simulation, method: str, path: str) -> None:
    """Every private endpoint refuses a call without a key, and a signed one a call without a signature."""
    body = b"{}" if method == "POST" else b""
    bare = Request(method, path, "", {"content-type": "application/json"}, body, "10.0.0.1")
    assert str(Direct(simulation.bitmart).send(bare).body["code"]) == "30001"
    if simulation.bitmart.routes.table[method, path].auth == "signed":
        keyed = Request(method, path, "", {"content-type": "application/json", "x-bm-key": "sim-key"}, body, "10.0.0.1")
        assert Direct(simulation.bitmart).send(keyed).code == 30006
