"""The rules of the simulated exchange with their sources: documented, recorded, or chosen because no source exists.

The code uses the values of these rows, the page of rules is generated from them, and a test checks each against the
exchange. So a rule, its page and its behaviour stay consistent. If documentation and recordings disagree, recordings
win.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Generic, Literal, TypeAlias, TypeVar

import attrs

from ..futures.engine import PROTECTIVE_SHARE
from ..kernel import candles
from ..kernel.prehistory import PAST_BEGINS_S
from ..models import fees
from ..spot import orders

V = TypeVar("V")
V_co = TypeVar("V_co", covariant=True)

COIN_NAMES: Final = {"BTC": "Bitcoin", "ETH": "Ethereum", "USDT": "Tether USD", "BMX": "BitMart Token"}
"""The names of the usual currencies; others are named by their symbols."""


def name_of(currency: str) -> str:
    """Return the full name of a currency."""
    return COIN_NAMES.get(currency, currency)


Basis: TypeAlias = Literal["documented", "recorded", "chosen"]


@attrs.frozen
class Rule(Generic[V_co]):
    """A rule of the exchange."""

    name: str
    """Market or part, and subject, such as ``spot.fee_coin``."""
    value: V_co
    """The value that the exchange uses."""
    says: str
    """The rule as a sentence; ``{}`` stands for the value."""
    basis: Basis
    source: str
    """The documentation or recording; for a chosen rule, the reason for the choice."""
    unknown: str = ""
    """The part of the rule that no source covers."""

    @property
    def text(self) -> str:
        """Return the sentence with its value."""
        value = self.value
        return self.says.format(f"{value:f}" if isinstance(value, Decimal) else value)


RULES: Final[dict[str, Rule[object]]] = {}
"""Every rule by its name."""


def _rule(name: str, value: V, says: str, basis: Basis, source: str, unknown: str = "") -> Rule[V]:
    rule = Rule(name, value, says, basis, source, unknown)
    RULES[name] = rule
    return rule


_ADA: Final = "ccxt pull request 19382 (ADA_USDT, 2023-09-25)"
_POSITIONS: Final = "ccxt pull request 19445 and ccxt's static test data (BTCUSDT, LTCUSDT, 2024-08-07)"
_STATIC: Final = "ccxt's static test data"

# -- spot orders -----------------------------------------------------------------------------------

MARKET_BUY_ENDS: Final[Rule[Literal["partially_canceled", "filled"]]] = _rule(
    "spot.market_buy_ends",
    orders.MARKET_BUY_ENDS,
    "A market buy whose rest buys no whole lot ends as `{}`, over REST and in pushes, though all that could be bought"
    " was bought.",
    "recorded",
    f"{_ADA}: notional 5.09490000, filled 5.09358308; hummingbot issue 7315 and its spot connector",
    "The `cancelSource` of such an order: it is blank here.",
)
MARKET_BUY_CODE: Final = _rule(
    "spot.market_buy_code",
    "12",
    "The old number of that state in pushes is {}.",
    "recorded",
    "hummingbot issue 7315 and its spot connector",
)
MARKET_BUY_EXACT: Final[Rule[Literal["partially_canceled", "filled"]]] = _rule(
    "spot.market_buy_exact",
    orders.MARKET_BUY_EXACT,
    "A market buy that has spent its notional to the last digit ends as `{}`.",
    "chosen",
    "nothing of it is left to cancel; no recording shows the case",
)
CLIENT_ORDER_ID: Final = _rule(
    "spot.client_order_id",
    "the order id",
    "An order that was placed without a client order id shows {} as one, in orders, fills and pushes.",
    "recorded",
    f"five of five replies: {_ADA}, ccxt issue 20005, ccxt pull request 20217, {_STATIC}; the documentation says empty",
    "Whether pushes do it too, and whether a look-up by that id finds the order (here it does not).",
)
MARKET_ORDER_ZERO: Final = _rule(
    "spot.market_order_zero",
    Decimal(0),
    "What a market order does not have (its price; the size of a buy, the notional of a sell) is {}, not blank.",
    "recorded",
    f"{_ADA} and the recordings under `spot.client_order_id`",
)
PUSH_NOTIONAL: Final = _rule(
    "spot.push_notional",
    "0",
    'The notional of a pushed market order that has none is "{}".',
    "recorded",
    "the recordings under `spot.client_order_id`",
)

# -- spot fees -------------------------------------------------------------------------------------

FEE_RATE: Final = _rule(
    "spot.fee_rate",
    fees.RATE,
    "Makers and takers pay {} of the value.",
    "recorded",
    "LTC_USDT, 2024-01-31: 0.00594020 on 5.9402034",
    "Levels, and discounts for holders of BMX: there are none here.",
)
FEE_COIN: Final = _rule(
    "spot.fee_coin",
    "quote",
    "The fee of a fill is paid in the {} coin, by buyers too.",
    "recorded",
    "the documentation's own sample (3999.90 bought, fee 9.99975 USDT); LTC_USDT, 2024-01-31",
    "A reply of the old API (2019) has the fee of a buy in the bought coin: `sim.models.fees.InBought` does that.",
)
FEE_GRAIN: Final = _rule(
    "spot.fee_grain",
    fees.GRAIN,
    "A fee is cut, never rounded up, to a multiple of {}.",
    "recorded",
    "LTC_USDT, 2024-01-31: 0.00594020 on 5.9402034",
)
FEE_HELD: Final = _rule(
    "spot.fee_held",
    "frozen",
    "The fee of a buy comes on top of its value and is {} with it while the order is open.",
    "chosen",
    "so a fill never finds the wallet short; no recording shows the frozen balance of a resting buy",
)

# -- spot shapes -----------------------------------------------------------------------------------

MIN_AMOUNT_PLACES: Final = _rule(
    "spot.min_amount_places",
    30,
    "`min_buy_amount` and `min_sell_amount` of a pair are written with {} decimal places.",
    "recorded",
    _STATIC,
)
PLANNED_DOWN_TIME: Final = _rule(
    "spot.planned_down_time",
    ("", None),
    "`planned_down_time` of a pair without one is blank for some pairs and null for others.",
    "recorded",
    _STATIC,
)
WITHDRAW_MINFEE: Final = _rule(
    "spot.withdraw_minfee",
    (None, "a number as text"),
    "`withdraw_minfee` of a chain is null for some and a number as text for others.",
    "recorded",
    _STATIC,
)
UNIVERSAL_ADDRESS: Final = _rule(
    "spot.universal_address",
    None,
    "An address for every currency of a network has null as its currency.",
    "recorded",
    _STATIC,
)
ISOLATED_LIQUIDATION: Final = _rule(
    "spot.isolated_liquidation",
    None,
    "An isolated margin account that no price can liquidate shows null as its liquidation price.",
    "chosen",
    "the documentation has null and, in a sample, a negative price; a negative price helps nobody",
)

# -- futures ---------------------------------------------------------------------------------------

PROTECTIVE_PRICE: Final = _rule(
    "futures.protective_price",
    PROTECTIVE_SHARE,
    "A market order shows a price that is worse than the last one by {} of it, on the contract's grid.",
    "recorded",
    f'{_STATIC}: "58.48" for a fill at 58.45',
    "How the exchange finds it: one recording; and whether it bounds the fills, which it does not here.",
)
REALIZED_VALUE: Final = _rule(
    "futures.realized_value",
    "minus the opening fee",
    "`realized_value` of a position is {} after opening; profits, closing fees and fundings are added to it.",
    "recorded",
    f"{_POSITIONS}: -0.01644474 = -27.4079 x 0.0006",
    "The part of closing fees and fundings.",
)
CURRENT_FEE: Final = _rule(
    "futures.current_fee",
    "current value x coming funding rate",
    "`current_fee` of a position is {}, whatever was paid before.",
    "recorded",
    f"{_POSITIONS}: 0.0014250028 = 27.4039 x 0.000052, and 0.0015614466 = 27.3938 x 0.000057 25 minutes later",
    "The sign for shorts. The exchange's own agent skill calls it the accumulated fees.",
)
MAINTENANCE: Final = _rule(
    "futures.maintenance_margin",
    "entry value x rate of the tier",
    "`maintenance_margin` of a position is {}: it does not move with the price, and liquidation goes by it.",
    "recorded",
    f"{_POSITIONS}: 0.1370395 = 27.4079 x 0.005, twice",
    "What is subtracted in higher tiers: the tier's `cum` here.",
)
MARK_PRICE_V1: Final = _rule(
    "futures.mark_price_v1",
    "the value of the position at the mark price",
    "`mark_price` in the first version of the position list is {}.",
    "recorded",
    _POSITIONS,
)
ORDER_FINDS_TRAILING: Final = _rule(
    "futures.order_finds_trailing",
    "trailing",
    "`/contract/private/order` finds trailing orders too, with `type` `{}`, their activation price, its type, the"
    " callback rate, the order they sent and the presets.",
    "recorded",
    "ccxt's test data of 2024-08",
)
FILL_OR_KILL: Final = _rule(
    "futures.fill_or_kill",
    "all or nothing",
    "A fill-or-kill order fills {}, also where self-trade prevention takes orders out of its way or stops it.",
    "documented",
    "the meaning of mode 2 in the documentation of futures orders",
    "In which order the exchange applies the two.",
)

# -- candles -------------------------------------------------------------------------------------

WEEK_BEGINS: Final = _rule(
    "candles.week_begins",
    candles.WEEK_BEGINS,
    "Candles of a week begin on {} at 00:00 UTC, in both markets.",
    "chosen",
    "no source says; it is the week of ISO 8601, and both markets agree",
)
PAST_BEGINS: Final = _rule(
    "candles.past_begins",
    PAST_BEGINS_S,
    "The invented past of every pair and contract begins at {} (Unix seconds), or a year before the opening if that is"
    " earlier.",
    "chosen",
    "it is the `open_timestamp` that contracts show; spot pairs are given the same",
)
# -- sockets -------------------------------------------------------------------------------------

FUTURES_PROTOCOL_PING: Final = _rule(
    "sockets.futures_protocol_ping",
    True,
    "A protocol ping (RFC 6455) counts as life on futures sockets: {}.",
    "recorded",
    "probes of 2026-09: they are answered, and an idle connection lives 75 s at least",
)
SPOT_PROTOCOL_PING: Final = _rule(
    "sockets.spot_protocol_ping",
    True,
    "A protocol ping counts as life on spot sockets: {}. `Limits(spot_protocol_pings=False)` changes that.",
    "recorded",
    "ccxt pro and hummingbot keep spot connections alive with nothing else; the documentation calls them unsupported",
)
