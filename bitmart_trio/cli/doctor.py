"""Implement ``bitmart-trio doctor``: check this machine's clock, connection, sockets and key."""

from __future__ import annotations

import platform
from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Final, Literal, TypeAlias

import attrs
import trio
from rich.console import Console
from rich.text import Text

import bitmart_trio as bm

from ..config import Market
from ..models.spot_account import ApiKeyInfo, ApiKeyStatus
from ..models.system import Latency, MaintenanceStatus
from ..text import printable
from ._run import Failure, one_line
from ._show import Json, as_json, cell

Status: TypeAlias = Literal["ok", "warning", "failed", "skipped"]

MARKETS: Final[tuple[Market, ...]] = ("spot", "futures")
CHECK_WITHIN: Final = 30.0
"""Seconds for one check, including its retries."""
CLOCK_OFF: Final = 1000.0
"""Milliseconds. The exchange's window is 5000 by default; the library corrects the clock after a refusal."""
DISTRIBUTIONS: Final = ("trio", "httpx", "trio-websocket", "attrs", "cattrs", "msgspec", "typer", "rich")

_STYLES: Final[Mapping[Status, str]] = {"ok": "green", "warning": "yellow", "failed": "bold red", "skipped": "dim"}


@attrs.frozen
class Finding:
    """The result of one check.

    Attributes:
        name: the name of the check.
        status: ok, warning, failed or skipped.
        text: the text for the user.
        data: the figures of the check.
    """

    name: str
    status: Status
    text: str
    data: Mapping[str, Json] = attrs.field(factory=dict[str, "Json"])


class Doctor:
    """An examination; each finding is printed at once.

    Args:
        samples: round trips to measure per market.
        console: the terminal; None prints one JSON document at the end.
    """

    def __init__(self, samples: int, console: Console | None) -> None:
        self._samples = samples
        self._console = console
        self._findings: list[Finding] = []

    async def run(self, credentials: bm.Credentials | None, environment: bm.Environment) -> None:
        """Run all checks; a failing one does not stop the others.

        Raises:
            Failure: a check has failed.
        """
        self._note(_versions())
        # No check is repeated: an occasional failure must show.
        config = bm.Config(retry=bm.Retry(attempts=1))
        async with bm.open_client(credentials, environment=environment, config=config) as client:
            for market in MARKETS:
                if market == "spot" and environment.spot_rest is None:
                    self._note(Finding("spot", "skipped", f"the {environment.name} environment has no spot market"))
                    continue
                await self._examine(client, credentials, market)
        if self._console is None:
            print(as_json([attrs.asdict(finding) for finding in self._findings], indent=2))
        failed = [finding.name for finding in self._findings if finding.status == "failed"]
        if failed:
            raise Failure(f"failed: {', '.join(failed)}")

    async def _examine(self, client: bm.Client, credentials: bm.Credentials | None, market: Market) -> None:
        await self._check(f"{market} REST", lambda: self._line(client, market))
        await self._check(f"{market} notices", lambda: _notices(client, market))
        await self._check(f"{market} public socket", lambda: _socket(client, market, private=False))
        for name, check in (
            (f"{market} key", lambda: _key(client, market)),
            (f"{market} signature", lambda: _signature(client, market)),
            (f"{market} private socket", lambda: _socket(client, market, private=True)),
        ):
            if credentials is None:
                self._note(Finding(name, "skipped", "no key was given"))
            elif "key" not in name and not credentials.can_sign:
                self._note(Finding(name, "skipped", "there is a key, but not both its secret and its memo"))
            else:
                await self._check(name, check)

    async def _check(self, name: str, check: Callable[[], Awaitable[Sequence[Finding]]]) -> None:
        await trio.lowlevel.checkpoint()
        try:
            with trio.fail_after(CHECK_WITHIN):
                findings = await check()
        except trio.TooSlowError:
            findings = [Finding(name, "failed", f"no answer within {CHECK_WITHIN:g} s")]
        except (bm.BitMartError, OSError) as error:
            findings = [Finding(name, "failed", one_line(error))]
        for finding in findings:
            self._note(finding)

    def _note(self, finding: Finding) -> None:
        self._findings.append(finding)
        if self._console is not None:
            status = Text(f"{finding.status:<8}", style=_STYLES[finding.status])
            self._console.print(Text.assemble(status, f"{finding.name:<23}", printable(finding.text)), soft_wrap=True)

    async def _line(self, client: bm.Client, market: Market) -> list[Finding]:
        """Measure round trips and the clock."""
        await trio.lowlevel.checkpoint()
        system = client.spot.system if market == "spot" else client.futures.system
        await system.latency()  # the first call also connects
        measured = [await system.latency() for _ in range(self._samples)]
        trips = sorted(each.round_trip for each in measured)
        shares = {"p50": _share(trips, 0.5), "p90": _share(trips, 0.9), "p99": _share(trips, 0.99), "max": trips[-1]}
        figures = ", ".join(f"{name} {value:.1f}" for name, value in shares.items())
        data: dict[str, Json] = {name: _tenths(value) for name, value in shares.items()}
        return [
            Finding(f"{market} REST", "ok", f"{figures} ms round trip, {self._samples} samples", data),
            _clock(market, measured[-1]),
        ]


def _clock(market: Market, latency: Latency) -> Finding:
    surely_off = max(0.0, abs(latency.offset) - latency.bound)
    text = f"the exchange's clock is {latency.offset:+.1f} ms from this one, within {latency.bound:.1f} ms"
    data: dict[str, Json] = {"offset_ms": _tenths(latency.offset), "bound_ms": _tenths(latency.bound)}
    if surely_off > CLOCK_OFF:
        return Finding(f"{market} clock", "warning", f"{text}: set this clock, or let NTP set it", data)
    return Finding(f"{market} clock", "ok", text, data)


async def _notices(client: bm.Client, market: Market) -> list[Finding]:
    system = client.spot.system if market == "spot" else client.futures.system
    under_way = [each for each in await system.status() if each.status == MaintenanceStatus.WORKING]
    if not under_way:
        return [Finding(f"{market} notices", "ok", "no maintenance is under way")]
    titles = "; ".join(f"{each.title} until {cell('end_time', each.end_time)} UTC" for each in under_way)
    return [Finding(f"{market} notices", "warning", titles)]


async def _socket(client: bm.Client, market: Market, *, private: bool) -> list[Finding]:
    began = trio.current_time()
    await client.streams.connect(market, private=private)
    took = (trio.current_time() - began) * 1000
    what = "connected and logged in" if private else "connected"
    name = f"{market} {'private' if private else 'public'} socket"
    return [Finding(name, "ok", f"{what} in {took:.0f} ms", {"took_ms": _tenths(took)})]


async def _key(client: bm.Client, market: Market) -> list[Finding]:
    """Check that the key is known; on spot also its permissions."""
    if market == "futures":
        reply = await client.futures.call(bm.endpoints.futures.account.assets)
        return [Finding("futures key", "ok", "accepted"), _quota(market, reply.quota)]
    info = (await client.spot.call(bm.endpoints.spot.account.info)).data
    findings = [_permissions(key) for key in info.api_keys if key.is_current] or [
        Finding("spot key", "ok", "accepted; the exchange does not report its permissions")
    ]
    balances = await client.spot.call(bm.endpoints.spot.account.spot_balances)
    return [*findings, _quota(market, balances.quota)]


def _permissions(key: ApiKeyInfo) -> Finding:
    data: dict[str, Json] = {"permissions": [*key.permissions], "ip_whitelist": [*key.ip_whitelist]}
    bound_to = f"from {', '.join(key.ip_whitelist)}" if key.ip_whitelist else "from any address"
    text = f"{key.access_key_masked} may {', '.join(key.permissions) or 'do nothing'}, {bound_to}"
    if key.api_key_expire_time:
        text += f", until {cell('expire_time', key.api_key_expire_time)} UTC"
    if key.api_key_status != ApiKeyStatus.ACTIVE:
        return Finding("spot key", "failed", f"{text}; it is {key.api_key_status}", data)
    if not key.ip_whitelist and any("withdraw" in permission.lower() for permission in key.permissions):
        return Finding("spot key", "warning", f"{text}: anyone who obtains it can empty the account", data)
    return Finding("spot key", "ok", text, data)


async def _signature(client: bm.Client, market: Market) -> list[Finding]:
    """Make a signed call that changes nothing; it proves secret, memo and clock."""
    if market == "spot":
        reply = await client.spot.call(bm.endpoints.spot.trading.open_orders, limit=1)
        return [Finding("spot signature", "ok", f"accepted ({reply.endpoint})")]
    listed = await client.futures.call(bm.endpoints.futures.account.transfers, page=1, limit=10)
    return [Finding("futures signature", "ok", f"accepted ({listed.endpoint})")]


def _quota(market: Market, use: bm.QuotaUse | None) -> Finding:
    if use is None:
        return Finding(f"{market} quota", "ok", "the reply does not report it")
    data: dict[str, Json] = {"used": use.used, "limit": use.limit}
    text = f"{use.limit - use.used} of {use.limit} calls left in {use.window:g} s, per {use.mode or 'unknown key'}"
    return Finding(f"{market} quota", "ok", text, data)


def _share(ordered: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of the values does not exceed."""
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]


def _tenths(milliseconds: float) -> str:
    return f"{milliseconds:.1f}"


def _versions() -> Finding:
    found: dict[str, Json] = {"bitmart-trio": bm.__version__, "python": platform.python_version()}
    for name in DISTRIBUTIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    text = ", ".join(f"{name} {number}" for name, number in found.items())
    return Finding("versions", "ok", f"{text} on {platform.platform()}", found)
