"""Define futures market data: contracts, book, trades, candles, funding, open interest and risk tiers."""

from __future__ import annotations

from decimal import Decimal

import attrs

from ._enums import OpenInt, OpenStr
from ._fields import Millis, Seconds, wire
from ._model import Model
from ._rows import Level


class FuturesKlineStep(OpenInt):
    """The length of a candle in minutes."""

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
    """The kind of contract: perpetual or dated."""

    PERPETUAL = 1
    FUTURES = 2
    """Dated; none was listed when last checked (2026-09)."""


class ContractStatus(OpenStr):
    """The trading state of a contract."""

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
    """The session of a traditional market."""

    NORMAL = 1
    LOW_LIQUIDITY = 2


@attrs.frozen
class LowLiquidityConfig(Model):
    """The changes for a contract while its traditional market is thin."""

    mark_price_bound_ratio: Decimal | None = None
    """The largest move of the mark price, as a ratio; None if not set."""


@attrs.frozen
class TradFiInfo(Model):
    """Trading hours of a contract on a traditional asset."""

    market_group: MarketGroup
    """The market that it follows."""
    market_session_status: SessionStatus
    """The market's session now."""
    reduce_only: bool
    """True if only closing orders are accepted now."""
    next_session_switch_ts: int | None = None
    """The time of the next session change (the unit is not documented; ten digits are seconds); None if unknown."""
    next_session_switch_status: SessionStatus | None = None
    """The next session; None if unknown."""
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
    """The time of its listing."""
    expire_timestamp: Millis | None = wire(zero_is_none=True, default=None)
    """The time when it ends; None for perpetuals (0 on the wire)."""
    settle_timestamp: Millis | None = wire(zero_is_none=True, default=None)
    """The time of its settlement; None for perpetuals (0 on the wire)."""
    base_currency: str
    """The currency that is traded."""
    quote_currency: str
    """The currency of prices."""
    last_price: Decimal | None = None
    """Last traded price, quote currency; None if there is none."""
    volume_24h: Decimal
    """Contracts traded in 24 hours."""
    turnover_24h: Decimal
    """The same in quote currency."""
    index_price: Decimal | None = None
    """Price of the index, quote currency; None if there is none."""
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
    """Largest market order, contracts; None if the reply omits it, as recorded ones do."""
    min_volume: Decimal
    """Smallest order, contracts."""
    funding_rate: Decimal
    """Funding rate as a ratio."""
    expected_funding_rate: Decimal | None = None
    """Forecast for the next settlement; None if there is none."""
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
    """Hours between two funding settlements; None if the reply omits it, as recorded ones do."""
    status: ContractStatus | None = None
    """The trading state; check `delist_time` too. None if the reply omits it, as recorded ones do."""
    delist_time: Seconds | None = wire(zero_is_none=True, default=None)
    """The time of its delisting, in seconds unlike the other times; None if not planned (0 on the wire)."""
    funding_time: Millis | None = None
    """Next funding settlement; None if the reply omits it."""
    tradfi_info: TradFiInfo | None = None
    """Trading hours; None except on contracts of traditional assets."""


class FuturesBookLevel(Level, array_like=True, frozen=True):
    """A price level of a snapshot, with the cumulative size."""

    cumulative_size: Decimal
    """Contracts from the best price to this one."""


@attrs.frozen
class FuturesOrderBook(Model):
    """A snapshot of the book, at most 50 levels per side; an empty side is an empty list."""

    asks: list[FuturesBookLevel]
    """Ascending: the best ask first."""
    bids: list[FuturesBookLevel]
    """Descending: the best bid first."""
    timestamp: Millis
    """The time of the snapshot."""
    symbol: str
    """The contract."""


@attrs.frozen
class FuturesMarketTrade(Model):
    """A public trade of a contract."""

    symbol: str
    """The contract."""
    price: Decimal
    """Quote currency."""
    qty: Decimal
    """Base currency, not contracts."""
    quote_qty: Decimal
    """Price times quantity."""
    time: Seconds
    """The time, in seconds."""
    is_buyer_maker: bool
    """True if the buyer's order was resting, so the taker sold."""


@attrs.frozen
class OpenInterest(Model):
    """The open interest of a contract."""

    timestamp: Millis
    """The time of the count."""
    symbol: str
    """The contract."""
    open_interest: Decimal
    """Contracts."""
    open_interest_value: Decimal
    """Quote currency."""
    open_interest_24h: Decimal | None = None
    """Contracts a day before; None if the reply omits it."""
    open_interest_value_24h: Decimal | None = None
    """Quote currency a day before; None if the reply omits it."""


@attrs.frozen
class FundingRate(Model):
    """Funding of one contract: the last settlement and the next."""

    timestamp: Millis
    """The time of the reply."""
    symbol: str
    """The contract."""
    rate_value: Decimal
    """Rate of the last settlement, a ratio."""
    expected_rate: Decimal
    """Expected at the next settlement, a ratio."""
    funding_time: Millis | None = None
    """The next settlement; None if the reply omits it."""
    funding_upper_limit: Decimal | None = None
    """The upper bound of the rate; None if the reply omits it."""
    funding_lower_limit: Decimal | None = None
    """The lower bound of the rate; None if the reply omits it."""


@attrs.frozen
class FundingRateRecord(Model):
    """A settled funding rate."""

    symbol: str
    """The contract."""
    funding_rate: Decimal
    """A ratio; longs pay shorts if it is above 0."""
    funding_time: Millis
    """The time of the settlement."""


@attrs.frozen
class FuturesKline(Model):
    """A candle, of traded prices or of the mark price."""

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
    """A tier of the risk limits."""

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
    """The amount to subtract in the formula of the maintenance margin."""


@attrs.frozen
class LeverageBracketRule(Model):
    """The risk tiers of one contract."""

    symbol: str
    """The contract."""
    brackets: list[LeverageBracket]
    """Tiers, the smallest positions first."""
