"""The gate of the simulated exchange: who may call what, how often, and the exact words it answers with."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from bitmart_trio.sim import Simulation
from bitmart_trio.sim.bitmart.direct import Answer, Direct
from bitmart_trio.sim.bitmart.gate import permission_of, signature
from bitmart_trio.sim.bitmart.wire import Auth, Chapter, Envelope, Route
from bitmart_trio.sim.kernel.calls import Call, Refusal
from bitmart_trio.sim.kernel.encoding import Json
from bitmart_trio.sim.kernel.messages import Request

ORDER = "/spot/v2/submit_order"
OPEN_ORDERS = "/spot/v4/query/open-orders"


def serve(simulation: Simulation, path: str, auth: Auth = "none", envelope: Envelope = "standard") -> Any:
    """Register a handler at one more path."""
    chapter: Chapter[None] = Chapter()

    def register(handler: Callable[[None, Call], Json]) -> None:
        chapter.get(path, auth=auth, envelope=envelope)(handler)
        simulation.bitmart.routes.include(chapter.of(None))

    return register


@pytest.fixture
def simulation() -> Simulation:
    return Simulation(seed=3)


@pytest.fixture
def direct(simulation: Simulation) -> Direct:
    return Direct(simulation.bitmart)


def signed(
    simulation: Simulation,
    path: str,
    body: bytes = b"{}",
    *,
    method: str = "POST",
    query: str = "",
    text: str | None = None,
    stamp: int | None = None,
    bent: dict[str, str | None] | None = None,
) -> Answer:
    """A signed call at a chosen time, whose headers can be bent or (None) left out."""
    time = str(simulation.exchange.now_ms() if stamp is None else stamp)
    covered = body.decode(errors="surrogateescape") if text is None else text
    made: dict[str, str | None] = {
        "content-type": "application/json",
        "x-bm-key": "sim-key",
        "x-bm-timestamp": time,
        "x-bm-sign": signature("sim-secret", time, "sim-memo", covered),
    }
    made.update(bent or {})
    sent = {name: value for name, value in made.items() if value is not None}
    return Direct(simulation.bitmart).send(Request(method, path, query, sent, body, "127.0.0.1"))


def test_signature_is_the_published_example() -> None:
    """The exchange's own worked example comes out."""
    secret = "6c6c98544461bbe71db2bca4c6d7fd0021e0ba9efc215f9c6ad41852df9d9df9"
    body = '{"symbol":"BTC_USDT","price":"8600","count":"100"}'
    assert (
        signature(secret, "1589793796145", "test001", body)
        == "c31dc326bf87f38bfb49a3f8494961abfa291bd549d0d98d9578e87516cee46d"
    )
    assert (
        signature(secret, "1589267764859", "test001", "bitmart.WebSocket")
        == "3ceeb7e1b8cb165a975e28a2e2dfaca4d30b358873c0351c1a071d8c83314556"
    )


def test_envelope_of_a_success(simulation: Simulation, direct: Direct) -> None:
    """Code, message, trace and data, with the server's time under data."""
    answer = direct.get("/system/time")
    assert answer.status == 200
    assert answer.body["code"] == 1000
    assert set(answer.body) == {"code", "message", "trace", "data"}
    assert answer.data == {"server_time": simulation.exchange.now_ms()}


def test_unknown_paths_and_wrong_methods(simulation: Simulation, direct: Direct) -> None:
    """An unknown path is 404 with code 30000, spelt differently on the futures side; a wrong verb is 405."""
    assert (direct.get("/nowhere").status, direct.get("/nowhere").code) == (404, 30000)
    assert "msg" in direct.get("/contract/nowhere").body
    assert (direct.post("/system/time").status, direct.post("/system/time").code) == (405, 57001)
    assert direct.get("/account/v1/wallet", x=1).code == 1000
    assert direct.post("/account/v1/wallet").code == 60030


@pytest.mark.parametrize(
    ("headers", "code", "status"),
    [
        ({"x-bm-key": None}, 30001, 401),
        ({"x-bm-key": ""}, 30001, 401),
        ({"x-bm-key": "other"}, 30002, 401),
        ({"x-bm-sign": None}, 30004, 401),
        ({"x-bm-sign": "00"}, 30005, 401),
        ({"x-bm-sign": "\u00e4"}, 30005, 401),
        ({"x-bm-timestamp": None}, 30006, 401),
        ({"x-bm-timestamp": "soon"}, 30006, 401),
        ({"x-bm-timestamp": "1767225600"}, 30008, 401),
        ({"content-type": None}, 58001, 415),
        ({"content-type": "text/plain"}, 58001, 415),
    ],
)
def test_what_is_wrong_with_the_headers_is_named(
    simulation: Simulation, headers: dict[str, str | None], code: int, status: int
) -> None:
    """Each missing or bad header has its documented code."""
    answer = signed(simulation, OPEN_ORDERS, bent=headers)
    assert (answer.code, answer.status) == (code, status)


@pytest.mark.parametrize("body", [b"", b"{", b"symbol=BTC_USDT", b'{"a":NaN}', b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_json_is_503(simulation: Simulation, body: bytes) -> None:
    """Code 30018 comes with HTTP 503, although the caller is at fault."""
    answer = signed(simulation, OPEN_ORDERS, body)
    assert (answer.code, answer.status) == (30018, 503)


def test_a_body_that_is_no_object_is_a_bad_request(simulation: Simulation) -> None:
    """JSON alone is not enough."""
    assert (signed(simulation, OPEN_ORDERS, b"[]").code, signed(simulation, OPEN_ORDERS, b"1").code) == (50000, 50000)


@pytest.mark.parametrize(("path", "early", "late"), [(ORDER, 60_000, 60_000), (OPEN_ORDERS, 999, 5_000)])
def test_timestamp_window(simulation: Simulation, path: str, early: int, late: int) -> None:
    """A minute either way without recvWindow; five seconds back and less than one ahead with it."""
    now = simulation.exchange.now_ms()
    for offset in (early, -late):
        assert signed(simulation, path, stamp=now + offset).code != 30007
    for offset in (early + 1, -late - 1):
        assert (
            signed(simulation, path, stamp=now + offset).code,
            signed(simulation, path, stamp=now + offset).status,
        ) == (30007, 401)


@pytest.mark.parametrize(
    ("window", "good"),
    [("60000", True), ('"20000"', True), ("60001", False), ("0", False), ('"x"', False), ("[]", False)],
)
def test_recv_window_must_be_in_range(simulation: Simulation, window: str, good: bool) -> None:
    """The window is read from the body, as number or text, and must lie in (0, 60000]."""
    stamp = simulation.exchange.now_ms() - 15_000
    answer = signed(simulation, OPEN_ORDERS, b'{"recvWindow":%s}' % window.encode(), stamp=stamp)
    assert (answer.code == 1000) is good


def test_skewed_clock_refuses_and_tells_its_time(simulation: Simulation, direct: Direct) -> None:
    """A client whose clock is off against the exchange's gets 30007, and system.time shows by how much."""
    simulation.exchange.clock.skew_ms = 90_000
    stamp = simulation.exchange.now_ms() - 90_000
    assert signed(simulation, ORDER, stamp=stamp).code == 30007
    assert direct.get("/system/time").data == {"server_time": stamp + 90_000}


@pytest.mark.parametrize("text", ["", "a=1&b=%20", "?a=1&b=%20"])
def test_a_signed_get_may_cover_three_texts(simulation: Simulation, text: str) -> None:
    """Sources differ on what a signed GET covers, so nothing, the query, and the query with its mark all pass."""
    serve(simulation, "/signed", auth="signed")(lambda market, call: dict(call.params))
    answer = signed(simulation, "/signed", b"", method="GET", query="a=1&b=%20", text=text)
    assert answer.data == {"a": "1", "b": " "}
    assert signed(simulation, "/signed", b"", method="GET", query="a=1&b=%20", text="b").code == 30005


def test_keyed_calls_need_the_key_alone(simulation: Simulation) -> None:
    """A signature that comes along is not looked at."""
    headers = {"x-bm-key": "sim-key", "x-bm-sign": "nonsense", "x-bm-timestamp": "1"}
    answer = Direct(simulation.bitmart).send(Request("GET", "/spot/v1/wallet", "", headers, b"", "127.0.0.1"))
    assert answer.code == 1000


def test_keys_can_be_frozen_expired_bound_to_addresses_and_limited(simulation: Simulation) -> None:
    """Each of these has its code."""
    account = simulation.exchange.accounts.all()[0]
    key = simulation.exchange.accounts.add_key(
        account, key="k2", secret="s2", memo="m2", permissions={"read"}, ips={"10.0.0.1"}
    )
    assert Direct(simulation.bitmart, "k2", "s2", "m2").get("/spot/v1/wallet").code == 30010
    inside = Direct(simulation.bitmart, "k2", "s2", "m2", "10.0.0.1")
    assert inside.get("/spot/v1/wallet").code == 1000
    assert inside.post(OPEN_ORDERS).code == 1000
    refused = inside.post(ORDER)
    assert (refused.code, refused.status) == (30012, 403)
    key.expires_ms = simulation.exchange.now_ms()
    assert (inside.get("/spot/v1/wallet").code, inside.get("/spot/v1/wallet").status) == (30011, 403)
    key.frozen = True
    assert inside.get("/spot/v1/wallet").code == 30003
    assert "s2" not in repr(key)


@pytest.mark.parametrize(
    ("method", "path", "permission"),
    [
        ("POST", ORDER, "spot_trade"),
        ("POST", OPEN_ORDERS, "read"),
        ("GET", "/account/v1/wallet", "read"),
        ("POST", "/spot/v1/margin/isolated/borrow", "margin_trade"),
        ("GET", "/spot/v1/margin/isolated/pairs", "read"),
        ("POST", "/account/v1/withdraw/apply", "withdraw"),
        ("GET", "/account/v1/withdraw/address/list", "read"),
        ("POST", "/account/v1/transfer", ""),
        ("POST", "/contract/private/submit-order", "futures_trade"),
        ("GET", "/contract/private/order", "read"),
    ],
)
def test_permissions_by_path(method: str, path: str, permission: str) -> None:
    """Reading needs read even where it travels as POST; every kind of writing has a right of its own."""
    assert permission_of(Route(method, path, "signed", None, lambda call: None)) == permission


def test_quota_headers_count_what_is_used(simulation: Simulation, direct: Direct) -> None:
    """Remaining is the number of calls made; past the limit comes 429 with 30013 until the window has passed."""
    seen = [direct.get("/spot/v1/symbols") for _ in range(9)]
    assert [answer.headers["X-BM-RateLimit-Remaining"] for answer in seen] == [
        "1",
        "2",
        "3",
        "4",
        "5",
        "6",
        "7",
        "8",
        "8",
    ]
    assert (
        seen[0].headers["X-BM-RateLimit-Limit"],
        seen[0].headers["X-BM-RateLimit-Reset"],
        seen[0].headers["X-BM-RateLimit-Mode"],
    ) == ("8", "2", "IP")
    assert [answer.status for answer in seen] == [200] * 8 + [429]
    assert seen[8].code == 30013
    simulation.exchange.clock.step(1_999)
    assert direct.get("/spot/v1/symbols").status == 429
    simulation.exchange.clock.step(1)
    assert direct.get("/spot/v1/symbols").headers["X-BM-RateLimit-Remaining"] == "1"


def test_quotas_are_counted_by_address_key_or_account(simulation: Simulation) -> None:
    """Addresses and keys have quotas of their own; the keys of one account share what is counted by uid."""
    account = simulation.exchange.accounts.all()[0]
    simulation.exchange.accounts.add_key(account, key="k2", secret="s2", memo="m2")
    first, second = Direct(simulation.bitmart), Direct(simulation.bitmart, "k2", "s2", "m2", "10.0.0.1")
    for _ in range(8):
        first.get("/spot/v1/symbols")
    assert second.get("/spot/v1/symbols").status == 200
    for _ in range(2):
        assert first.get("/spot/v1/user_fee").status == 200
    assert (first.get("/spot/v1/user_fee").status, second.get("/spot/v1/user_fee").status) == (429, 200)
    assert first.post("/spot/v4/cancel_all").headers["X-BM-RateLimit-Mode"] == "UID"
    assert second.post("/spot/v4/cancel_all").status == 429


def test_ten_ignored_refusals_ban_the_address(simulation: Simulation) -> None:
    """Then every call from there is 418 with 30017, public ones too, for a while; others go on."""
    pushy, calm = Direct(simulation.bitmart, address="10.0.0.6"), Direct(simulation.bitmart, address="10.0.0.7")
    answers = [pushy.get("/spot/v1/symbols").status for _ in range(19)]
    assert answers == [200] * 8 + [429] * 10 + [418]
    assert (pushy.get("/system/time").status, pushy.get("/system/time").code) == (418, 30017)
    assert calm.get("/system/time").status == 200
    simulation.exchange.clock.step(59_999)
    assert pushy.get("/system/time").status == 418
    simulation.exchange.clock.step(1)
    assert pushy.get("/system/time").status == 200


def test_refusals_far_apart_do_not_ban(simulation: Simulation, direct: Direct) -> None:
    """Who waits now and then is not banned."""
    for _ in range(30):
        for _ in range(10):
            assert direct.get("/spot/v1/symbols").status in (200, 429)
        simulation.exchange.clock.step(2_500)


def test_a_bug_comes_out_as_500_and_is_logged(
    simulation: Simulation, direct: Direct, caplog: pytest.LogCaptureFixture
) -> None:
    """The caller sees code 59002; the log has the traceback and the trace id."""

    def broken(market: None, call: Call) -> Json:
        raise ZeroDivisionError

    serve(simulation, "/broken")(broken)
    with caplog.at_level(logging.ERROR):
        answer = direct.get("/broken")
    assert (answer.status, answer.code) == (500, 59002)
    assert str(answer.body["trace"]) in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_the_other_envelopes(simulation: Simulation, direct: Direct) -> None:
    """Affiliate answers carry textual codes; cross-collateral ones an errno."""

    def moody(market: None, call: Call) -> Json:
        if call.text("no"):
            raise Refusal(40012, "Nope")
        return {"x": Decimal("1E-8")}

    serve(simulation, "/affiliate", envelope="affiliate")(moody)
    serve(simulation, "/errno", envelope="errno")(moody)
    assert direct.get("/affiliate").code == "1000"
    assert direct.get("/affiliate").data == {"x": "0.00000001"}
    assert direct.get("/affiliate", no=1).code == "40012"
    assert direct.get("/errno").body == {
        "errno": "OK",
        "message": "Success",
        "data": {"x": "0.00000001"},
        "success": True,
    }
    assert direct.get("/errno", no=1).body["success"] is False


def test_log_tells_calls_and_no_secrets(simulation: Simulation, direct: Direct) -> None:
    """The event log has a line a call, and nothing a thief could use."""
    direct.post(ORDER, symbol="BTC_USDT", side="buy", type="limit", size="1", price="1")
    dump = simulation.exchange.log.dump()
    lines = [json.loads(line) for line in dump.splitlines()]
    assert [line["kind"] for line in lines][-1] == "request"
    assert lines[-1]["path"] == ORDER
    for secret in (b"sim-key", b"sim-secret", b"sim-memo"):
        assert secret not in dump


def test_same_seed_same_answers() -> None:
    """Traces, ids and markets repeat with the seed and differ with another one."""

    def play(seed: int) -> list[bytes]:
        simulation = Simulation(seed=seed)
        for _ in range(50):
            simulation.exchange.clock.step(100)
            simulation.exchange.tick()
        Direct(simulation.bitmart).post(ORDER, symbol="BTC_USDT", side="buy", type="market", notional="1000")
        return [
            simulation.bitmart.handle(Request("GET", path, "symbol=BTC_USDT", {}, b"", "x")).body
            for path in ("/spot/quotation/v3/ticker", "/spot/quotation/v3/books", "/spot/quotation/v3/trades")
        ]

    assert play(5) == play(5)
    assert play(5) != play(6)


@pytest.mark.parametrize("amount", ["1e999999999999", "1E-999999999", '"1e999999999999"', '"1e50"'])
@pytest.mark.parametrize(("path", "rest"), [
    ("/contract/private/submit-order", '"symbol":"BTCUSDT","side":1,"type":"limit","price":"60000"'),
    ("/spot/v2/submit_order", '"symbol":"BTC_USDT","side":"buy","type":"limit","price":"60000"'),
])  # fmt: skip
def test_numbers_beyond_all_measure_are_refused(amount: str, path: str, rest: str) -> None:
    """Nobody can make the exchange write out a billion zeros."""
    simulation = Simulation()
    body = ("{" + rest + f',"size":{amount}' + "}").encode()
    stamp = str(simulation.exchange.now_ms())
    signed = signature("sim-secret", stamp, "sim-memo", body.decode())
    headers = {"x-bm-key": "sim-key", "x-bm-timestamp": stamp, "x-bm-sign": signed, "content-type": "application/json"}
    response = simulation.bitmart.handle(Request("POST", path, "", headers, body, "127.0.0.1"))
    assert response.status in (400, 503)
    assert b"59002" not in response.body
