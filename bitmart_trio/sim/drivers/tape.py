"""Tapes: what once happened on a market, to happen again.

    with Tape.record(exchange) as recorder:                  # or open_exchange(log="run.jsonl"): a log is a tape too
        ...
    recorder.tape.save("morning.jsonl")
    async with open_exchange(market=Tape.load("morning.jsonl")) as exchange: ...

A tape is a list of trades and, if there are any, books. In a file it is one JSON object a line, times in milliseconds
since 1970, prices and sizes as text:

    {"ms":1767225600100,"symbol":"BTC_USDT","price":"60010.50","size":"0.25","side":"buy"}
    {"ms":1767225600100,"symbol":"BTC_USDT","bids":[["60010.00","1.5"]],"asks":[["60010.50","0.75"]]}

Replayed, each trade and each book happens at its time (shifted as a whole if the exchange opens at another one), and
users' orders trade against it: what a trade's price reaches is filled, and orders that take find the tape's book.
Symbols without books on the tape get an invented one, twenty levels around each trade.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Final, Protocol, TypeAlias, cast

import attrs

from ..exchange import Exchange
from ..kernel.book import Side
from ..kernel.encoding import Json, encode
from ..kernel.eventlog import Event
from ..kernel.numbers import NumberError, read_decimal, read_integer
from ..kernel.symbols import Contract, SpotPair, Symbol, exact, read_symbols
from .script import BookScript, MarketScript

AnyPath: TypeAlias = "str | os.PathLike[str]"
LADDER: Final = 20
"""Invented levels a side."""
_SECONDS_BELOW: Final = 100_000_000_000
"""A time below this is in seconds: as milliseconds it would be in 1973."""


class TapeError(ValueError):
    """A tape that cannot be read, with the line, or that does not fit the exchange."""


@attrs.frozen
class TapeTrade:
    """One public trade."""

    ms: int
    symbol: str
    price: Decimal
    size: Decimal
    """Base currency on spot, contracts on futures."""
    side: Side
    """The taker's."""


@attrs.frozen
class TapeBook:
    """A whole book, or one side of it, from a moment on."""

    ms: int
    symbol: str
    bids: tuple[tuple[Decimal, Decimal], ...] | None
    """(price, size); None leaves the side as it was."""
    asks: tuple[tuple[Decimal, Decimal], ...] | None


Moment: TypeAlias = "TapeTrade | TapeBook"


def _in_order(moments: Iterable[Moment]) -> tuple[Moment, ...]:
    return tuple(sorted(moments, key=lambda moment: moment.ms))


class HasExchange(Protocol):
    """An open exchange, in process or as a server."""

    exchange: Exchange


@attrs.frozen
class Tape:
    """Trades and books in the order of their times.

    Args:
        moments: At least one; put in order of time, those of one time left as they are.

    Raises:
        TapeError: There is nothing on it.
    """

    moments: tuple[Moment, ...] = attrs.field(converter=_in_order)

    def __attrs_post_init__(self) -> None:
        """Refuse an empty tape."""
        if not self.moments:
            raise TapeError("there is nothing on the tape")

    def __repr__(self) -> str:
        return f"<Tape of {len(self.moments)} moments of {', '.join(self.symbols)}, {self.seconds:g} s>"

    @property
    def start_ms(self) -> int:
        """The time of the first moment."""
        return self.moments[0].ms

    @property
    def seconds(self) -> float:
        """From the first moment to the last."""
        return (self.moments[-1].ms - self.moments[0].ms) / 1000

    @property
    def symbols(self) -> tuple[str, ...]:
        """Whose moments they are, in order of appearance."""
        return tuple(dict.fromkeys(moment.symbol for moment in self.moments))

    def trades(self, symbol: str | None = None) -> list[TapeTrade]:
        """The trades, of one symbol or of all."""
        return [at for at in self.moments if isinstance(at, TapeTrade) and symbol in (None, at.symbol)]

    def rules(self) -> list[Symbol]:
        """The symbols with steps fine enough for what is on the tape, to list on an exchange."""
        numbers: dict[str, list[tuple[Decimal, Decimal]]] = {}
        for moment in self.moments:
            numbers.setdefault(moment.symbol, []).extend(_numbers(moment))
        return [self._rule(symbol, found) for symbol, found in numbers.items()]

    @staticmethod
    def _rule(symbol: str, numbers: list[tuple[Decimal, Decimal]]) -> Symbol:
        # On a side that is empty throughout there is nothing to fit.
        if not numbers:
            return symbol
        price, tick = numbers[0][0], _step(price for price, _ in numbers)
        # No coarser than a symbol of that price would be: a tape of whole coins does not forbid smaller orders.
        if "_" not in symbol:
            terms = read_symbols([Contract(symbol, price=price)]).contracts[0]
            return Contract(symbol, price=price, tick=min(tick, terms.tick))
        pair = read_symbols([SpotPair(symbol, price=price)]).pairs[0]
        step = min(_step(size for _, size in numbers), pair.lot)
        return SpotPair(symbol, price=price, tick=min(tick, pair.tick), step=step)

    def save(self, path: AnyPath) -> None:
        """Write the tape to a file.

        Raises:
            OSError: The file cannot be written.
        """
        with Path(path).open("wb") as file:
            file.writelines(encode(_line(moment)) + b"\n" for moment in self.moments)

    @classmethod
    def load(cls, path: AnyPath) -> Tape:
        """Read a tape, or an exchange's event log: its matches and books are one.

        Raises:
            OSError: The file cannot be read.
            TapeError: A line is no moment, or there is none.
        """
        with Path(path).open(encoding="utf-8") as file:
            return cls.of_lines(file)

    @classmethod
    def of_lines(cls, lines: Iterable[str | bytes]) -> Tape:
        """The tape that these JSON lines are; see `load`.

        Raises:
            TapeError: A line is no moment, or there is none.
        """
        moments: list[Moment] = []
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                found: object = json.loads(line, parse_int=read_integer)
            except ValueError:
                raise TapeError(f"line {number} is not JSON") from None
            if not isinstance(found, dict):
                raise TapeError(f"line {number} is not an object")
            event = cast("dict[str, object]", found)
            if event.get("kind", "match") in ("match", "book"):
                moments.append(_moment(event, f"line {number}"))
        return cls(moments)

    @classmethod
    def from_csv(cls, path: AnyPath, symbol: str | None = None, *, step: int | None = None) -> Tape:
        """Read trades or candles from a CSV file with a header, such as ``bitmart-trio klines`` and ``trades`` write.

        Trades need the columns ``price``, ``size`` (or ``qty``: contracts counted in their coin) and ``side`` (or
        ``is_buyer_maker``). Candles need ``open``, ``high``, ``low``, ``close`` and ``volume`` (also with ``_price``
        behind the first four); each becomes four trades of a quarter of its volume, at its beginning and after each
        quarter: open, then low and high (a rising candle) or high and low, then close. The time is ``ms``, ``time``,
        ``timestamp`` or ``open_time``: seconds, milliseconds or ISO 8601 (UTC when it does not say).

        Args:
            path: The file.
            symbol: Whose rows they are, where no column ``symbol`` says so.
            step: The length of a candle in seconds; None: the shortest distance between two of them.

        Raises:
            OSError: The file cannot be read.
            TapeError: A column or the symbol is missing, or a row makes no sense.
        """
        with Path(path).open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        if not rows:
            raise TapeError("there is nothing in the file")
        columns = set(rows[0])
        if "price" in columns:
            return cls([_csv_trade(row, symbol, f"row {number}") for number, row in enumerate(rows, 1)])
        if not ({"open", "open_price"} & columns and {"close", "close_price"} & columns):
            raise TapeError("the columns are neither those of trades nor those of candles")
        return cls(list(_candle_trades(rows, symbol, step)))

    @classmethod
    @contextmanager
    def record(
        cls, venue: HasExchange, *, symbols: Iterable[str] | None = None, levels: int = 0
    ) -> Generator[Recorder, None, None]:
        """Write down what happens on an open exchange while the block lasts.

        Args:
            venue: The exchange.
            symbols: What to record; None for everything.
            levels: How many levels a side of each book to keep, after every tick that changed it; 0: trades only.
        """
        recorder = Recorder(venue.exchange, symbols, levels)
        try:
            yield recorder
        finally:
            recorder.stop()


class Recorder:
    """What `Tape.record` has written down so far."""

    def __init__(self, exchange: Exchange, symbols: Iterable[str] | None, levels: int) -> None:
        self._exchange = exchange
        listed = [*exchange.spot.markets, *exchange.futures.listings]
        self._symbols = listed if symbols is None else list(symbols)
        self._levels = levels
        self._moments: list[Moment] = []
        self._versions: dict[str, int] = {}
        self._stops = [exchange.log.watch(self._heard), exchange.after_tick(self._looked)]

    @property
    def tape(self) -> Tape:
        """The tape up to now.

        Raises:
            TapeError: Nothing has happened yet.
        """
        return Tape(self._moments)

    def stop(self) -> None:
        """Record no more; done at the end of the block."""
        for stop in self._stops:
            stop()
        self._stops = []

    def _heard(self, event: Event) -> None:
        if event["kind"] == "match" and event["symbol"] in self._symbols:
            self._moments.append(_moment(event, "the event log"))

    def _looked(self, now_ms: int) -> None:
        if not self._levels:
            return
        exchange = self._exchange
        for symbol in self._symbols:
            book = (exchange.spot.markets.get(symbol) or exchange.futures.listings[symbol]).book
            if self._versions.get(symbol) != book.version:
                self._versions[symbol] = book.version
                bids, asks = book.levels("buy", self._levels), book.levels("sell", self._levels)
                self._moments.append(TapeBook(now_ms, symbol, tuple(bids), tuple(asks)))


class Player:
    """A tape that runs on an exchange, by the hands of the scripts."""

    def __init__(self, exchange: Exchange, tape: Tape, market: MarketScript, book: BookScript) -> None:
        listed = {*exchange.spot.markets, *exchange.futures.listings}
        missing = [symbol for symbol in tape.symbols if symbol not in listed]
        if missing:
            raise TapeError(f"the tape has {', '.join(missing)}, the exchange has not")
        self._spot = exchange.spot
        self._futures = exchange.futures
        self._flow = exchange.flow
        self._market = market
        self._book = book
        self._tape = tape
        self._shift = exchange.clock.start - tape.start_ms
        self._next = 0
        self._booked = {moment.symbol for moment in tape.moments if isinstance(moment, TapeBook)}
        self._ladders: dict[str, tuple[Decimal, int]] = {}
        """Price and age (in times traded on) of the invented books."""
        spot = {pair.base for pair in (market.pair for market in exchange.spot.markets.values())}
        self._leads = {
            symbol: coin
            for symbol in tape.symbols
            if "_" in symbol or _coin(exchange, symbol) not in spot
            for coin in (_coin(exchange, symbol),)
        }
        """The symbols whose trades are the price of a coin: the pair's before the contract's."""
        first = {moment.symbol: moment for moment in reversed(tape.moments) if isinstance(moment, TapeTrade)}
        for symbol, moment in first.items():
            market.price(symbol, moment.price)
            self._ladder(symbol, moment.price)

    @property
    def next_ms(self) -> int | None:
        """When something happens next; None when the tape has run out."""
        moments = self._tape.moments
        return None if self._next >= len(moments) else moments[self._next].ms + self._shift

    def play(self, now_ms: int) -> None:
        """Let happen what is due."""
        moments = self._tape.moments
        while self._next < len(moments) and moments[self._next].ms + self._shift <= now_ms:
            moment = moments[self._next]
            self._next += 1
            if isinstance(moment, TapeBook):
                self._show(moment)
            else:
                self._trade(moment)

    def _trade(self, moment: TapeTrade) -> None:
        self._market.show(moment.symbol, moment.price, moment.size, moment.side)
        coin = self._leads.get(moment.symbol)
        if coin is not None:
            market = self._spot.markets.get(moment.symbol)
            quote = "USDT" if market is None else market.pair.quote
            self._market.pin(coin, moment.price * self._flow.price(quote))
        self._ladder(moment.symbol, moment.price)

    def _show(self, moment: TapeBook) -> None:
        sides: dict[Side, dict[Decimal, Decimal]] = {}
        if moment.bids is not None:
            sides["buy"] = dict(moment.bids)
        if moment.asks is not None:
            sides["sell"] = dict(moment.asks)
        self._book.put(moment.symbol, sides)

    def _ladder(self, symbol: str, price: Decimal) -> None:
        """Invent a book around a price, unless the tape has one or it stands there already."""
        if symbol in self._booked:
            return
        market = self._spot.markets.get(symbol)
        if market is not None:
            book, spacing, size = market.book, market.pair.spacing, sum(market.pair.lots) // 4 * market.pair.lot
        else:
            listing = self._futures.listings[symbol]
            book, spacing, size = listing.book, listing.contract.tick, Decimal(500)
        if self._ladders.get(symbol) == (price, book.takes):
            return
        steps = range(1, LADDER + 1)
        self._book.put(
            symbol,
            {
                "buy": {price - step * spacing: size for step in steps if price > step * spacing},
                "sell": {price + step * spacing: size for step in steps},
            },
        )
        self._ladders[symbol] = (price, book.takes)


def _coin(exchange: Exchange, symbol: str) -> str:
    market = exchange.spot.markets.get(symbol)
    return exchange.futures.listings[symbol].contract.base if market is None else market.pair.base


def _numbers(moment: Moment) -> Iterator[tuple[Decimal, Decimal]]:
    if isinstance(moment, TapeTrade):
        yield moment.price, moment.size
    else:
        yield from moment.bids or ()
        yield from moment.asks or ()


def _step(numbers: Iterable[Decimal]) -> Decimal:
    """The power of ten that all of them are multiples of, at most 1."""
    places = 0
    for number in numbers:
        exponent = number.normalize().as_tuple().exponent
        places = max(places, -exponent if isinstance(exponent, int) else 0)
    return Decimal(1).scaleb(-places)


def _line(moment: Moment) -> Event:
    if isinstance(moment, TapeTrade):
        return {
            "ms": moment.ms,
            "symbol": moment.symbol,
            "price": moment.price,
            "size": moment.size,
            "side": moment.side,
        }
    line: Event = {"ms": moment.ms, "symbol": moment.symbol}
    for name, levels in (("bids", moment.bids), ("asks", moment.asks)):
        if levels is not None:
            rows: list[Json] = [[price, size] for price, size in levels]
            line[name] = rows
    return line


def _moment(event: Mapping[str, object], where: str) -> Moment:
    try:
        ms, symbol = event["ms"], event["symbol"]
        if not isinstance(ms, int) or not isinstance(symbol, str):
            raise TapeError(f"{where}: ms is a whole number and symbol a text")
        _check_name(symbol)
        if "price" not in event:
            bids, asks = (_levels(event.get(name)) for name in ("bids", "asks"))
            if bids is None and asks is None:
                raise TapeError(f"{where} is neither a trade nor a book")
            return TapeBook(ms, symbol, bids, asks)
        price, size = exact(event["price"], "price"), exact(event["size"], "size")
        return TapeTrade(ms, symbol, price, size, _side(event["side"]))
    except KeyError as error:
        raise TapeError(f"{where} has no {error.args[0]}") from None
    except TapeError:
        raise
    except (TypeError, ValueError) as error:
        raise TapeError(f"{where}: {error}") from None


@cache
def _check_name(symbol: str) -> None:
    read_symbols([symbol])


def _levels(value: object) -> tuple[tuple[Decimal, Decimal], ...] | None:
    if value is None:
        return None
    if not isinstance(value, list | tuple):
        raise TapeError("a side of a book is a list of [price, size]")
    levels: list[tuple[Decimal, Decimal]] = []
    for level in cast("list[object]", value):
        if not isinstance(level, list | tuple) or len(cast("list[object]", level)) != 2:
            raise TapeError("a level is [price, size]")
        price, size = cast("list[object]", level)
        levels.append((exact(price, "price"), exact(size, "size")))
    return tuple(levels)


def _side(value: object) -> Side:
    if value == "buy":
        return "buy"
    if value == "sell":
        return "sell"
    raise ValueError(f"side is buy or sell, not {value!r}")


# -- CSV -------------------------------------------------------------------------------------------


def _csv_trade(row: Mapping[str, str], symbol: str | None, where: str) -> TapeTrade:
    name = row.get("symbol") or symbol
    if name is None:
        raise TapeError(f"{where} names no symbol; give one")
    side = row.get("side")
    if side is None and "is_buyer_maker" in row:
        side = "sell" if row["is_buyer_maker"].lower() in ("true", "1") else "buy"
    size = row.get("size")
    if size is None and "qty" in row:
        size = _contracts(name, row["qty"])
    moment = _moment(
        {"ms": _csv_time(row, where), "symbol": name, "price": row["price"], "size": size or "", "side": side}, where
    )
    assert isinstance(moment, TapeTrade), "a row with a price is a trade"
    return moment


def _contracts(symbol: str, quantity: str) -> str:
    """An amount of the base currency in whole contracts; on spot it is the size itself."""
    terms = read_symbols([symbol]).contracts
    if not terms or terms[0].inverse:
        return quantity
    return str(max(1, round(exact(quantity, "quantity") / terms[0].contract_size)))


def _candle_trades(rows: list[dict[str, str]], symbol: str | None, step: int | None) -> Iterator[TapeTrade]:
    times = [_csv_time(row, f"row {number}") for number, row in enumerate(rows, 1)]
    apart = sorted({later - earlier for earlier, later in zip(sorted(times), sorted(times)[1:], strict=False)} - {0})
    length = step * 1000 if step else apart[0] if apart else 60_000
    for number, (ms, row) in enumerate(zip(times, rows, strict=True), 1):
        name = row.get("symbol") or symbol
        if name is None:
            raise TapeError(f"row {number} names no symbol; give one")
        texts = [row.get(word) or row.get(f"{word}_price") or "" for word in ("open", "high", "low", "close")]
        volume = read_decimal(row.get("volume") or "0")
        if volume <= 0:
            continue
        opened, high, low, closed = (exact(text, "price") for text in texts)
        rising = closed >= opened
        middle = (low, high) if rising else (high, low)
        for quarter, (price, size) in enumerate(
            zip((opened, *middle, closed), _quarters(volume, "_" not in name), strict=True)
        ):
            if size:
                # The last one still belongs to its own candle.
                at = ms + min(quarter * length // 4, length - 1)
                yield TapeTrade(at, name, price, size, "buy" if rising else "sell")


def _quarters(volume: Decimal, whole: bool) -> tuple[Decimal, Decimal, Decimal, Decimal]:
    """Four parts that add up to a volume, on its own grid; the first three may be nothing."""
    grid = Decimal(1) if whole else Decimal(1).scaleb(min(0, cast("int", volume.as_tuple().exponent)))
    part = (volume / 4 // grid) * grid
    return part, part, part, volume - 3 * part


def _csv_time(row: Mapping[str, str], where: str) -> int:
    text = next((row[name] for name in ("ms", "time", "timestamp", "open_time") if row.get(name)), None)
    if text is None:
        raise TapeError(f"{where} has no time")
    try:
        number = read_decimal(text)
    except NumberError:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise TapeError(f"{where}: no time: {text!r}") from None
        return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    return int(number * 1000 if number < _SECONDS_BELOW else number)
