"""The dead man's switch: renewed in time, loud when it is not, off after a clean exit and armed after any other."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
import trio
from trading_kit import open_ids
from trio.testing import MockClock

import bitmart_trio as bm
from bitmart_trio import models
from bitmart_trio.sim import Delay, Fail5xx, LoseReply, LoseRequest, Refuse429, Venue

PATH = "/contract/private/cancel-all-after"


def timers(venue: Venue) -> list[str]:
    """The contracts with a running timer."""
    account = venue.exchange.accounts.get("1")
    assert account is not None
    return sorted(venue.exchange.futures.engine.trader(account).timers)


async def rest(client: bm.Client, symbol: str = "BTCUSDT") -> None:
    """An order that rests."""
    await client.futures.trading.submit_order(
        symbol=symbol, side=1, size=1, price="2000", leverage=5, open_type="cross", client_order_id=f"rest{symbol}"
    )


async def test_it_is_renewed_and_switched_off(autojump_clock: MockClock) -> None:
    """Minutes inside, and the orders are still there; after it they are too, and no timer runs."""
    async with bm.sim.open_exchange(seed=7) as venue, venue.open_client() as client:
        await rest(client)
        async with bm.trading.dead_mans_switch(client, "BTCUSDT", "ETHUSDT", after=9) as switch:
            assert timers(venue) == ["BTCUSDT", "ETHUSDT"]
            for _ in range(100):
                await trio.sleep(1)
                assert 5.9 < switch.fires_in <= 9
        assert timers(venue) == []
        await trio.sleep(60)
        assert open_ids(venue, "futures") == ["restBTCUSDT"]


@pytest.mark.parametrize("way", ["error", "cancel"])
async def test_any_other_exit_leaves_it_armed(autojump_clock: MockClock, way: str) -> None:
    """The exchange cleans up after a bot that fell over."""
    async with bm.sim.open_exchange(seed=7) as venue, venue.open_client() as client:
        await rest(client)

        async def body() -> None:
            async with bm.trading.dead_mans_switch(client, "BTCUSDT", after=9):
                if way == "error":
                    raise KeyError
                await trio.sleep_forever()

        if way == "error":
            with pytest.raises(KeyError):
                await body()
        else:
            with trio.move_on_after(1):
                await body()
        assert timers(venue) == ["BTCUSDT"]
        await trio.sleep(10)
        assert open_ids(venue, "futures") == []


@pytest.mark.parametrize(
    "fault",
    [
        LoseRequest(PATH, chance=0.4, times=None),
        LoseReply(PATH, chance=0.4, times=None),
        Fail5xx(PATH, chance=0.4, times=None),
        Refuse429(PATH, chance=0.3, times=None),
        Delay(PATH, seconds=4, chance=0.3, times=None),
    ],
)
async def test_it_survives_a_bad_line(autojump_clock: MockClock, fault: bm.sim.Fault) -> None:
    """Renewals that fail are tried again well before the timer fires."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        await rest(client)
        async with bm.trading.dead_mans_switch(client, "BTCUSDT", after=60):
            venue.faults.add(fault)
            for _ in range(600):
                await trio.sleep(1)
                venue.exchange.tick()
            assert open_ids(venue, "futures") == ["restBTCUSDT"]
            venue.faults.clear()
        assert timers(venue) == []


@pytest.mark.parametrize("inside", [True, False])
async def test_switching_off_does_not_overtake_a_renewal(autojump_clock: MockClock, inside: bool) -> None:
    """Left while a slow renewal is on its way: it is over before the timer is switched off, so the timer stays off."""
    async with bm.sim.open_exchange(seed=7) as venue, venue.open_client() as client:
        opening = (
            bm.trading.open_futures_session(client, "BTCUSDT", dead_mans_switch=9)
            if inside
            else bm.trading.dead_mans_switch(client, "BTCUSDT", after=9)
        )
        async with opening:
            venue.faults.add(Delay(PATH, seconds=2))
            await trio.sleep(3.5)
            assert timers(venue) == ["BTCUSDT"]
        assert timers(venue) == []
        await trio.sleep(5)
        assert timers(venue) == []


async def test_a_renewal_that_never_gets_through_is_raised_in_time(autojump_clock: MockClock) -> None:
    """Before or when the timer fires, not after: whoever is inside must not go on as if it were guarded."""
    async with bm.sim.open_exchange(seed=7) as venue, venue.open_client() as client:
        await rest(client)
        began = trio.current_time()
        with pytest.raises(bm.errors.SwitchFailed, match="renewed in time") as caught:  # noqa: PT012
            async with bm.trading.dead_mans_switch(client, "BTCUSDT", after=9):
                venue.faults.add(LoseRequest(PATH, times=None))
                await trio.sleep_forever()
        assert trio.current_time() - began <= 9.1
        assert caught.value.symbol == "BTCUSDT"
        await trio.sleep(1)
        assert open_ids(venue, "futures") == []


async def test_a_refused_renewal_is_raised_at_once(autojump_clock: MockClock) -> None:
    """A key that lost its permission will not get it back by asking."""
    async with bm.sim.open_exchange(seed=7) as venue, venue.open_client() as client:
        began = trio.current_time()
        with pytest.raises(bm.errors.SwitchFailed, match="refused") as caught:  # noqa: PT012
            async with bm.trading.dead_mans_switch(client, "BTCUSDT", after=9):
                found = venue.exchange.accounts.by_key("sim-key")
                assert found is not None
                found[1].frozen = True
                await trio.sleep_forever()
        assert trio.current_time() - began < 4
        assert isinstance(caught.value.__cause__, bm.AuthenticationError)


async def test_one_that_cannot_be_set_does_not_open(autojump_clock: MockClock) -> None:
    """And those that were set before it are switched off again."""
    async with bm.sim.open_exchange(seed=7) as venue, venue.open_client() as client:
        with pytest.raises(bm.errors.SwitchFailed, match="NOSUCH"):
            async with bm.trading.dead_mans_switch(client, "BTCUSDT", "NOSUCH", after=9):
                raise AssertionError("opened")
        assert timers(venue) == []


async def test_one_that_cannot_be_switched_off_is_said(autojump_clock: MockClock) -> None:
    """The caller's orders will be cancelled, and the caller should know."""
    async with bm.sim.open_exchange(seed=7) as venue, venue.open_client() as client:
        with pytest.raises(bm.errors.SwitchFailed, match="may still be running"):
            async with bm.trading.dead_mans_switch(client, "BTCUSDT", after=9):
                venue.faults.add(Fail5xx(PATH, times=None))


async def test_an_answer_of_no_is_a_failure(autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The exchange can say 1000 and ``result: false``."""
    from bitmart_trio.models import CancelAllAfterResult, Seconds
    from bitmart_trio.rest.futures_trading import FuturesTrading

    async def no(self: FuturesTrading, symbol: str, timeout: int) -> CancelAllAfterResult:  # noqa: ASYNC109
        await trio.lowlevel.checkpoint()
        return CancelAllAfterResult(False, Seconds(0), Seconds(0))

    async with bm.sim.open_exchange(seed=7) as venue, venue.open_client() as client:
        monkeypatch.setattr(FuturesTrading, "cancel_all_after", no)
        with pytest.raises(bm.errors.SwitchFailed, match="did not set"):
            async with bm.trading.dead_mans_switch(client, "BTCUSDT"):
                raise AssertionError("opened")


@pytest.mark.parametrize(
    ("symbols", "after", "argument"),
    [((), 60, "symbols"), (("BTCUSDT",), 4, "after"), (("BTCUSDT",), 7.5, "after"), (tuple("ABCDEFGH"), 9, "after")],
)
async def test_times_that_cannot_be_kept_are_refused(
    autojump_clock: MockClock, symbols: tuple[str, ...], after: int, argument: str
) -> None:
    """Too short for the exchange, not whole, or too many timers for the quota of their renewals."""
    async with bm.sim.open_exchange(seed=7) as venue, venue.open_client() as client:
        with pytest.raises(bm.InvalidRequest) as caught:
            async with bm.trading.dead_mans_switch(client, *symbols, after=after):
                raise AssertionError("opened")
        assert caught.value.argument == argument


async def test_a_machine_that_slept_renews_at_once(autojump_clock: MockClock) -> None:
    """Trio's clock stood still for less than the timer: within a second of waking it is set again."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        async with bm.trading.dead_mans_switch(client, "BTCUSDT", after=60) as switch:
            await trio.sleep(0.5)
            venue.exchange.clock.step(40_000)
            assert 19 < switch.fires_in < 20
            await trio.sleep(1.1)
            assert 58 < switch.fires_in <= 60
            assert timers(venue) == ["BTCUSDT"]


async def test_a_machine_that_slept_too_long_learns_that_the_timer_fired(autojump_clock: MockClock) -> None:
    """By the exchange's own times, although by Trio's clock not a second had passed."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        await rest(client)

        async def guarded() -> None:
            async with bm.trading.dead_mans_switch(client, "BTCUSDT", after=60) as switch:
                await trio.sleep(0.5)
                venue.exchange.clock.step(3_600_000)
                venue.exchange.tick()
                assert switch.fires_in < -3500
                await trio.sleep(5)

        with pytest.raises(bm.SwitchFailed, match="fired before it was renewed"):
            await guarded()
        assert open_ids(venue, "futures") == []
        assert timers(venue) == ["BTCUSDT"]


async def test_one_wrong_time_in_an_answer_ends_no_switch(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that says it was set an hour later than it was is asked for once more before it counts."""
    async with bm.sim.open_exchange(seed=7, live=False) as venue, venue.open_client() as client:
        right, answers = client.futures.trading.cancel_all_after, 0

        async def answer(*what: Any, **more: Any) -> models.CancelAllAfterResult:
            nonlocal answers
            answers += 1
            said = await right(*what, **more)
            if answers != 2:
                return said
            return attrs.evolve(
                said, set_time=models.Seconds(said.set_time + 3600), cancel_time=models.Seconds(said.cancel_time + 3600)
            )

        monkeypatch.setattr(type(client.futures.trading), "cancel_all_after", staticmethod(answer))
        async with bm.trading.dead_mans_switch(client, "BTCUSDT", after=60) as switch:
            await trio.sleep(50)
            assert switch.fires_in > 30
            assert answers == 4  # armed, renewed, asked again, renewed


async def test_a_switch_that_is_cancelled_while_it_is_set_is_switched_off(autojump_clock: MockClock) -> None:
    """The exchange has set the timer, the answer never came: nobody was inside, so nobody is guarded."""
    async with bm.sim.open_exchange(seed=7) as venue, venue.open_client() as client:
        venue.faults.add(Delay(PATH, seconds=5, before=False, times=1))
        with trio.move_on_after(2):
            async with bm.trading.open_futures_session(client, "BTCUSDT", dead_mans_switch=30):
                raise AssertionError("entered")
        assert timers(venue) == []


async def test_a_renewal_that_may_still_come_is_said(autojump_clock: MockClock) -> None:
    """A clean exit that cannot promise the timer to stay off does not."""
    async with bm.sim.open_exchange(seed=7) as venue, venue.open_client() as client:
        with pytest.raises(bm.errors.SwitchFailed, match="may still"):  # noqa: PT012
            async with bm.trading.dead_mans_switch(client, "BTCUSDT", after=60):
                venue.faults.add(Delay(PATH, seconds=50, before=True, times=1))
                await trio.sleep(45)


async def test_two_switches_on_one_contract_are_refused(autojump_clock: MockClock) -> None:
    """There is one timer: whoever leaves first would switch it off for the other. One after the other is fine."""
    async with bm.sim.open_exchange(seed=7) as venue, venue.open_client() as client:
        for _ in range(2):
            async with bm.trading.open_futures_session(client, "BTCUSDT", dead_mans_switch=60):
                with pytest.raises(bm.errors.SwitchFailed, match="another switch"):
                    async with bm.trading.dead_mans_switch(client, "ETHUSDT", "BTCUSDT", after=60):
                        raise AssertionError("entered")
                assert timers(venue) == ["BTCUSDT"]
            assert timers(venue) == []
