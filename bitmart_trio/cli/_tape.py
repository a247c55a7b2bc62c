"""Declare the commands below ``tape`` and their options; ``tape.py`` implements them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import typer

from . import _complete, _history
from ._help import PlainGroup
from ._options import JsonOption, examples
from ._run import exiting_on_failure

tape: typer.Typer = typer.Typer(
    name="tape",
    cls=PlainGroup,
    help="Make markets for the simulated exchange from recorded data: trades, candles, books.",
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
        typer.Argument(metavar="FILE...", help="Tables, plain or compressed, or tapes; several become one tape."),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="TAPE", help="The new tape; gzipped if its name ends in .gz.")],
    symbol: Annotated[
        str | None,
        typer.Option(
            metavar="SYMBOL",
            help="The market's symbol here: BTC_USDT for a pair, BTCUSDT for a contract.",
            autocompletion=_complete.symbols,
        ),
    ] = None,
    format: Annotated[
        FormatName, typer.Option(metavar="NAME", help="The layout of the tables; detected if left out.")
    ] = "auto",
    only: Annotated[
        str | None, typer.Option(metavar="NAME", help="The market's name in the table, if it has several.")
    ] = None,
    unit: Annotated[
        Literal["base", "contracts"] | None,
        typer.Option(metavar="base|contracts", help="The unit of sizes, if not the usual one of such tables."),
    ] = None,
    step: Annotated[
        str | None,
        typer.Option(
            metavar="1m|5m|15m|1h|4h|1d|1w|...", help="Length of a candle; by default the distance between two."
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(metavar="N", help="For candles: draws for each whether its low or its high comes first.")
    ] = 0,
    trades: Annotated[
        int, typer.Option(metavar="N", min=4, max=1000, help="For candles: the number of trades that each becomes.")
    ] = 4,
    levels: Annotated[
        int, typer.Option(metavar="N", min=1, max=1000, help="For books: the number of levels kept per side.")
    ] = 20,
    every: Annotated[
        float, typer.Option(metavar="SECONDS", min=0, max=3600, help="For books: the least time between two.")
    ] = 0.1,
) -> None:
    """Make a tape from recorded trades, candles or books, for `sim --tape` and for programs.

    It reads dumps of Binance (trades, aggTrades, klines) and Tardis (trades, incremental_book_L2, book_snapshot), OHLCV
    tables like those of ccxt, and the files of `klines` and `trades`. A candle becomes a path from its open through its
    low and high, in a drawn order, to its close, with its volume.
    """
    from .tape import Import

    length = None if step is None else _history.minutes(step) * 60
    wanted = Import(
        sources=sources, out=out, symbol=symbol, format=format, only=only, unit=unit, step=length, seed=seed,
        trades=trades, levels=levels, every=every,
    )  # fmt: skip
    with exiting_on_failure():
        wanted.run()


@tape.command("info", epilog=examples("tape info day.jsonl.gz", "tape info sim.jsonl --json"))
def show_tape(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A tape, or the event log of a simulated exchange.")],
    json: JsonOption = False,
) -> None:
    """Show the content of a tape: symbols, times, prices, volumes, gaps."""
    from .tape import show

    with exiting_on_failure():
        show(file, json)
