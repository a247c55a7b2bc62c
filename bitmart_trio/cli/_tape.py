"""The commands below ``tape`` and their options, as typer sees them; ``tape.py`` does what they say."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

from . import _complete, _history
from ._help import PlainGroup
from ._options import JsonOption, examples
from ._run import told

tape: typer.Typer = typer.Typer(
    name="tape",
    cls=PlainGroup,
    help="Make markets for the simulated exchange out of recorded data: trades, candles, books.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

FormatName: TypeAlias = Literal[
    "auto",
    "binance-trades",
    "binance-aggtrades",
    "binance-klines",
    "tardis-trades",
    "tardis-incremental",
    "tardis-snapshot",
    "ccxt-ohlcv",
    "own-trades",
    "own-klines",
]


@tape.command(
    "import",
    epilog=examples(
        "tape import BTCUSDT-aggTrades-2026-03-01.zip --symbol BTC_USDT --out day.jsonl.gz",
        "tape import candles.csv --symbol BTC_USDT --seed 7 --trades 20 --out day.jsonl",
        "tape import trades.csv.gz book.csv.gz --symbol BTCUSDT --out day.jsonl.gz",
        "tape import btc.jsonl eth.jsonl --out both.jsonl",
    ),
)
def import_tape(
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="Tables, plain or packed, or tapes; several become one tape."),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="TAPE", help="The new tape; gzipped if it is called .gz.")],
    symbol: Annotated[
        str | None,
        typer.Option(
            metavar="SYMBOL",
            help="What the market is called here: BTC_USDT as a pair, BTCUSDT as a contract.",
            autocompletion=_complete.symbols,
        ),
    ] = None,
    format: Annotated[
        FormatName, typer.Option(metavar="NAME", help="How a table is laid out; seen from the table when left out.")
    ] = "auto",
    only: Annotated[
        str | None, typer.Option(metavar="NAME", help="The market's name in the table, if it has several.")
    ] = None,
    unit: Annotated[
        Literal["base", "contracts"] | None,
        typer.Option(metavar="base|contracts", help="What sizes are counted in, if it is not what such tables do."),
    ] = None,
    step: Annotated[
        str | None,
        typer.Option(metavar="1m|5m|15m|1h|4h|1d|1w|...", help="Length of a candle; their distance when left out."),
    ] = None,
    seed: Annotated[
        int, typer.Option(metavar="N", help="Of candles: draws whether low or high comes first, for each.")
    ] = 0,
    trades: Annotated[
        int, typer.Option(metavar="N", min=4, max=1000, help="Of candles: how many trades each becomes.")
    ] = 4,
    levels: Annotated[
        int, typer.Option(metavar="N", min=1, max=1000, help="Of books: how many levels of each side are kept.")
    ] = 20,
    every: Annotated[
        float, typer.Option(metavar="SECONDS", min=0, max=3600, help="Of books: how far apart two are at least.")
    ] = 0.1,
) -> None:
    """Make a tape of recorded trades, candles or books, for `sim --tape` and for programs.

    It reads dumps of Binance's (trades, aggTrades, klines) and Tardis' (trades, incremental_book_L2, book_snapshot),
    OHLCV tables as of ccxt, and what `klines` and `trades` write. A candle becomes a path from its open over low and
    high, in a drawn order, to its close, that sums up to its volume.
    """
    from .tape import Import

    length = None if step is None else _history.minutes(step) * 60
    wanted = Import(
        sources=sources, out=out, symbol=symbol, format=format, only=only, unit=unit, step=length, seed=seed,
        trades=trades, levels=levels, every=every,
    )  # fmt: skip
    with told():
        wanted.run()


@tape.command("info", epilog=examples("tape info day.jsonl.gz", "tape info sim.jsonl --json"))
def show_tape(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A tape, or the event log of an exchange.")],
    json: JsonOption = False,
) -> None:
    """Show what is on a tape: symbols, times, prices, volumes, gaps."""
    from .tape import show

    with told():
        show(file, json)
