"""Tapes: what once happened on a market, to happen again.

    with Tape.record(exchange) as recorder:                  # or open_exchange(log="run.jsonl"): a log is a tape too
        ...
    recorder.tape.save("morning.jsonl")
    async with open_exchange(market=Tape.load("morning.jsonl")) as exchange: ...
    day = Tape.from_trades("BTCUSDT-trades-2026-03-01.zip", "BTC_USDT")              # or from_candles, from_books

A tape is a list of trades and, if there are any, books. In a file it is one JSON object a line, times in milliseconds
since 1970, prices and sizes as text:

    {"ms":1767225600100,"symbol":"BTC_USDT","price":"60010.50","size":"0.25","side":"buy"}
    {"ms":1767225600100,"symbol":"BTC_USDT","bids":[["60010.00","1.5"]],"asks":[["60010.50","0.75"]]}

Replayed, each trade and each book happens at its time (shifted as a whole if the exchange opens at another one), and
users' orders trade against it: what a trade's price reaches is filled, and orders that take find the tape's book.
Symbols without books on the tape get an invented one, twenty levels around each trade.

A tape from a file is not held in memory. It is gone through once, to see that every line can be read and what is there,
and again when it is played; only a file out of the order of its times is read whole, to be sorted.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from ..exchange import Exchange
from ..kernel.eventlog import Event
from ..kernel.symbols import Symbol
from . import files
from .files import AnyPath
from .moments import Moment, TapeBook, TapeError, TapeTrade, line_of, moment_of, read_line
from .outline import Outline, TapePart
from .public_data.books import Keep
from .public_data.candles import FEWEST
from .public_data.candles import Path as CandlePath
from .public_data.cells import Unit
from .public_data.layouts import Format
from .public_data.source import Source


class HasExchange(Protocol):
    """An open exchange, in process or as a server."""

    exchange: Exchange


class Tape:
    """Trades and books in the order of their times.

    Args:
        moments: At least one; put in order of time, those of one time left as they are.

    Raises:
        TapeError: There is nothing on it.
    """

    def __init__(self, moments: Iterable[Moment]) -> None:
        self._begin(tuple(sorted(moments, key=_ms)).__iter__)

    def __iter__(self) -> Iterator[Moment]:
        """The moments, one after the other, from memory or from the file."""
        return self._source()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Tape):
            return NotImplemented
        return self._outline == other._outline and all(one == two for one, two in zip(self, other, strict=True))

    def __hash__(self) -> int:
        return hash((self.start_ms, self.seconds, len(self)))

    def __len__(self) -> int:
        """Return the number of moments."""
        return self._outline.moments

    def __repr__(self) -> str:
        return f"<Tape of {len(self)} moments of {', '.join(self.symbols)}, {self.seconds:g} s>"

    @property
    def moments(self) -> tuple[Moment, ...]:
        """All moments at once; of a tape in a file, that reads it whole."""
        return tuple(self)

    @property
    def start_ms(self) -> int:
        """The time of the first moment."""
        return self._outline.start_ms

    @property
    def seconds(self) -> float:
        """From the first moment to the last."""
        return (self._outline.end_ms - self._outline.start_ms) / 1000

    @property
    def symbols(self) -> tuple[str, ...]:
        """Whose moments they are, in order of appearance."""
        return tuple(self._outline.parts)

    @property
    def parts(self) -> Mapping[str, TapePart]:
        """Return the content per symbol: counts, times, prices, the longest gap."""
        return MappingProxyType(self._outline.parts)

    def trades(self, symbol: str | None = None) -> list[TapeTrade]:
        """The trades, of one symbol or of all."""
        return [at for at in self if isinstance(at, TapeTrade) and symbol in (None, at.symbol)]

    def rules(self) -> list[Symbol]:
        """The symbols with steps fine enough for what is on the tape, to list on an exchange."""
        return [part.rule() for part in self._outline.parts.values()]

    def save(self, path: AnyPath) -> None:
        """Write the tape to a file, gzipped if it is called ``.gz``.

        The file appears when all is written.

        Raises:
            OSError: The file cannot be written.
        """
        with files.writing(path) as file:
            file.writelines(line_of(moment) for moment in self)

    @classmethod
    def load(cls, path: AnyPath) -> Tape:
        """Read a tape, or an exchange's event log: its matches and books are one.

        Raises:
            OSError: The file cannot be read.
            TapeError: A line is no moment, or there is none.
        """

        def read() -> Iterator[Moment]:
            name = Path(path).name
            for number, line in files.lines(path):
                moment = read_line(line, f"{name}: line {number}")
                if moment is not None:
                    yield moment

        return cls._of_source(read)

    @classmethod
    def of_lines(cls, lines: Iterable[str | bytes]) -> Tape:
        """The tape that these JSON lines are; see `load`.

        Raises:
            TapeError: A line is no moment, or there is none.
        """
        found = (read_line(line, f"line {number}") for number, line in enumerate(lines, 1))
        return cls(moment for moment in found if moment is not None)

    @classmethod
    def read(
        cls,
        path: AnyPath,
        symbol: str | None = None,
        *,
        format: Format = "auto",
        only: str | None = None,
        unit: Unit | None = None,
        step: int | None = None,
        seed: int = 0,
        trades: int = FEWEST,
        levels: int = 20,
        every: float = 0.1,
    ) -> Tape:
        """Read whatever `load`, `from_trades`, `from_candles` or `from_books` can: a look at the file says which.

        Args:
            path: The file; of a tape or an event log, the other arguments say nothing.
            symbol: As for `from_trades`, and so are the next three.
            format: How the file is laid out.
            only: The market's name in the file.
            unit: What sizes are counted in.
            step: As for `from_candles`, and so are the next two.
            seed: What the order of low and high is drawn from.
            trades: How many trades a candle becomes.
            levels: As for `from_books`, and so is the next.
            every: Seconds between two books.

        Raises:
            OSError: The file cannot be read.
            TapeError: It is none of these, or a line makes no sense.
        """
        if format == "auto" and not files.is_table(path):
            return cls.load(path)
        source = Source(
            path=path,
            symbol=symbol,
            only=only,
            format=format,
            unit=unit,
            step=step,
            candle_path=CandlePath(seed, trades),
            keep=Keep(levels, every),
        )
        return cls._of_source(source.moments)

    @classmethod
    def from_trades(
        cls,
        path: AnyPath,
        symbol: str | None = None,
        *,
        format: Format = "auto",
        only: str | None = None,
        unit: Unit | None = None,
    ) -> Tape:
        """Read a table of trades: a dump of Binance's or Tardis', or what ``bitmart-trio trades`` writes.

        A file with the names of its columns is known by them: ``price``; ``size``, ``qty``, ``quantity`` or ``amount``;
        ``side`` or ``is_buyer_maker``; and the time in ``local_timestamp``, ``ms``, ``time``, ``timestamp``,
        ``open_time``, ``transact_time``, ``datetime`` or ``date``: a number of seconds, milli-, micro- or nanoseconds,
        distinguished by its size, or ISO 8601 (UTC when it does not say). Binance's spot files have no names and are
        known by their shape. Where nobody knows who took (Tardis' side ``unknown``), the price decides: up is a buy.

        Text may be gzipped or alone in a zip file; Parquet needs the extra ``parquet``. Dumps name markets in their own
        way, so ``symbol`` says what they are here.

        Args:
            path: The file.
            symbol: The market on the exchange, such as ``BTC_USDT``; None: as the column ``symbol`` says, in files of
                this package.
            format: How the file is laid out; ``auto`` looks at it.
            only: The market's name in the file, where it has several.
            unit: What sizes are counted in. Left out, it is ``base`` but for a column ``size`` of a contract and for
                contracts that are worth dollars. Amounts become whole contracts, at least one; what is left over is
                carried to the next trade.

        Raises:
            OSError: The file cannot be read.
            TapeError: It is laid out in another way, the symbol is missing, or a row makes no sense; with the line.

        Source: https://github.com/binance/binance-public-data (trades, aggTrades) and
        https://docs.tardis.dev/downloadable-csv-files/data-types (trades)
        """
        source = Source(path=path, kinds=("trades",), symbol=symbol, only=only, format=format, unit=unit)
        return cls._of_source(source.moments)

    @classmethod
    def from_candles(
        cls,
        path: AnyPath,
        symbol: str | None = None,
        *,
        format: Format = "auto",
        only: str | None = None,
        unit: Unit | None = None,
        step: int | None = None,
        seed: int = 0,
        trades: int = FEWEST,
    ) -> Tape:
        """Read a table of candles: klines of Binance's, OHLCV of ccxt's, or what ``bitmart-trio klines`` writes.

        Each candle becomes a path of trades from the open to the close, the first at the candle's beginning and the
        last in its last millisecond. It visits low and high in an order that is drawn for each candle from the seed,
        since a candle does not say which came first. The sizes add up to the volume. A candle without volume is no
        trade, and one of fewer than four contracts cannot visit all its prices: its close is kept first, then its open.

        The columns are ``open``, ``high``, ``low``, ``close`` (also with ``_price`` behind) and ``volume``; the time is
        the candle's beginning, spelt as in `from_trades`, and may be the nameless index of a data frame.

        Args:
            path: The file, text or Parquet.
            symbol: As for `from_trades`.
            format: As for `from_trades`.
            only: As for `from_trades`.
            unit: What volumes are counted in, as for `from_trades`.
            step: The length of a candle in seconds; None: the shortest distance of two of them.
            seed: What the order of low and high is drawn from.
            trades: How many trades a candle becomes, at least four; the others lie on the way between the four prices.

        Raises:
            OSError: The file cannot be read.
            TapeError: It is laid out in another way, the symbol is missing, or a row makes no sense; with the line.

        Source: https://github.com/binance/binance-public-data (klines) and https://docs.ccxt.com (OHLCV structure)
        """
        source = Source(
            path=path,
            kinds=("candles",),
            symbol=symbol,
            only=only,
            format=format,
            unit=unit,
            step=step,
            candle_path=CandlePath(seed, trades),
        )
        return cls._of_source(source.moments)

    @classmethod
    def from_books(
        cls,
        path: AnyPath,
        symbol: str | None = None,
        *,
        format: Format = "auto",
        only: str | None = None,
        unit: Unit | None = None,
        levels: int = 20,
        every: float = 0.1,
    ) -> Tape:
        """Read a table of books: whole ones a row (Tardis' ``book_snapshot_N``) or changes (``incremental_book_L2``).

        Changes before the first snapshot of a file are left out, and a new snapshot discards the book that was there,
        as Tardis says. A book whose sides cross, as it can between two messages, is left out. Books alone have no
        trades: put them together with a tape of trades, `merged`.

        Args:
            path: The file.
            symbol: As for `from_trades`.
            format: As for `from_trades`.
            only: As for `from_trades`.
            unit: What amounts are counted in, as for `from_trades`.
            levels: How many of each side are kept.
            every: Seconds that are at least between two books; 0: each that differs.

        Raises:
            OSError: The file cannot be read.
            TapeError: It is laid out in another way, the symbol is missing, or a row makes no sense; with the line.

        Source: https://docs.tardis.dev/downloadable-csv-files/data-types (book_snapshot, incremental_book_L2)
        """
        source = Source(
            path=path,
            kinds=("books", "changes"),
            symbol=symbol,
            only=only,
            format=format,
            unit=unit,
            keep=Keep(levels, every),
        )
        return cls._of_source(source.moments)

    @classmethod
    def merged(cls, *tapes: Tape) -> Tape:
        """Several tapes as one: trades with their books, or the markets of one day.

        Moments of one time are in the order of the tapes.

        Raises:
            TapeError: There is no tape.
        """
        return cls._of_source(lambda: heapq.merge(*tapes, key=_ms))

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

    @classmethod
    def _of_source(cls, source: Callable[[], Iterator[Moment]]) -> Tape:
        """The tape that can be gone through again and again; sorted in memory if it is not in order."""
        tape = cls.__new__(cls)
        tape._begin(source)
        return tape if tape._outline.ordered else cls(source())

    def _begin(self, source: Callable[[], Iterator[Moment]]) -> None:
        self._source = source
        self._outline = Outline.of(source())
        if not self._outline.moments:
            raise TapeError("there is nothing on the tape")


class Recorder:
    """The recording of `Tape.record` so far."""

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
            self._moments.append(moment_of(event, "the event log"))

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


def _ms(moment: Moment) -> int:
    return moment.ms
