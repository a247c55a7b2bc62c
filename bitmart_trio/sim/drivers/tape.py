"""Tapes: recorded market events, to be replayed.

    with Tape.record(exchange) as recorder:                  # or open_exchange(log="run.jsonl"): a log is a tape too
        ...
    recorder.tape.save("morning.jsonl")
    async with open_exchange(market=Tape.load("morning.jsonl")) as exchange: ...
    day = Tape.from_trades("BTCUSDT-trades-2026-03-01.zip", "BTC_USDT")              # or from_candles, from_books

A tape is a list of trades and, optionally, books. In a file each is one JSON object per line, with times in
milliseconds since 1970 and with prices and sizes as text:

    {"ms":1767225600100,"symbol":"BTC_USDT","price":"60010.50","size":"0.25","side":"buy"}
    {"ms":1767225600100,"symbol":"BTC_USDT","bids":[["60010.00","1.5"]],"asks":[["60010.50","0.75"]]}

On replay, each trade and each book happens at its time (all are shifted if the exchange opens at another time), and
users' orders trade against them: orders that a trade's price reaches are filled, and takers meet the tape's book.
Symbols without books on the tape get an invented one, twenty levels around each trade.

A tape from a file is not held in memory. It is read once to check every line and to summarise the content, and again on
replay. Only a file whose times are out of order is read as a whole, to be sorted.
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
        moments: at least one; sorted by time, with the order of equal times preserved.

    Raises:
        TapeError: there are no moments.
    """

    def __init__(self, moments: Iterable[Moment]) -> None:
        self._begin(tuple(sorted(moments, key=_ms)).__iter__)

    def __iter__(self) -> Iterator[Moment]:
        """Yield the moments in order, from memory or from the file."""
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
        """Return all moments at once; a tape from a file is then read as a whole."""
        return tuple(self)

    @property
    def start_ms(self) -> int:
        """Return the time of the first moment."""
        return self._outline.start_ms

    @property
    def seconds(self) -> float:
        """Return the seconds from the first moment to the last."""
        return (self._outline.end_ms - self._outline.start_ms) / 1000

    @property
    def symbols(self) -> tuple[str, ...]:
        """Return the symbols, in order of appearance."""
        return tuple(self._outline.parts)

    @property
    def parts(self) -> Mapping[str, TapePart]:
        """Return the content per symbol: counts, times, prices, the longest gap."""
        return MappingProxyType(self._outline.parts)

    def trades(self, symbol: str | None = None) -> list[TapeTrade]:
        """Return the trades, of one symbol or of all."""
        return [at for at in self if isinstance(at, TapeTrade) and symbol in (None, at.symbol)]

    def rules(self) -> list[Symbol]:
        """Return the symbols, with steps fine enough for the tape, to list on an exchange."""
        return [part.rule() for part in self._outline.parts.values()]

    def save(self, path: AnyPath) -> None:
        """Write the tape to a file, gzipped if its name ends in ``.gz``.

        The file appears when it is complete.

        Raises:
            OSError: the file cannot be written.
        """
        with files.writing(path) as file:
            file.writelines(line_of(moment) for moment in self)

    @classmethod
    def load(cls, path: AnyPath) -> Tape:
        """Read a tape, or an exchange's event log, whose matches and books form a tape.

        Raises:
            OSError: the file cannot be read.
            TapeError: a line is invalid, or there are no moments.
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
        """Return the tape that these JSON lines hold; see `load`.

        Raises:
            TapeError: a line is invalid, or there are no moments.
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
        """Read any file that `load`, `from_trades`, `from_candles` or `from_books` can read, by detecting its layout.

        Args:
            path: the file; if it is a tape or an event log, the other arguments are ignored.
            symbol: as for `from_trades`, like the next three.
            format: the layout of the file.
            only: the market's name in the file.
            unit: the unit of sizes.
            step: as for `from_candles`, like the next two.
            seed: the seed of the order of low and high.
            trades: the number of trades per candle.
            levels: as for `from_books`, like the next one.
            every: seconds between two books.

        Raises:
            OSError: the file cannot be read.
            TapeError: the file has none of these layouts, or a line is invalid.
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
        """Read a table of trades: a dump from Binance or Tardis, or a file that ``bitmart-trio trades`` wrote.

        A file with column names is read by these names: ``price``; ``size``, ``qty``, ``quantity`` or ``amount``;
        ``side`` or ``is_buyer_maker``; and the time in ``local_timestamp``, ``ms``, ``time``, ``timestamp``,
        ``open_time``, ``transact_time``, ``datetime`` or ``date``: a number of seconds, milli-, micro- or nanoseconds,
        distinguished by its size, or ISO 8601 (UTC by default). Binance's spot files have no names and are detected by
        their shape. If the taker is unknown (Tardis' side ``unknown``), the price decides: a rise is a buy.

        Text may be gzipped or alone in a zip file; Parquet needs the extra ``parquet``. Dumps use other market names,
        so ``symbol`` gives the name on the exchange.

        Args:
            path: the file.
            symbol: the market on the exchange, such as ``BTC_USDT``; None: taken from the column ``symbol``, in files
                of this package.
            format: the layout of the file; ``auto`` detects it.
            only: the market's name in the file, if the file has several.
            unit: the unit of sizes. By default ``base``, but contracts for a column ``size`` of a contract and for
                contracts that are worth dollars. Amounts become whole contracts, at least one; the remainder is carried
                to the next trade.

        Raises:
            OSError: the file cannot be read.
            TapeError: the layout is unknown, the symbol is missing, or a row is invalid; with the line number.

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
        """Read a table of candles: klines from Binance, OHLCV from ccxt, or a file that ``bitmart-trio klines`` wrote.

        Each candle becomes a path of trades from the open to the close, the first at the candle's beginning and the
        last in its last millisecond. A candle does not say if its low or its high came first, so the order is drawn for
        each candle from the seed. The sizes add up to the volume. A candle without volume gives no trade, and one of
        fewer than four contracts cannot visit all its prices: it keeps its close first, then its open.

        The columns are ``open``, ``high``, ``low``, ``close`` (or with the suffix ``_price``) and ``volume``. The time
        is the candle's beginning, in the formats of `from_trades`, and may be the unnamed index of a data frame.

        Args:
            path: the file, text or Parquet.
            symbol: as for `from_trades`.
            format: as for `from_trades`.
            only: as for `from_trades`.
            unit: the unit of volumes, as for `from_trades`.
            step: the length of a candle in seconds; None: the shortest distance between two candles.
            seed: the seed of the order of low and high.
            trades: the number of trades per candle, at least four; the others lie between the four prices.

        Raises:
            OSError: the file cannot be read.
            TapeError: the layout is unknown, the symbol is missing, or a row is invalid; with the line number.

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
        """Read a table of whole books (Tardis' ``book_snapshot_N``) or of changes (``incremental_book_L2``).

        Changes before the first snapshot of a file are skipped, and a new snapshot discards the previous book, as
        Tardis documents. A crossed book, which can occur between two messages, is skipped. Books alone have no trades:
        combine them with a tape of trades, `merged`.

        Args:
            path: the file.
            symbol: as for `from_trades`.
            format: as for `from_trades`.
            only: as for `from_trades`.
            unit: the unit of amounts, as for `from_trades`.
            levels: the number of levels kept per side.
            every: the least number of seconds between two books; 0: every change.

        Raises:
            OSError: the file cannot be read.
            TapeError: the layout is unknown, the symbol is missing, or a row is invalid; with the line number.

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
        """Return several tapes as one: trades with their books, or the markets of one day.

        Moments of equal times are in the order of the tapes.

        Raises:
            TapeError: no tape is given.
        """
        return cls._of_source(lambda: heapq.merge(*tapes, key=_ms))

    @classmethod
    @contextmanager
    def record(
        cls, venue: HasExchange, *, symbols: Iterable[str] | None = None, levels: int = 0
    ) -> Generator[Recorder, None, None]:
        """Record the events of an open exchange while the block lasts.

        Args:
            venue: the exchange.
            symbols: the symbols to record; None for all.
            levels: the number of levels kept per side of each book, after every tick that changed it; 0: trades only.
        """
        recorder = Recorder(venue.exchange, symbols, levels)
        try:
            yield recorder
        finally:
            recorder.stop()

    @classmethod
    def _of_source(cls, source: Callable[[], Iterator[Moment]]) -> Tape:
        """Return the tape of a source that can be read repeatedly; sorted in memory if it is out of order."""
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
        """Return the tape up to now.

        Raises:
            TapeError: nothing has happened yet.
        """
        return Tape(self._moments)

    def stop(self) -> None:
        """Stop recording, at the end of the block."""
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
