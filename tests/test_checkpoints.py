"""Every public async function is a checkpoint, also when it has nothing to wait for.

The functions are found by introspection. Those of the REST chapters are called over a stub; the others need a scenario
in `SCENARIOS`, and one that has none fails here.
"""

from __future__ import annotations

import inspect
import types
import typing
import warnings
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from enum import Enum
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Final

import attrs
import pytest
import trio
from documented import ENDPOINTS
from every_case import every_case
from trio.testing import MockClock, assert_checkpoints, wait_all_tasks_blocked

import bitmart_trio as bm
from bitmart_trio import client as client_module
from bitmart_trio import rest, streams
from bitmart_trio.rest._base import Chapter, MarketApi
from bitmart_trio.sim.kernel.feed import FeedChannel
from bitmart_trio.sim.venue import Venue, open_exchange
from bitmart_trio.streams._account import AccountView
from bitmart_trio.streams._base import MarketStreams

MAGIC: Final = ("__aenter__", "__aexit__", "__anext__")


# ---- what there is --------------------------------------------------------------------------------------------------


def _classes() -> Iterator[type]:
    """Those whose methods a user can call: what the package exports, chapters, openers, views."""
    for name in vars(bm)["__all__"]:
        found = getattr(bm, name)
        if inspect.isclass(found) and found.__module__.startswith("bitmart_trio."):
            yield found
    for package in (rest, streams):
        for info in iter_modules(package.__path__):
            for found in vars(import_module(f"{package.__name__}.{info.name}")).values():
                if inspect.isclass(found) and issubclass(found, Chapter | MarketApi | MarketStreams | AccountView):
                    yield found


def _opens(function: Any) -> bool:
    """Whether calling it gives something for ``async with``."""
    told = str(inspect.unwrap(function).__annotations__.get("return", ""))
    return told.startswith(("Opening", "AbstractAsyncContextManager"))


def _functions() -> dict[str, Any]:
    """All of them by name, as ``OrderBook.wait_live``; an inherited one by the class that has it."""
    found: dict[str, Any] = {}
    for kind in _classes():
        for owner in kind.__mro__:
            if not owner.__module__.startswith("bitmart_trio."):
                continue
            for name, function in vars(owner).items():
                if not inspect.isfunction(function) or (name.startswith("_") and name not in MAGIC):
                    continue
                if inspect.iscoroutinefunction(inspect.unwrap(function)) or _opens(function):
                    found[f"{owner.__name__}.{name}"] = function
    for name in ("open_client", "open_spot", "open_futures", "open_streams"):
        found[name] = getattr(client_module, name)
    return found


FUNCTIONS: Final = _functions()


def _is_of_a_chapter(function: Any) -> bool:
    owner = getattr(inspect.getmodule(function), function.__qualname__.partition(".")[0], None)
    return inspect.isclass(owner) and issubclass(owner, Chapter)


CALLS: Final = {name: function for name, function in FUNCTIONS.items() if _is_of_a_chapter(function)}


# ---- REST -----------------------------------------------------------------------------------------------------------


class Whatever:
    """Has every attribute, can be called, and holds nothing."""

    def __getattr__(self, name: str) -> Whatever:
        return self

    def __call__(self, *_: object, **__: object) -> Whatever:
        return self

    def __iter__(self) -> Iterator[Any]:
        return iter(())


class Stub:
    """A caller whose answer is there after one checkpoint, as the pipeline's is at the earliest."""

    def __init__(self) -> None:
        self.called = 0

    async def _answer(self, *_: object, **__: object) -> Any:
        self.called += 1
        await trio.lowlevel.checkpoint()
        return Whatever()

    call = request = latency = _answer


def _argument(annotation: object) -> object:
    """Something of that type."""
    if isinstance(annotation, types.UnionType) or typing.get_origin(annotation) is typing.Union:
        annotation = typing.get_args(annotation)[0]
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return next(iter(annotation))
    if annotation is str:
        return "BTC_USDT"
    if typing.get_origin(annotation) is not None:
        return [{}]
    return 1


@every_case("name", CALLS)
async def test_calls(name: str) -> None:
    """Whatever the reply is."""
    function = CALLS[name]
    owner, stub = getattr(inspect.getmodule(function), name.partition(".")[0]), Stub()
    hints = typing.get_type_hints(function, vars(inspect.getmodule(function)))
    arguments = {
        parameter.name: _argument(hints[parameter.name])
        for parameter in inspect.signature(function).parameters.values()
        if parameter.name != "self" and parameter.default is parameter.empty and parameter.kind != parameter.VAR_KEYWORD
    }
    with warnings.catch_warnings(), assert_checkpoints():
        warnings.simplefilter("ignore", DeprecationWarning)
        await function(owner(stub), **arguments)
    assert stub.called == 1


# ---- the rest -------------------------------------------------------------------------------------------------------


@attrs.frozen
class Scene:
    """A client that is open, and something to read of every kind."""

    venue: Venue
    client: bm.Client
    trades: bm.Subscription[Any]
    book: bm.OrderBook
    closed_book: bm.OrderBook
    account: Any
    closed_account: Any


Scenario = Callable[[Scene], Awaitable[object]]


def _entered(opening: Callable[[Scene], AbstractAsyncContextManager[Any]]) -> Scenario:
    """Enter it: with the topics fresh, and with somebody else holding them.

    Leaving is no checkpoint everywhere: in a cancelled scope it would replace the user's error.
    """

    async def scenario(scene: Scene) -> None:
        async with AsyncExitStack() as stack:
            for _ in range(2):
                with assert_checkpoints():
                    await stack.enter_async_context(opening(scene))

    return scenario


def _opener(market: str, name: str) -> Scenario:
    """One of the openers, with the first of each variant."""

    def opening(scene: Scene) -> AbstractAsyncContextManager[Any]:
        opener: Any = getattr(getattr(scene.client.streams, market), name)
        parameters = inspect.signature(opener).parameters
        symbol = "BTC_USDT" if market == "spot" else "BTCUSDT"
        values: dict[str, Any] = {"level": 5, "interval": "3m" if name == "kline_legacy" else "1m"}
        subjects = {"symbols": [symbol], "symbol": [symbol], "currencies": ["USDT"]}
        given = [] if name == "account" else [each for key in parameters for each in subjects.get(key, [])]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            found: AbstractAsyncContextManager[Any] = opener(
                *given, **{key: value for key, value in values.items() if key in parameters}
            )
        return found

    return _entered(opening)


async def _open(scene: Scene, opener: Any) -> None:
    venue = scene.venue
    await _entered(
        lambda _: opener(
            venue.credentials,
            environment=venue.environment,
            connect=venue.connect,
            **({} if opener is bm.open_streams else {"http_transport": venue.http_transport()}),
        )
    )(scene)


SCENARIOS: Final[dict[str, Scenario]] = {
    "Subscription.receive": lambda scene: scene.trades.receive(),
    "Subscription.add": lambda scene: scene.trades.add("BTC_USDT"),
    "Subscription.add of nothing": lambda scene: scene.trades.add(),
    "Subscription.remove": lambda scene: scene.trades.remove("BMX_USDT"),
    "Subscription.aclose": lambda scene: scene.trades.clone().aclose(),
    "Subscription.__aexit__": lambda scene: scene.trades.clone().__aexit__(None, None, None),
    "Subscription.batches": lambda scene: scene.trades.batches().__anext__(),
    "Subscription.__anext__": lambda scene: scene.trades.__anext__(),
    "OrderBook.wait_live": lambda scene: scene.book.wait_live(),
    "OrderBook.wait_stale": lambda scene: scene.closed_book.wait_stale(),
    "OrderBook.__anext__": lambda scene: scene.book.__anext__(),
    "AccountView.wait_live": lambda scene: scene.account.wait_live(),
    "AccountView.wait_settled": lambda scene: scene.account.wait_settled(),
    "AccountView.wait_stale": lambda scene: scene.closed_account.wait_stale(),
    "AccountView.refresh": lambda scene: scene.account.refresh(),
    "AccountView.__anext__": lambda scene: scene.account.__anext__(),
    "Streams.connect": lambda scene: scene.client.streams.connect("spot"),
    "Streams.subscribe": _entered(lambda scene: scene.client.streams.subscribe("spot/ticker:BTC_USDT")),
    "Streams.events": _entered(lambda scene: scene.client.streams.events()),
    "MarketApi.call": lambda scene: scene.client.spot.call(bm.endpoints.spot.market.ticker, symbol="BTC_USDT"),
    "MarketApi.request": lambda scene: scene.client.futures.request("GET", "/system/time"),
    "Spot.rules": lambda scene: scene.client.spot.rules("BTC_USDT"),
    "Futures.rules": lambda scene: scene.client.futures.rules("BTCUSDT"),
    "open_client": lambda scene: _open(scene, bm.open_client),
    "open_spot": lambda scene: _open(scene, bm.open_spot),
    "open_futures": lambda scene: _open(scene, bm.open_futures),
    "open_streams": lambda scene: _open(scene, bm.open_streams),
    **{
        f"{kind}.{name.partition('.')[2]}": _opener(market, name.partition(".")[2])
        for market, kind in (
            ("spot", "SpotStreams"),
            ("futures", "FuturesStreams"),
            ("futures", "FuturesPrivateStreams"),
        )
        for name in FUNCTIONS
        if name.startswith(f"{kind}.")
    },
}  # fmt: skip


def test_every_function_has_its_scenario() -> None:
    """One that is new, or renamed, fails here until it has one."""
    assert len(CALLS) > ENDPOINTS
    assert set(FUNCTIONS) - set(CALLS) - set(SCENARIOS) == set()
    # The iterator of one, and what a `trio.abc.ReceiveChannel` brings.
    assert {name for name in SCENARIOS if " " not in name} - set(FUNCTIONS) <= {
        "Subscription.batches",
        "Subscription.__anext__",
    }


@asynccontextmanager
async def _scene() -> AsyncGenerator[Scene]:
    async with open_exchange(seed=1, live=False) as venue, venue.open_client() as client:
        for name, kind in (("spot/depth100", "spot/public"), ("futures/unicast", "futures/private")):
            venue.exchange.feed.add(FeedChannel(name, kind, lambda rest: True))
        # Everything is read once before: what is cached, and what is connected, must be a checkpoint too.
        await client.spot.rules("BTC_USDT")
        await client.futures.rules("BTCUSDT")
        spot = client.streams.spot
        async with spot.order_book("ETH_USDT") as closed_book, spot.account() as closed_account:
            pass
        async with (
            spot.trade("BTC_USDT", "ETH_USDT", "BMX_USDT", overflow="drop_oldest") as trades,
            spot.order_book("ETH_USDT") as book,
            spot.account() as account,
        ):
            await account.wait_settled()
            for _ in range(8):
                venue.exchange.tick()
                await trio.sleep(0.5)
            await wait_all_tasks_blocked()
            yield Scene(venue, client, trades, book, closed_book, account, closed_account)


@pytest.mark.parametrize("name", SCENARIOS)
async def test_the_rest(autojump_clock: MockClock, name: str) -> None:
    """With everything at hand, so that there is no other reason to pause."""
    async with _scene() as scene:
        with assert_checkpoints():
            await SCENARIOS[name](scene)
