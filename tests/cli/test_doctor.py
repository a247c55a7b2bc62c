"""``bitmart-trio doctor``: what it finds, and the exit code that tells."""

from __future__ import annotations

import json
import re
from typing import cast

from in_process import Cli

import bitmart_trio as bm
from bitmart_trio.cli.doctor import _permissions, _share  # pyright: ignore[reportPrivateUsage]
from bitmart_trio.models import ApiKeyInfo


def _examined(cli: Cli, **environment: str) -> tuple[int, dict[str, dict[str, object]]]:
    ended = cli("doctor", "--samples", "2", "--json", environment=environment)
    assert "Traceback" not in ended.err
    assert "sim-secret" not in ended.out + ended.err
    return ended.code, {finding["name"]: finding for finding in json.loads(ended.out)}


def test_all_is_well(cli: Cli) -> None:
    """Versions, round trips, clock with its bound, sockets, key with permissions, quota: code 0."""
    code, found = _examined(cli)
    assert code == 0
    assert {finding["status"] for finding in found.values()} <= {"ok", "warning"}
    for market in ("spot", "futures"):
        parts = ("REST", "clock", "notices", "public socket", "private socket", "key", "signature", "quota")
        assert {f"{market} {part}" for part in parts} <= set(found)
        rest, clock = (cast("dict[str, str]", found[f"{market} {part}"]["data"]) for part in ("REST", "clock"))
        assert 0 < float(rest["p50"]) <= float(rest["p90"]) <= float(rest["max"])
        assert abs(float(clock["offset_ms"])) <= float(clock["bound_ms"]) + 1
    assert cast("dict[str, str]", found["versions"]["data"])["bitmart-trio"] == bm.__version__
    # A key that may withdraw, and from anywhere, is worth a word.
    assert found["spot key"]["status"] == "warning"
    assert "withdraw" in str(found["spot key"]["text"])


def test_a_wrong_secret_is_found(cli: Cli) -> None:
    """The key is known, what it signs is not believed: code 1, and everything else is still looked at."""
    code, found = _examined(cli, BITMART_API_SECRET="wrong")
    assert code == 1
    failed = {name for name, finding in found.items() if finding["status"] == "failed"}
    assert failed == {"spot signature", "spot private socket", "futures signature", "futures private socket"}


def test_without_a_key_the_public_part_is_examined(cli: Cli) -> None:
    """What needs one is skipped, and that is no failure; one without its secret is looked at as far as it goes."""
    none, half = (
        _examined(cli, BITMART_API_KEY=key, BITMART_API_SECRET="", BITMART_API_MEMO="") for key in ("", cli.key)
    )
    assert none[0] == half[0] == 0
    assert none[1]["spot public socket"]["status"] == "ok"
    assert none[1]["spot key"]["status"] == none[1]["futures private socket"]["status"] == "skipped"
    assert half[1]["spot key"]["status"] == "warning"
    assert half[1]["spot signature"]["status"] == "skipped"


def test_a_clock_that_is_off_is_found(cli: Cli) -> None:
    """By how much, and surely so: a warning, since the library corrects for it."""
    cli.control("clock", {"skew_ms": 5000})
    try:
        ended = cli("doctor", "--samples", "1", keyed=False)
    finally:
        cli.control("clock", {"skew_ms": 0})
    assert ended.code == 0
    (line,) = (line for line in ended.out.splitlines() if "spot clock" in line)
    assert re.match(r"warning +spot clock +the exchange's clock is \+(49\d\d|50\d\d)\.\d ms", line)


def test_nobody_there(cli: Cli) -> None:
    """Everything fails, each for its reason, and the examination ends."""
    ended = cli("doctor", environment={"BITMART_URL": "http://127.0.0.1:1"})
    assert ended.code == 1
    assert ended.err.startswith("bitmart-trio: failed: spot REST, ")
    assert len(re.findall(r"^failed .*ConnectionLost", ended.out, re.MULTILINE)) == 12


def test_shares() -> None:
    """The smallest value that so many do not exceed."""
    assert [_share([1, 2, 3, 4], share) for share in (0.25, 0.5, 0.51, 0.9, 1.0)] == [1, 2, 3, 4, 4]
    assert _share([7], 0.5) == 7


def test_keys_that_do_not_work() -> None:
    """An expired key fails the examination; a read-only one, or one bound to an address, is well."""
    assert _permissions(_key(status="expired")).status == "failed"
    assert _permissions(_key(permissions=["read"])).status == "ok"
    assert _permissions(_key(permissions=["withdraw"], ips=["192.0.2.1"])).status == "ok"
    assert _permissions(_key(permissions=["withdraw"])).status == "warning"


def _key(*, permissions: list[str] | None = None, ips: list[str] | None = None, status: str = "active") -> ApiKeyInfo:
    return ApiKeyInfo(
        access_key_masked="ab****cd",
        is_current=True,
        permissions=permissions or [],
        ip_whitelist=ips or [],
        api_key_label="",
        api_key_created_time=bm.Millis(0),
        api_key_status=bm.models.ApiKeyStatus(status),
    )
