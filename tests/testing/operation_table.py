"""Every public asynchronous operation of the library, and how to call it: one table.

A new endpoint is in it through its transcript, a walker of `history` by its arguments' names. Anything else is a line
of `STREAMS`, `READERS`, `OPENERS`, `TRADING` or `REAL`; a test names what is missing.
"""

from __future__ import annotations

import functools
import inspect
import json
import tempfile
import warnings
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Final, TypeAlias, TypeVar

import attrs
import trio

import bitmart_trio as bm
from bitmart_trio import models
from bitmart_trio.rest._base import Chapter
from bitmart_trio.rest.futures import Futures
from bitmart_trio.rest.spot import Spot
from bitmart_trio.sim import Venue
from bitmart_trio.sim.exchange import START_MS
from bitmart_trio.streams import _account
from bitmart_trio.streams.futures import FuturesStreams
from bitmart_trio.streams.spot import SpotStreams

T = TypeVar("T")

TRANSCRIPTS: Final = Path(__file__).parent.parent / "transcripts" / "rest"


@attrs.frozen
class Scene:
    """What the operations of one sweep share."""

    exchange: Venue
    client: bm.Client


Operation: TypeAlias = Callable[[Scene], Awaitable[object]]


# ---- what there is -------------------------------------------------------------------------------------------------

ROOMS: Final[tuple[ModuleType, ...]] = (bm, bm.sim, bm.history, bm.history.archive, bm.trading)
"""Whose ``__all__`` counts."""

FROM_PROPERTIES: Final[tuple[type, ...]] = (SpotStreams, FuturesStreams, _account.AccountView)
"""Public classes that are reached by attributes only; the chapters of REST are found by themselves."""

NOT_OPERATIONS: Final = {
    "Connection.run": "one task of an exchange, which is swept as a whole",
    "Exchange.run": "the same",
    "Server.accept": "the same",
    "serve_stream": "the same",
    "Venue.connect": "a step of opening a client",
}
"""Asynchronous, but not for a program to call."""


def public_operations() -> set[str]:
    """The qualified name of every public coroutine, opener and iterator."""
    found: set[str] = set()
    for room in ROOMS:
        for name in room.__all__:
            item = getattr(room, name)
            if inspect.isclass(item):
                found |= set(_operations_of(item))
            elif inspect.isfunction(item) and _is_operation(item):
                found.add(name)
    for kind in (*FROM_PROPERTIES, *_chapters()):
        found |= set(_operations_of(kind))
    return found - set(NOT_OPERATIONS)


def _operations_of(kind: type) -> Iterator[str]:
    if getattr(kind, "_is_protocol", False) or issubclass(kind, BaseException):
        return
    for name in dir(kind):
        function = inspect.getattr_static(kind, name)
        if isinstance(function, staticmethod | classmethod):
            function = function.__func__
        if (
            (not name.startswith("_") or name == "__anext__")
            and inspect.isfunction(function)
            and function.__module__.startswith("bitmart_trio.")
            and _is_operation(function)
        ):
            yield function.__qualname__


def _is_operation(function: Callable[..., object]) -> bool:
    returns = str(function.__annotations__.get("return", ""))
    return (
        inspect.iscoroutinefunction(function)
        or inspect.isasyncgenfunction(inspect.unwrap(function))
        or any(
            word in returns
            for word in ("Opening", "AsyncContextManager", "AsyncIterator", "Walker", "Batches", "Windows")
        )
    )


def _chapters() -> list[type[Chapter]]:
    found: list[type[Chapter]] = []
    for market in (Spot, Futures):
        api: Any = market.__new__(market)
        api._caller, api._chapters = None, {}
        found += [type(getattr(api, name)) for name, item in vars(market).items() if isinstance(item, property)]
    return found


# ---- REST: as the transcripts call it ------------------------------------------------------------------------------


async def _call(scene: Scene, path: str, arguments: dict[str, Any]) -> None:
    """A refusal is an answer as good as any: the way there and back is what is swept."""
    method = functools.reduce(getattr, path.split("."), scene.client)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # superseded endpoints are swept too
        try:
            await method(**arguments)  # type: ignore[operator]
        except bm.ApiError:
            await trio.lowlevel.checkpoint()


def _rest() -> dict[str, Operation]:
    markets: Any = {"spot": Spot, "futures": Futures}
    found: dict[str, Operation] = {}
    for file in sorted(TRANSCRIPTS.glob("*.txt")):
        path = file.stem.partition("~")[0]
        market, chapter, name = path.split(".")
        api = markets[market].__new__(markets[market])
        api._caller, api._chapters = None, {}
        call = next(line for line in file.read_text(encoding="utf-8").splitlines() if line.startswith("call: "))
        arguments = json.loads(call.removeprefix("call: "))
        method = getattr(getattr(api, chapter), name)
        found.setdefault(method.__qualname__, functools.partial(_call, path=path, arguments=arguments))
    return found


REST: Final = _rest()

OTHER_REST: Final[dict[str, Operation]] = {
    "System.latency": lambda scene: scene.client.spot.system.latency(),
    "MarketApi.call": lambda scene: scene.client.spot.call(bm.endpoints.spot.market.ticker, symbol="BTC_USDT"),
    "MarketApi.request": lambda scene: scene.client.spot.request("GET", "/spot/v1/wallet", auth="keyed"),
    "Spot.rules": lambda scene: scene.client.spot.rules("BTC_USDT", refresh=True),
    "Futures.rules": lambda scene: scene.client.futures.rules("BTCUSDT", refresh=True),
}


# ---- streams: opening and leaving each -----------------------------------------------------------------------------


Block: TypeAlias = Callable[[Scene], AbstractAsyncContextManager[object]]


@attrs.frozen
class Opened:
    """Enter and leave; or be refused, as the one channel is that no source describes."""

    block: Block

    async def __call__(self, scene: Scene) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            manager = self.block(scene)
        try:
            async with manager:
                pass
        except bm.SubscriptionRefused:
            await trio.lowlevel.checkpoint()


def opened(block: Block) -> Operation:
    """An operation of opening something."""
    return Opened(block)


_STREAMS: Final[dict[str, Operation]] = {
    "SpotStreams.ticker": opened(lambda scene: scene.client.streams.spot.ticker("BTC_USDT")),
    "SpotStreams.kline": opened(lambda scene: scene.client.streams.spot.kline("BTC_USDT", interval="1m")),
    "SpotStreams.kline_legacy": opened(lambda scene: scene.client.streams.spot.kline_legacy("BTC_USDT", interval="3m")),
    "SpotStreams.depth": opened(lambda scene: scene.client.streams.spot.depth("BTC_USDT", level=5)),
    "SpotStreams.depth100": opened(lambda scene: scene.client.streams.spot.depth100("BTC_USDT")),
    "SpotStreams.depth_increase": opened(lambda scene: scene.client.streams.spot.depth_increase("BTC_USDT")),
    "SpotStreams.order_book": opened(lambda scene: scene.client.streams.spot.order_book("BTC_USDT")),
    "SpotStreams.trade": opened(lambda scene: scene.client.streams.spot.trade("BTC_USDT", backfill=True)),
    "SpotStreams.book_ticker": opened(lambda scene: scene.client.streams.spot.book_ticker("BTC_USDT")),
    "SpotStreams.user_order": opened(lambda scene: scene.client.streams.spot.user_order("BTC_USDT")),
    "SpotStreams.user_orders": opened(lambda scene: scene.client.streams.spot.user_orders(backfill=True)),
    "SpotStreams.user_balance": opened(lambda scene: scene.client.streams.spot.user_balance()),
    "SpotStreams.account": opened(lambda scene: scene.client.streams.spot.account()),
    "FuturesStreams.ticker": opened(lambda scene: scene.client.streams.futures.ticker("BTCUSDT")),
    "FuturesStreams.tickers": opened(lambda scene: scene.client.streams.futures.tickers()),
    "FuturesStreams.funding_rate": opened(lambda scene: scene.client.streams.futures.funding_rate("BTCUSDT")),
    "FuturesStreams.depth": opened(lambda scene: scene.client.streams.futures.depth("BTCUSDT", level=5)),
    "FuturesStreams.depth_all": opened(lambda scene: scene.client.streams.futures.depth_all("BTCUSDT", level=5)),
    "FuturesStreams.depth_increase": opened(
        lambda scene: scene.client.streams.futures.depth_increase("BTCUSDT", level=5)
    ),
    "FuturesStreams.order_book": opened(lambda scene: scene.client.streams.futures.order_book("BTCUSDT")),
    "FuturesStreams.depth_all_v2": opened(lambda scene: scene.client.streams.futures.depth_all_v2("BTCUSDT", level=5)),
    "FuturesStreams.depth_increase_v2": opened(
        lambda scene: scene.client.streams.futures.depth_increase_v2("BTCUSDT", level=5)
    ),
    "FuturesStreams.book_ticker": opened(lambda scene: scene.client.streams.futures.book_ticker("BTCUSDT")),
    "FuturesStreams.trade": opened(lambda scene: scene.client.streams.futures.trade("BTCUSDT", backfill=True)),
    "FuturesStreams.kline": opened(lambda scene: scene.client.streams.futures.kline("BTCUSDT", interval="1m")),
    "FuturesStreams.mark_price_kline": opened(
        lambda scene: scene.client.streams.futures.mark_price_kline("BTCUSDT", interval="1m")
    ),
    "FuturesStreams.asset": opened(lambda scene: scene.client.streams.futures.asset("USDT")),
    "FuturesStreams.position": opened(lambda scene: scene.client.streams.futures.position(backfill=True)),
    "FuturesStreams.order": opened(lambda scene: scene.client.streams.futures.order()),
    "FuturesStreams.unicast": opened(lambda scene: scene.client.streams.futures.unicast()),
    "FuturesStreams.account": opened(lambda scene: scene.client.streams.futures.account()),
    "Streams.subscribe": opened(
        lambda scene: scene.client.streams.subscribe("spot/trade:BTC_USDT", "futures/trade:BTCUSDT")
    ),
    "Streams.events": opened(lambda scene: scene.client.streams.events()),
    "Streams.connect": lambda scene: scene.client.streams.connect("spot", private=True),
}


_KINDS: Final = {"SpotStreams": SpotStreams, "FuturesStreams": FuturesStreams, "Streams": bm.Streams}


def _defined(name: str) -> str:
    """The name with the class that defines it, should that be a base of the one that is named."""
    kind, _, method = name.partition(".")
    qualified: str = getattr(_KINDS[kind], method).__qualname__
    return qualified


STREAMS: Final = {_defined(name): operation for name, operation in _STREAMS.items()}


# ---- what is done with an open stream ------------------------------------------------------------------------------


async def _receive(scene: Scene) -> None:
    async with scene.client.streams.spot.trade("BTC_USDT") as trades:
        await trades.receive()
        await trades.receive()


async def _iterate(scene: Scene) -> None:
    async with scene.client.streams.spot.trade("BTC_USDT") as trades:
        left = 3
        async for _ in trades:
            left -= 1
            if not left:
                break


async def _add_and_remove(scene: Scene) -> None:
    async with scene.client.streams.spot.trade("BTC_USDT") as trades:
        await trades.add("ETH_USDT", "BMX_USDT")
        await trades.remove("BTC_USDT", "ETH_USDT")
        await trades.aclose()


async def _batches(scene: Scene) -> None:
    async with scene.client.streams.futures.ticker("BTCUSDT") as tickers:
        async for _ in tickers.batches():
            break
        async for _ in tickers:
            break


async def _book(scene: Scene) -> None:
    async with scene.client.streams.spot.order_book("BTC_USDT") as book:
        await book.wait_live()
        await anext(book)
        # The fault may strike a push to a connection that an earlier run has left and the exchange has not given up.
        while book.state is bm.BookState.LIVE:
            scene.exchange.faults.add(bm.sim.Gap(topic="spot/depth/increase100:BTC_USDT"))
            with trio.move_on_after(5):
                await book.wait_stale()
        await book.wait_live()


async def _account_view(scene: Scene) -> None:
    async with scene.client.streams.futures.account() as account:
        await account.wait_live()
        await account.wait_settled()
        placed = await scene.client.futures.trading.submit_order(
            symbol="BTCUSDT", side=1, size=1, type="limit", price="20000"
        )
        await anext(account)
        await scene.client.futures.trading.cancel_order(symbol="BTCUSDT", order_id=str(placed.order_id))
        await account.refresh()


async def _account_view_that_stales(scene: Scene) -> None:
    async with scene.client.streams.spot.account() as account:
        await account.wait_live()
        scene.exchange.drop_connections("spot/private")
        await account.wait_stale()
        await account.wait_live()


READERS: Final[dict[str, Operation]] = {
    "Subscription.receive": _receive,
    "Subscription.__anext__": _iterate,
    "Subscription.add": _add_and_remove,
    "Subscription.remove": _add_and_remove,
    "Subscription.aclose": _add_and_remove,
    "Subscription.batches": _batches,
    "OrderBook.wait_live": _book,
    "OrderBook.wait_stale": _book,
    "OrderBook.__anext__": _book,
    "AccountView.wait_live": _account_view,
    "AccountView.wait_settled": _account_view,
    "AccountView.__anext__": _account_view,
    "AccountView.refresh": _account_view,
    "AccountView.wait_stale": _account_view_that_stales,
}


# ---- opening things ------------------------------------------------------------------------------------------------


async def _open_client(scene: Scene) -> None:
    async with scene.exchange.open_client() as client, client.streams.spot.trade("BTC_USDT") as trades:
        await client.spot.account.balances()
        await trades.receive()


async def _open_private_client(scene: Scene) -> None:
    async with scene.exchange.open_client() as client, client.streams.futures.order():
        pass


async def _open_spot(scene: Scene) -> None:
    async with scene.exchange.open_spot() as spot:
        await spot.market.ticker("BTC_USDT")


async def _open_futures(scene: Scene) -> None:
    async with scene.exchange.open_futures() as futures:
        await futures.account.assets()


async def _open_streams(scene: Scene) -> None:
    async with scene.exchange.open_streams() as streams, streams.futures.trade("BTCUSDT"):
        pass


async def _open_exchange(_: Scene) -> None:
    async with bm.sim.open_exchange(seed=2) as exchange, exchange.open_spot() as spot:
        await spot.market.ticker("BTC_USDT")


async def _open_stream(scene: Scene) -> None:
    stream = await scene.exchange.connect(scene.exchange.environment.rest_url("spot"))
    await stream.aclose()


OPENERS: Final[dict[str, Operation]] = {
    "open_client": _open_client,
    "Venue.open_client": _open_private_client,
    "open_spot": _open_spot,
    "Venue.open_spot": _open_spot,
    "open_futures": _open_futures,
    "Venue.open_futures": _open_futures,
    "open_streams": _open_streams,
    "Venue.open_streams": _open_streams,
    "open_exchange": _open_exchange,
}


# ---- histories -----------------------------------------------------------------------------------------------------

_SINCE: Final = START_MS - 7_200_000
_ARGUMENTS: Final[dict[str, object]] = {
    "account_name": "desk1@example.com",
    "cid": 1001,
    "currency": "USDT",
    "since": _SINCE,
    "sub_account": "desk1@example.com",
    "until": START_MS,
    "user_id": 1001,
}
"""What the walkers want, by the name of the argument."""


async def _walk(scene: Scene, name: str) -> None:
    function: Any = getattr(bm.history, name)
    arguments: dict[str, object] = {}
    for each in list(inspect.signature(function).parameters.values())[1:]:
        if each.kind is inspect.Parameter.VAR_KEYWORD:  # the range of the walk
            arguments |= {"since": _SINCE, "until": START_MS}
        elif each.default is inspect.Parameter.empty or each.name in ("since", "until"):
            arguments[each.name] = _argument(name, each.name)
    walker = function(scene.client, **arguments)
    left = 3
    try:
        async for _ in walker:
            left -= 1
            if not left:
                break
    except (bm.ApiError, bm.history.IncompleteHistory):
        await trio.lowlevel.checkpoint()


def _argument(function: str, name: str) -> object:
    if name == "symbol":
        return "BTC_USDT" if "spot" in function or "margin" in function else "BTCUSDT"
    if name == "type":
        return "subscribe" if "savings" in function else 1
    return _ARGUMENTS[name]


def _histories() -> dict[str, Operation]:
    functions = {name: getattr(bm.history, name) for name in bm.history.__all__}
    return {
        name: functools.partial(_walk, name=name)
        for name, function in functions.items()
        if inspect.isfunction(function) and str(function.__annotations__["return"]).startswith("Walker")
    }


HISTORIES: Final = _histories()


async def _walk_windows(scene: Scene) -> None:
    walk = functools.partial(bm.history.spot_klines, scene.client, "BTC_USDT", since=_SINCE, until=START_MS)
    async for _ in walk().batches():
        break
    async for _ in walk().windows():
        break


async def _here(call: Callable[[], T], /) -> T:
    """Instead of a thread, which virtual time does not wait for."""
    await trio.lowlevel.cancel_shielded_checkpoint()
    return call()


async def _export(scene: Scene) -> None:
    def walk(cursor: bm.history.Cursor | None) -> bm.history.Walker[models.SpotKline]:
        return bm.history.spot_klines(scene.client, "BTC_USDT", since=_SINCE, until=START_MS, cursor=cursor)

    with tempfile.TemporaryDirectory() as folder:
        await bm.history.export(walk, models.SpotKline, Path(folder, "klines.csv"), run=_here)


async def _archive(scene: Scene) -> None:
    with tempfile.TemporaryDirectory() as folder:
        await bm.history.archive.archive(
            scene.client, folder, since=_SINCE, until=START_MS, allow_trading_key=True, run=_here
        )


OTHER_HISTORY: Final[dict[str, Operation]] = {
    "export": _export,
    "archive": _archive,
    "look_at_key": lambda scene: bm.history.archive.look_at_key(scene.client),
    "estimate": lambda scene: bm.history.archive.estimate(scene.client),
    "Walker.__anext__": functools.partial(_walk, name="futures_klines"),
    "Walker.batches": _walk_windows,
    "Walker.windows": _walk_windows,
    "Batches.__anext__": _walk_windows,
    "Windows.__anext__": _walk_windows,
}


# ---- trading -------------------------------------------------------------------------------------------------------

_FAR: Final[dict[str, Any]] = {"side": "buy", "type": "limit", "size": "0.001", "price": "20000"}
"""An order that waits."""


async def _spot_session(scene: Scene) -> None:
    async with bm.trading.open_spot_session(scene.client, "BTC_USDT") as session:
        order = await session.submit(**_FAR)
        await order.wait_accepted()
        await order.cancel()
        await order.wait_closed()


async def _orders_left_open(scene: Scene) -> None:
    async with bm.trading.open_spot_session(scene.client, "BTC_USDT") as session:
        order = await session.submit(**_FAR)
        await order.replace(price="20001")
        await session.reconcile()


async def _fill(scene: Scene) -> None:
    async with bm.trading.open_spot_session(scene.client, "BTC_USDT") as session:
        order = await session.submit(side="buy", type="market", notional="50")
        await order.wait_filled()
        await session.cancel_all()


async def _futures_session(scene: Scene) -> None:
    async with bm.trading.open_futures_session(scene.client, "BTCUSDT") as session:
        order = await session.submit(side=1, type="limit", size=1, price="20000")
        await order.wait_accepted()


async def _take_profit(scene: Scene) -> None:
    async with bm.trading.open_futures_session(scene.client, "BTCUSDT", on_exit="close") as session:
        order = await session.submit(side=1, type="market", size=1)
        await order.wait_filled()
        await session.submit_tp_sl(
            side=3, type="take_profit", size=1, trigger_price="90000", executive_price="90000", price_type=1
        )


async def _memory_journal(_: Scene) -> None:
    await _keep(bm.trading.MemoryJournal())


async def _keep(journal: bm.trading.Journal) -> None:
    await journal.open()
    try:
        await journal.append({"what": "intent", "id": "bt1"})
        journal.note({"what": "end", "id": "bt1"})
        await journal.compact(list)
    finally:
        await journal.close()  # noqa: ASYNC102  # shields itself, and that is what is swept


async def _dead_mans_switch(scene: Scene) -> None:
    async with bm.trading.dead_mans_switch(scene.client, "BTCUSDT", after=10) as switch:
        await trio.sleep(15)
        await switch.disarm()
        await switch.arm()


async def _signals(_: Scene) -> None:
    async with bm.trading.cancel_on_signals():
        await trio.sleep(1)


TRADING: Final[dict[str, Operation]] = {
    "open_spot_session": _spot_session,
    "SpotSession.submit": _spot_session,
    "Order.wait_accepted": _spot_session,
    "Order.cancel": _spot_session,
    "Order.wait_closed": _spot_session,
    "Order.replace": _orders_left_open,
    "Session.reconcile": _orders_left_open,
    "Order.wait_filled": _fill,
    "Session.cancel_all": _fill,
    "open_futures_session": _futures_session,
    "FuturesSession.submit": _futures_session,
    "FuturesSession.submit_tp_sl": _take_profit,
    "dead_mans_switch": _dead_mans_switch,
    "DeadMansSwitch.arm": _dead_mans_switch,
    "DeadMansSwitch.disarm": _dead_mans_switch,
    "DeadMansSwitch.keep": _dead_mans_switch,
    "DeadMansSwitch.run": _dead_mans_switch,
    "cancel_on_signals": _signals,
    "MemoryJournal.open": _memory_journal,
    "MemoryJournal.append": _memory_journal,
    "MemoryJournal.compact": _memory_journal,
    "MemoryJournal.close": _memory_journal,
}


# ---- what needs the real clock: files and sockets ------------------------------------------------------------------


async def _open_server() -> None:
    async with (
        bm.sim.open_server(live=False) as server,
        bm.open_spot(server.credentials, environment=server.environment) as spot,
    ):
        await spot.trading.open_orders()


async def _file_journal() -> None:
    with tempfile.TemporaryDirectory() as folder:
        await _keep(bm.trading.FileJournal(Path(folder, "bot.journal")))


REAL: Final[dict[str, Callable[[], Awaitable[None]]]] = {
    "open_server": _open_server,
    "FileJournal.open": _file_journal,
    "FileJournal.append": _file_journal,
    "FileJournal.compact": _file_journal,
    "FileJournal.close": _file_journal,
}


# ---- every ``async with`` --------------------------------------------------------------------------------------------


@asynccontextmanager
async def _subscription(scene: Scene) -> AsyncGenerator[object]:
    """A subscription is a resource, and so a block of its own."""
    async with scene.client.streams.spot.trade("BTC_USDT") as trades:
        async with trades as block:
            yield block


BLOCKS: Final[dict[str, Block]] = {
    **{_defined(name): each.block for name, each in _STREAMS.items() if isinstance(each, Opened)},
    "Subscription": _subscription,
    "open_client": lambda scene: bm.open_client(environment=scene.exchange.environment),
    "open_spot": lambda scene: bm.open_spot(environment=scene.exchange.environment),
    "open_futures": lambda scene: bm.open_futures(environment=scene.exchange.environment),
    "open_streams": lambda scene: bm.open_streams(environment=scene.exchange.environment),
    "Venue.open_client": lambda scene: scene.exchange.open_client(),
    "Venue.open_spot": lambda scene: scene.exchange.open_spot(),
    "Venue.open_futures": lambda scene: scene.exchange.open_futures(),
    "Venue.open_streams": lambda scene: scene.exchange.open_streams(),
    "open_exchange": lambda _: bm.sim.open_exchange(seed=2),
    "open_server": lambda _: bm.sim.open_server(live=False),
    "open_spot_session": lambda scene: bm.trading.open_spot_session(scene.client, "BTC_USDT"),
    "open_futures_session": lambda scene: bm.trading.open_futures_session(
        scene.client, "BTCUSDT", on_exit="close", dead_mans_switch=60
    ),
    "dead_mans_switch": lambda scene: bm.trading.dead_mans_switch(scene.client, "ETHUSDT", after=60),
    "cancel_on_signals": lambda _: bm.trading.cancel_on_signals(),
}


def public_blocks() -> set[str]:
    """The qualified name of everything public that is made for an ``async with``."""
    found: set[str] = set()
    for room in ROOMS:
        for name in room.__all__:
            item = getattr(room, name)
            if inspect.isclass(item):
                found |= set(_blocks_of(item))
                if hasattr(item, "__aenter__"):
                    found.add(name)
            elif inspect.isfunction(item) and _is_block(item):
                found.add(name)
    for kind in FROM_PROPERTIES:
        found |= set(_blocks_of(kind))
    return found


def _blocks_of(kind: type) -> Iterator[str]:
    for name in dir(kind):
        function = inspect.getattr_static(kind, name)
        if not name.startswith("_") and inspect.isfunction(function) and _is_block(function):
            yield function.__qualname__


def _is_block(function: Callable[..., object]) -> bool:
    returns = str(function.__annotations__.get("return", ""))
    return hasattr(function, "__returns_acontextmanager__") or "Opening" in returns or "AsyncContextManager" in returns


# ---- the table -----------------------------------------------------------------------------------------------------

TABLE: Final[dict[str, Operation]] = {
    **REST,
    **OTHER_REST,
    **STREAMS,
    **READERS,
    **OPENERS,
    **HISTORIES,
    **OTHER_HISTORY,
    **TRADING,
}
