"""Declare the commands and their options. A module of its own, loaded on demand, implements each command."""

from __future__ import annotations

import sys
from contextlib import suppress
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias

import typer

from .._version import __version__
from . import _archive, _certify, _complete, _history, _options, _tape
from ._help import PlainGroup
from ._history import DecimalsOption, FromOption, ResumeOption, ToOption
from ._options import EnvOption, JsonOption, ProfileOption, YesOption, examples
from ._run import EXIT_CODES, exiting_on_failure, run

if TYPE_CHECKING:
    from rich.console import Console

    from ..config import Market
    from .account import What


app: typer.Typer = typer.Typer(
    name="bitmart-trio",
    cls=PlainGroup,
    help="A Trio client for BitMart, and a simulated exchange.",
    epilog="\n\n".join(
        (
            examples("archive", "demo", "book BTC_USDT", "call spot.market.ticker symbol=BTC_USDT", "doctor"),
            EXIT_CODES,
            "A key is read from BITMART_API_KEY, BITMART_API_SECRET and BITMART_API_MEMO, or from a --profile.",
            "NO_COLOR=1 turns colours off.",
        )
    ),
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,  # a traceback is for a bug report, and its frames may hold a key
)
order: typer.Typer = typer.Typer(
    name="order",
    cls=PlainGroup,
    help="Place or cancel one order. Asks before it sends anything to an exchange with real money.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
key: typer.Typer = typer.Typer(
    name="key",
    cls=PlainGroup,
    help="Keep API keys in the desktop's keyring (extra: keyring).",
    no_args_is_help=True,
    rich_markup_mode="rich",
)
app.add_typer(order)
app.add_typer(key)
app.add_typer(_archive.archive)
app.add_typer(_tape.tape)
app.command(
    epilog=examples(
        "certify bot.py:main --seeds 50 --out report",
        "certify bot.py:main --days network,kill --minutes 5",
        "certify bot.py:main --replay 17 --trace",
    )
)(_certify.certify)

SeedOption: TypeAlias = Annotated[
    int, typer.Option(metavar="N", help="The seed of the synthetic market: the same seed gives the same market.")
]
SymbolArgument: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="SYMBOL", help="BTC_USDT is a spot pair, BTCUSDT a contract.", autocompletion=_complete.symbols
    ),
]
SomeSymbol: TypeAlias = Annotated[
    str | None,
    typer.Argument(metavar="[SYMBOL]", help="Show only this pair or contract.", autocompletion=_complete.symbols),
]
OnceOption: TypeAlias = Annotated[bool, typer.Option("--once", help="Print the list once and exit.")]
FollowOption: TypeAlias = Annotated[
    bool, typer.Option("--follow", help="With --json: continue with a line for each change of the account.")
]
LimitOption: TypeAlias = Annotated[int | None, typer.Option(metavar="N", min=1, help="Stop after so many messages.")]


MarketName: TypeAlias = Literal["spot", "futures"]
OrderType: TypeAlias = Literal["limit", "market", "limit_maker", "ioc"]
MarketOption: TypeAlias = Annotated[
    MarketName | None, typer.Option(metavar="spot|futures", help="Show only this market; both if left out.")
]


def _version(wanted: bool) -> None:
    if wanted:
        print(f"bitmart-trio {__version__}")
        raise typer.Exit


def _terminal(json: bool) -> Console | None:
    """Return the console for views; None if standard output is not a terminal, or JSON is wanted."""
    if json or not sys.stdout.isatty():
        return None
    from rich.console import Console

    console = Console()
    return None if console.is_dumb_terminal else console


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Declare the options of all commands."""


@app.command(epilog=examples("demo --seconds 10"))
def demo(
    seconds: Annotated[float, typer.Option(metavar="N", min=1, max=3600, help="The duration of the tour.")] = 15,
    seed: SeedOption = 7,
) -> None:
    """Take a tour: streams of a simulated exchange, one order placed and cancelled, one filled. No key, no network."""
    from rich.console import Console

    from .demo import Demo

    run(Demo(seconds, seed, Console()).run)


@app.command(
    epilog=examples(
        "watch spot/trade:BTC_USDT spot/ticker:BTC_USDT",
        "watch futures/ticker",
        "watch futures/order --env demo --profile mine",
        "watch spot/trade:BTC_USDT --limit 100 > trades.jsonl",
    )
)
def watch(
    topics: Annotated[
        list[str],
        typer.Argument(
            metavar="TOPIC...",
            help="Such as spot/trade:BTC_USDT or futures/ticker.",
            autocompletion=_complete.topics,
        ),
    ],
    env: EnvOption = None,
    profile: ProfileOption = None,
    limit: LimitOption = None,
    json: JsonOption = False,
) -> None:
    """Show the messages of topics until interrupted: live tables in a terminal, else one JSON object per line.

    Where messages are missing, a line has "gap" in place of "data".
    """
    from .watch import TopicView

    environment = _options.environment(env)
    run(lambda: TopicView(topics, limit, _terminal(json)).run(_options.credentials(profile, environment), environment))


@app.command(epilog=examples("book BTC_USDT", "book BTCUSDT --levels 10", "book BTC_USDT --limit 1 --json"))
def book(
    symbol: SymbolArgument,
    env: EnvOption = None,
    profile: ProfileOption = None,
    levels: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, max=100, help="Levels per side; by default as many as fit, or 20 in JSON."),
    ] = None,
    limit: LimitOption = None,
    json: JsonOption = False,
) -> None:
    """Show a live order book until interrupted; prices that may be stale are never shown.

    In JSON, a line without prices, whose state is not "live", says that the prices before it are stale.
    """
    from .book import Book

    environment = _options.environment(env)
    run(
        lambda: Book(symbol, levels, limit, _terminal(json)).run(
            _options.credentials(profile, environment), environment
        )
    )


@app.command(
    epilog=examples(
        "call spot.market.klines symbol=BTC_USDT step=60 limit=5",
        "call spot.account.spot_balances --json",
        "call futures --list",
        "call spot.market.klines --list",
    )
)
def call(
    name: Annotated[
        str | None,
        typer.Argument(metavar="GROUP.METHOD", help="Such as spot.market.ticker.", autocompletion=_complete.endpoints),
    ] = None,
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEY=VALUE...", help="The method's arguments.", autocompletion=_complete.arguments),
    ] = None,
    env: EnvOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
    yes: YesOption = False,
    list_all: Annotated[
        bool,
        typer.Option(
            "--list",
            help="List the endpoints whose names begin so, else those with the text in name, path or arguments; "
            "for a single one, its arguments.",
        ),
    ] = False,
) -> None:
    """Make one REST call and print its result. Asks before a call that changes something where money is real."""
    from . import call as calls

    if list_all:
        calls.print_all(name or "")
        return
    if name is None:
        raise typer.BadParameter("missing; --list shows all endpoints", param_hint="GROUP.METHOD")
    endpoint = calls.find(name)
    given = calls.arguments(endpoint, words or [])
    environment = _options.environment(env)
    if not endpoint.reads:
        with exiting_on_failure():
            calls.check(endpoint, given)
            _options.confirm(f"{name} {' '.join(words or [])}", environment, yes)
    run(lambda: calls.call(name, endpoint, given, _options.credentials(profile, environment), environment, json))


def _account(
    what: What,
    env: str | None,
    profile: str | None,
    *,
    market: MarketName | None = None,
    symbol: str | None = None,
    empty: bool = False,
    json: bool,
    once: bool,
    follow: bool,
) -> None:
    from .account import Account, Wanted

    markets: tuple[Market, ...] = ()
    if market is not None:
        markets = (market,)
    elif symbol is not None:
        markets = (_options.market_of(symbol),)
    console = _terminal(json)
    wanted = Wanted(what, markets, symbol, empty)
    goes_on = not once and (console is not None or follow)
    environment = _options.environment(env)
    run(lambda: Account(wanted, console, follow=goes_on).run(_options.credentials(profile, environment), environment))


@app.command(epilog=examples("orders", "orders BTC_USDT --once", "orders --json"))
def orders(
    symbol: SomeSymbol = None,
    env: EnvOption = None,
    profile: ProfileOption = None,
    market: MarketOption = None,
    json: JsonOption = False,
    once: OnceOption = False,
    follow: FollowOption = False,
) -> None:
    """Show the open orders, live in a terminal until interrupted, else once."""
    _account("orders", env, profile, market=market, symbol=symbol, json=json, once=once, follow=follow)


@app.command(epilog=examples("balances", "balances --market spot --all --once", "balances --json"))
def balances(
    env: EnvOption = None,
    profile: ProfileOption = None,
    market: MarketOption = None,
    empty: Annotated[bool, typer.Option("--all", help="Include currencies with a zero balance.")] = False,
    json: JsonOption = False,
    once: OnceOption = False,
    follow: FollowOption = False,
) -> None:
    """Show the spot and futures balances, live in a terminal until interrupted, else once."""
    _account("balances", env, profile, market=market, empty=empty, json=json, once=once, follow=follow)


@app.command(epilog=examples("positions", "positions BTCUSDT --once", "positions --json --follow"))
def positions(
    symbol: SomeSymbol = None,
    env: EnvOption = None,
    profile: ProfileOption = None,
    json: JsonOption = False,
    once: OnceOption = False,
    follow: FollowOption = False,
) -> None:
    """Show the open futures positions, live in a terminal until interrupted, else once."""
    _account("positions", env, profile, market="futures", symbol=symbol, json=json, once=once, follow=follow)


def _amount(text: str | None, option: str) -> Decimal | None:
    if text is None:
        return None
    from ..models._numbers import exact, excerpt  # help needs no models

    with suppress(ValueError):
        amount = exact(text)
        if amount > 0:
            return amount
    raise typer.BadParameter(f"{excerpt(text)} is not an amount above 0", param_hint=option)


@order.command(
    epilog=examples(
        "order submit BTC_USDT buy --size 0.001 --price 30000",
        "order submit BTC_USDT buy --type market --notional 50",
        "order submit BTCUSDT sell --size 3 --price 70000 --leverage 5 --margin-mode isolated",
    )
)
def submit(
    symbol: SymbolArgument,
    side: Annotated[Literal["buy", "sell"], typer.Argument(metavar="buy|sell", help="Which way.")],
    size: Annotated[str | None, typer.Option(metavar="SIZE", help="Base units on spot, contracts on futures.")] = None,
    price: Annotated[str | None, typer.Option(metavar="PRICE", help="The limit price; not for market orders.")] = None,
    notional: Annotated[
        str | None,
        typer.Option(metavar="AMOUNT", help="Quote units to spend, instead of a size, for a spot market buy."),
    ] = None,
    type: Annotated[
        OrderType, typer.Option(metavar="limit|market|limit_maker|ioc", help="limit_maker and ioc are for spot.")
    ] = "limit",
    leverage: Annotated[str | None, typer.Option(metavar="N", help="The position's; futures only.")] = None,
    margin_mode: Annotated[
        Literal["cross", "isolated"] | None,
        typer.Option(metavar="cross|isolated", help="The position's; futures only."),
    ] = None,
    reduce: Annotated[bool, typer.Option("--reduce", help="Only reduce a position; futures only.")] = False,
    client_order_id: Annotated[
        str | None, typer.Option(metavar="ID", help="Your own id; generated if left out.")
    ] = None,
    env: EnvOption = None,
    profile: ProfileOption = None,
    yes: YesOption = False,
    json: JsonOption = False,
) -> None:
    """Check an order against the market's rules and place it. If its outcome is unknown, the exit code is 3."""
    from . import order as orders_

    wanted = orders_.NewOrder(
        symbol=symbol,
        side=side,
        type=type,
        size=_amount(size, "--size"),
        price=_amount(price, "--price"),
        notional=_amount(notional, "--notional"),
        client_order_id=client_order_id,
        leverage=_amount(leverage, "--leverage"),
        margin_mode=margin_mode,
        reduce=reduce,
    )
    environment = _options.environment(env)
    with exiting_on_failure():
        wanted.check()
        _options.confirm(str(wanted), environment, yes)
    run(lambda: orders_.submit(wanted, _options.credentials(profile, environment), environment, json))


@order.command(
    epilog=examples(
        "order cancel BTC_USDT 123456789", "order cancel BTCUSDT --client-order-id mine1", "order cancel BTC_USDT --all"
    )
)
def cancel(
    symbol: SymbolArgument,
    order_id: Annotated[
        str | None, typer.Argument(metavar="[ORDER_ID]", help="The exchange's id of the order.")
    ] = None,
    client_order_id: Annotated[str | None, typer.Option(metavar="ID", help="Your own id, instead of ORDER_ID.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Cancel every open order of the symbol.")] = False,
    env: EnvOption = None,
    profile: ProfileOption = None,
    yes: YesOption = False,
    json: JsonOption = False,
) -> None:
    """Cancel an order, or all open orders of a symbol."""
    from . import order as orders_

    which = orders_.Cancel(symbol=symbol, order_id=order_id, client_order_id=client_order_id, all=every)
    environment = _options.environment(env)
    with exiting_on_failure():
        which.check()
        _options.confirm(str(which), environment, yes)
    run(lambda: orders_.cancel(which, _options.credentials(profile, environment), environment, json))


@app.command(epilog=examples("doctor", "doctor --env demo --profile mine", "doctor --json"))
def doctor(
    env: EnvOption = None,
    profile: ProfileOption = None,
    samples: Annotated[int, typer.Option(metavar="N", min=1, max=1000, help="Round trips to measure per market.")] = 20,
    json: JsonOption = False,
) -> None:
    """Check clock, connection, sockets and key. The exit code is 1 if a check fails."""
    from rich.console import Console

    from .doctor import Doctor

    environment = _options.environment(env)
    console = None if json else Console()
    run(lambda: Doctor(samples, console).run(_options.credentials(profile, environment), environment))


@app.command(
    epilog=examples(
        "sim --port 8765 --seed 7",
        "sim --fault LoseReply:/spot/v2/submit_order",
        "sim --symbol SOL_USDT --log sim.jsonl",
        "sim --tape day.jsonl.gz",
    )
)
def sim(
    port: Annotated[int, typer.Option(metavar="N", min=0, max=65535, help="0 takes a free port.")] = 8765,
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="The address to listen on: anyone who can reach it may trade there, with play money.",
        ),
    ] = "127.0.0.1",
    seed: SeedOption = 0,
    fault: Annotated[
        list[str] | None,
        typer.Option(metavar="FAULT", help="Inject a fault: LoseReply:/spot/v2/submit_order, LatePong:seconds=30, ..."),
    ] = None,
    symbol: Annotated[
        list[str] | None,
        typer.Option(metavar="SYMBOL", help="List this pair or contract; may be repeated. By default six usual ones."),
    ] = None,
    tape: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Play recorded data: a tape, an event log, or a table that `tape import` reads, for the --symbol.",
        ),
    ] = None,
    tick: Annotated[
        float,
        typer.Option(metavar="SECONDS", min=0.01, max=60, help="The time between two market moves; longer costs less."),
    ] = 0.1,
    hold: Annotated[bool, typer.Option("--hold", help="Stop the clock; /sim/clock steps it.")] = False,
    log: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write every event to this new file, one JSON object per line.")
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Allow browsers to reach it by this host name, and pages of this host to call it."
        ),
    ] = None,
    venue: Annotated[
        Literal["bitmart", "generic"], typer.Option(help="The protocol to speak: BitMart's, or a plain generic one.")
    ] = "bitmart",
    fees: Annotated[
        str | None, typer.Option(metavar="MODEL", help="Fees: recorded, zero, tiered, bought, or MAKER:TAKER.")
    ] = None,
    fills: Annotated[
        str | None, typer.Option(metavar="MODEL", help="When resting orders fill: first, queue, chance:0.5.")
    ] = None,
    latency: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Latency inside the exchange: none, fixed:50ms, jitter:20ms-80ms."),
    ] = None,
    funding: Annotated[
        str | None, typer.Option(metavar="MODEL", help="Funding rates: reverting, none, constant:0.0001.")
    ] = None,
    margin: Annotated[
        str | None, typer.Option(metavar="MODEL", help="Maintenance margin of positions: tiers, flat:0.005.")
    ] = None,
) -> None:
    """Run the simulated exchange as a server. Its key is sim-key, its secret sim-secret, its memo sim-memo."""
    from ..sim import FaultError, TapeError, parse_fault
    from .sim import Wishes, played, read_models, serve

    models = read_models(fees=fees, fills=fills, latency=latency, funding=funding, margin=margin)
    try:
        faults = [parse_fault(text) for text in fault or []]
    except FaultError as error:
        raise typer.BadParameter(str(error), param_hint="--fault") from None
    try:
        market, symbols = (None, symbol or None) if tape is None else played(tape, symbol or [])
    except (OSError, TapeError) as error:
        raise typer.BadParameter(str(error), param_hint="--tape") from None
    try:
        wishes = Wishes(
            host=host, port=port, seed=seed, faults=faults, symbols=symbols, tape=market, tick=tick, hold=hold,
            log=log, allow_hosts=allow_host or [], models=models, venue=venue,
        )  # fmt: skip
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--symbol") from None
    run(partial(serve, wishes))


_OUT: Final = typer.Option(
    "--out", metavar="FILE", help="A file that ends in .csv, .jsonl or .parquet (extra: parquet)."
)
OutFile: TypeAlias = Annotated[Path, _OUT]


@app.command(
    epilog=examples(
        "klines BTC_USDT --step 1h --from 2025-01-01 --out btc.csv",
        "klines BTC_USDT --step 15m --plot",
        "klines BTC_USDT --step 1d --from 2025-01-01 --png btc.png --html btc.html",
        "klines BTCUSDT --mark --from 2026-01-01 --to 2026-02-01 --out mark.parquet",
        "klines BTC_USDT --from 2025-01-01 --out btc.csv --resume",
    )
)
def klines(
    symbol: SymbolArgument,
    out: Annotated[Path | None, _OUT] = None,
    plot: Annotated[
        bool,
        typer.Option("--plot", help="Draw in the terminal instead (extra: plot); without --from the latest klines."),
    ] = False,
    png: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw a PNG picture (extra: plot).")] = None,
    html: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw a zoomable page that needs no network (extra: plot)."),
    ] = None,
    since: FromOption = None,
    until: ToOption = None,
    step: Annotated[str, typer.Option(metavar="1m|5m|15m|1h|4h|1d|1w|...", help="Length of a kline.")] = "1m",
    mark: Annotated[bool, typer.Option("--mark", help="Read klines of the mark price; contracts only.")] = False,
    resume: ResumeOption = False,
    decimals: DecimalsOption = "exact",
    env: EnvOption = None,
) -> None:
    """Write the finished klines of a symbol to a file, or draw them.

    With --resume, a finished CSV or JSON lines file is extended.
    """
    from .. import open_client
    from .export import Export
    from .plot import Plot

    length = _history.minutes(step)
    begin, end = _history.moment(since, "--from"), _history.moment(until, "--to")
    drawn = plot or png is not None or html is not None
    if drawn == (out is not None):
        wish = "either --out, or any of --plot, --png and --html" if drawn else "--out, --plot, --png or --html"
        raise typer.BadParameter(f"the klines need a destination: give {wish}", param_hint="--out")
    environment = _options.environment(env)

    async def write() -> None:
        async with open_client(environment=environment) as client:
            if out is not None:
                await Export(symbol, begin, end, out, resume, decimals).klines(client, length, mark=mark)

    async def draw() -> None:
        wanted = Plot(symbol, begin, end, length, mark, plot, png, html)
        wanted.check()
        async with open_client(environment=environment) as client:
            chart = await wanted.read(client)
        wanted.show(chart)

    run(draw if drawn else write)


@app.command(
    epilog=examples(
        "trades BTC_USDT --out latest.jsonl",
        "trades BTCUSDT --mine --from 2025-01-01 --out fills.parquet --profile mine",
    )
)
def trades(
    symbol: SymbolArgument,
    out: OutFile,
    mine: Annotated[bool, typer.Option("--mine", help="Write the account's own trades.")] = False,
    since: FromOption = None,
    until: ToOption = None,
    resume: ResumeOption = False,
    decimals: DecimalsOption = "exact",
    env: EnvOption = None,
    profile: ProfileOption = None,
) -> None:
    """Write trades of a symbol to a file: the latest public ones (the exchange lists 50 or 100), or your own."""
    from .. import open_client
    from .export import Export

    wanted = Export(symbol, _history.moment(since, "--from"), _history.moment(until, "--to"), out, resume, decimals)
    environment = _options.environment(env)

    async def write() -> None:
        async with open_client(
            _options.credentials(profile, environment) if mine else None, environment=environment
        ) as client:
            await wanted.trades(client, mine=mine)

    run(write)


NameArgument: TypeAlias = Annotated[str, typer.Argument(metavar="NAME", help="The name for --profile.")]


@key.command("set", epilog=examples("key set mine", "balances --profile mine"))
def set_key(name: NameArgument) -> None:
    """Ask for a key, its secret and its memo, and store them under a name."""
    from . import key as keys

    with exiting_on_failure():
        keys.set_key(name)


@key.command("forget", epilog=examples("key forget mine"))
def forget_key(name: NameArgument) -> None:
    """Remove a key from the keyring."""
    from . import key as keys

    with exiting_on_failure():
        keys.forget_key(name)
