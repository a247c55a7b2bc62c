"""Futures market data: contracts, book, trades, candles, funding, open interest and risk tiers."""

from __future__ import annotations

from decimal import Decimal

import attrs

from ._enums import OpenInt, OpenStr
from ._fields import Millis, Seconds, wire
from ._model import Model
from ._rows import Level


class FuturesKlineStep(OpenInt):
    """Length of a candle in minutes."""

    M1 = 1
    M3 = 3
    M5 = 5
    M15 = 15
    M30 = 30
    H1 = 60
    H2 = 120
    H4 = 240
    H6 = 360
    H12 = 720
    D1 = 1440
    D3 = 4320
    W1 = 10080


class ProductType(OpenInt):
    """Whether a contract ends."""

    PERPETUAL = 1
    FUTURES = 2
    """Dated; none was listed when last looked at (2026-09)."""


class ContractStatus(OpenStr):
    """Whether a contract trades."""

    TRADING = "Trading"
    """Also seen on contracts whose `ContractDetails.delist_time` has passed."""
    DELISTED = "Delisted"


class MarketGroup(OpenStr):
    """The traditional market that a contract follows."""

    US_MARKET = "US_MARKET"
    HK_STOCK = "HK_STOCK"
    FOREX = "FOREX"
    INDEX_UK = "INDEX_UK"
    INDEX_JP = "INDEX_JP"
    INDEX_HK = "INDEX_HK"
    INDEX_AU = "INDEX_AU"
    INDEX_TW = "INDEX_TW"
    INDEX_DE = "INDEX_DE"
    INDEX_KR = "INDEX_KR"
    METAL_LME = "METAL_LME"
    COMMODITY_CME = "COMMODITY_CME"
    COMMODITY_ICE = "COMMODITY_ICE"
    PRE_LIST = "PRE_LIST"


class SessionStatus(OpenInt):
    """How a traditional market trades right now."""

    NORMAL = 1
    LOW_LIQUIDITY = 2


@attrs.frozen
class LowLiquidityConfig(Model):
    """What changes for a contract while its traditional market is thin."""

    mark_price_bound_ratio: Decimal | None = None
    """How far the mark price may move, as a ratio; None when not set."""


@attrs.frozen
class TradFiInfo(Model):
    """Trading hours of a contract on a traditional asset."""

    market_group: MarketGroup
    """Which market it follows."""
    market_session_status: SessionStatus
    """How that market trades now."""
    reduce_only: bool
    """Whether only closing orders are accepted now."""
    next_session_switch_ts: int | None = None
    """When the session changes next; the unit is not documented (ten digits are seconds); None when unknown."""
    next_session_switch_status: SessionStatus | None = None
    """What it changes to; None when unknown."""
    low_liquidity_config: LowLiquidityConfig | None = None
    """Limits while the market is thin; None when there are none."""


@attrs.frozen(kw_only=True)
class ContractDetails(Model):
    """Rules and figures of one contract. Prices may be missing on contracts that do not trade."""

    symbol: str
    """Such as ``BTCUSDT``."""
    product_type: ProductType
    """Perpetual or dated."""
    open_timestamp: Millis
    """When it was listed."""
    expire_timestamp: Millis | None = wire(zero_is_none=True, default=None)
    """When it ends; None for perpetuals (0 on the wire)."""
    settle_timestamp: Millis | None = wire(zero_is_none=True, default=None)
    """When it settles; None for perpetuals (0 on the wire)."""
    base_currency: str
    """What is traded."""
    quote_currency: str
    """What it is priced in."""
    last_price: Decimal | None = None
    """Last traded price, quote currency; None when there is none."""
    volume_24h: Decimal
    """Contracts traded in 24 hours."""
    turnover_24h: Decimal
    """The same in quote currency."""
    index_price: Decimal | None = None
    """Price of the index, quote currency; None when there is none."""
    index_name: str
    """Name of the index."""
    contract_size: Decimal
    """Base units of one contract; a fixed amount of USD on coin-margined contracts."""
    min_leverage: Decimal
    """Smallest leverage."""
    max_leverage: Decimal
    """Greatest leverage; the tier of the position may allow less."""
    price_precision: Decimal
    """Tick size, such as 0.1: prices are multiples of it. Not a number of digits."""
    vol_precision: Decimal = wire(aliases=("volume_precision",))
    """Step of order sizes, contracts."""
    max_volume: Decimal
    """Largest limit order, contracts."""
    market_max_volume: Decimal | None = None
    """Largest market order, contracts; None when the reply leaves it out, as recorded ones do."""
    min_volume: Decimal
    """Smallest order, contracts."""
    funding_rate: Decimal
    """Funding rate as a ratio."""
    expected_funding_rate: Decimal | None = None
    """Forecast for the next settlement; None when there is none."""
    open_interest: Decimal
    """Open contracts."""
    open_interest_value: Decimal
    """The same in quote currency."""
    high_24h: Decimal | None = None
    """Highest price in 24 hours; None without trades."""
    low_24h: Decimal | None = None
    """Lowest price in 24 hours; None without trades."""
    change_24h: Decimal
    """Price change in 24 hours as a ratio: 0.015 is 1.5 %."""
    funding_interval_hours: int | None = None
    """Hours from one funding settlement to the next; None when the reply leaves it out, as recorded ones do."""
    status: ContractStatus | None = None
    """Whether it trades; look at `delist_time` too. None when the reply leaves it out, as recorded ones do."""
    delist_time: Seconds | None = wire(zero_is_none=True, default=None)
    """When it is delisted, in seconds unlike the other times; None when nothing is planned (0 on the wire)."""
    funding_time: Millis | None = None
    """Next funding settlement; None when the reply leaves it out."""
    tradfi_info: TradFiInfo | None = None
    """Trading hours; None except on contracts of traditional assets."""


class FuturesBookLevel(Level, array_like=True, frozen=True):
    """One price level of a snapshot, with the sum so far."""

    cumulative_size: Decimal
    """Contracts from the best price down to this one."""


@attrs.frozen
class FuturesOrderBook(Model):
    """A snapshot of the book, at most 50 levels a side; an empty side is an empty list."""

    asks: list[FuturesBookLevel]
    """Ascending: the best ask first."""
    bids: list[FuturesBookLevel]
    """Descending: the best bid first."""
    timestamp: Millis
    """When it was taken."""
    symbol: str
    """The contract."""


@attrs.frozen
class FuturesMarketTrade(Model):
    """One public trade."""

    symbol: str
    """The contract."""
    price: Decimal
    """Quote currency."""
    qty: Decimal
    """Base currency, not contracts."""
    quote_qty: Decimal
    """Price times quantity."""
    time: Seconds
    """When, in seconds."""
    is_buyer_maker: bool
    """True when the buyer's order was resting, so the taker sold."""


@attrs.frozen
class OpenInterest(Model):
    """How many contracts are open."""

    timestamp: Millis
    """When it was counted."""
    symbol: str
    """The contract."""
    open_interest: Decimal
    """Contracts."""
    open_interest_value: Decimal
    """Quote currency."""
    open_interest_24h: Decimal | None = None
    """Contracts a day before; None when the reply leaves it out."""
    open_interest_value_24h: Decimal | None = None
    """Quote currency a day before; None when the reply leaves it out."""


@attrs.frozen
class FundingRate(Model):
    """Funding of one contract: the last settlement and the next."""

    timestamp: Millis
    """When the exchange answered."""
    symbol: str
    """The contract."""
    rate_value: Decimal
    """Rate of the last settlement, a ratio."""
    expected_rate: Decimal
    """Expected at the next settlement, a ratio."""
    funding_time: Millis | None = None
    """The next settlement; None when the reply leaves it out."""
    funding_upper_limit: Decimal | None = None
    """The rate never goes above; None when the reply leaves it out."""
    funding_lower_limit: Decimal | None = None
    """The rate never goes below; None when the reply leaves it out."""


@attrs.frozen
class FundingRateRecord(Model):
    """One settled funding rate."""

    symbol: str
    """The contract."""
    funding_rate: Decimal
    """A ratio; longs pay shorts when it is above 0."""
    funding_time: Millis
    """When it was settled."""


@attrs.frozen
class FuturesKline(Model):
    """One candle, of traded prices or of the mark price."""

    timestamp: Seconds
    """Start of the candle, in seconds."""
    open_price: Decimal
    """Quote currency."""
    close_price: Decimal
    """Quote currency."""
    high_price: Decimal
    """Quote currency."""
    low_price: Decimal
    """Quote currency."""
    volume: Decimal
    """Contracts; usually 0 in mark price candles."""


@attrs.frozen
class LeverageBracket(Model):
    """One tier of the risk limits."""

    bracket: int
    """Number of the tier, from 1."""
    initial_leverage: int
    """Greatest leverage in the tier."""
    notional_cap: Decimal
    """Position value up to which the tier goes."""
    notional_floor: Decimal
    """Position value from which the tier applies."""
    maint_margin_ratio: Decimal
    """Maintenance margin as a ratio of the position value."""
    cum: Decimal
    """What to take off in the formula of the maintenance margin."""


@attrs.frozen
class LeverageBracketRule(Model):
    """The risk tiers of one contract."""

    symbol: str
    """The contract."""
    brackets: list[LeverageBracket]
    """Tiers, the smallest positions first."""
