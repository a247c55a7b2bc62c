"""The kinds of records, a row for each: where they are in a reply, and what distinguishes one from another.

All names are those on the wire: records are distinguished before any model reads them, so that records which a model
cannot read are kept like all others.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from typing import Any, Final, cast, get_args

import attrs

from ... import endpoints
from ..._core import codec
from ..._core.endpoint import Endpoint
from ...errors import BitMartError
from ...models._fields import ALIASES, WIRE
from ...models._numbers import BLANKS, exact
from ...models._rows import Row
from ...models.earn import FixedSavingsRecord, FlexibleSavingsRecord
from ...models.futures_account import AutoRepayment, InterestLogItem
from ...models.futures_affiliate import (
    AffiliateFundsRecord,
    AffiliateInvitedUser,
    AffiliateRebate,
    AffiliateTrade,
)
from ...models.spot_sub_account import SubTransfer
from .._futures_table import loose_time
from .._values import columns
from ._wire import NotReadable, Wire, below

_SECONDS: Final = 100_000_000_000
"""A smaller time is in seconds, whatever is documented: in milliseconds it would be in 1973."""
_LATEST: Final = 1 << 53


def find_endpoint(name: str) -> Endpoint[object]:
    """The row of an endpoint by its name, such as ``spot.market.ticker``.

    Raises:
        NotReadable: there is no endpoint of that name.
    """
    found: object = endpoints
    for part in name.split("."):
        found = getattr(found, part, None)
    if not isinstance(found, Endpoint):
        raise NotReadable(f"there is no endpoint {name[:60]!r}")
    return cast("Endpoint[object]", found)


def _listed(data: Wire) -> list[Wire]:
    if data is None:
        return []
    if not isinstance(data, list):
        raise NotReadable("there is no list of records in it")
    return data


def _daily(data: Wire) -> list[Wire]:
    """Rebates by day: each gets its day as a member."""
    if data is None:
        return []
    if not isinstance(data, Mapping):
        raise NotReadable("there are no rebates by day in it")
    found: list[Wire] = []
    for day, entries in data.items():
        found += [{**each, "day": day} if isinstance(each, Mapping) else each for each in _listed(entries)]
    return found


@attrs.frozen
class DayRebate:
    """The rebate of a broker for one day in one currency."""

    day: str
    """``YYYY-MM-DD``, in UTC."""
    currency: str
    """Short code."""
    rebate_amount: Decimal
    """In that currency."""


@attrs.frozen
class Kind:
    """The description of one endpoint's records.

    Args:
        name: the endpoint's name.
        ids: the members for the id; the first that is not blank is the record's id.
        time: the member with the record's time; None for sums, which have none.
        substance: amounts, kinds and times. Records of one id that differ in one of them are different records;
            otherwise the later content replaces the earlier.
        record: the model.
        under: the members that lead to the list, below the endpoint's own path.
        total: the member beside the list with the number of records.
        pick: makes a list of the payload.
        apart: True if ids are unique only within one history: they are times, and each market has its own.
    """

    name: str
    ids: tuple[str, ...]
    time: str | None
    substance: tuple[str, ...]
    record: type[object]
    under: tuple[str, ...] = ()
    total: str | None = None
    pick: Callable[[Wire], list[Wire]] = _listed
    apart: bool = False

    @property
    def table(self) -> str:
        """The name of its view in SQL."""
        return self.name.replace(".", "_")

    def records(self, data: Wire) -> list[Wire]:
        """The records of a payload, in its order.

        Raises:
            NotReadable: the list is missing.
        """
        return self.pick(below(data, (*find_endpoint(self.name).at, *self.under)))

    def said_total(self, data: Wire) -> int | None:
        """Return the number of records that the payload gives."""
        if self.total is None or not isinstance(data, Mapping):
            return None
        text = str(data.get(self.total))
        return int(text) if text.isdecimal() and len(text) < 16 else None

    def id_of(self, record: Wire) -> str:
        """The record's id; blank for none."""
        for name in self.ids:
            if (text := _text(_member(record, name))) != "":
                return text
        return ""

    def time_of(self, record: Wire) -> int | None:
        """When it happened, in milliseconds; None when it does not say, or says no time."""
        if self.time is None:
            return None
        value = _member(record, self.time)
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            return None
        text = str(value).strip()
        try:
            if text.isdecimal() and len(text) < 20:
                number = int(text)
                found = number if number >= _SECONDS else number * 1000
            else:
                found = loose_time(text)
        except (BitMartError, ValueError, OverflowError):
            return None
        return found if 0 < found < _LATEST else None

    def substance_of(self, record: Wire) -> str | None:
        """One spelling of its amounts, kinds and times; None when one of them is blank or missing."""
        values = [_amount(_member(record, name)) for name in self.substance]
        return None if "" in values else json.dumps([_digits(value) for value in values])

    def is_same(self, one: Wire, other: Wire) -> bool:
        """Return True if two contents of one id are one record, listed at two moments."""
        for name in self.substance:
            left, right = _amount(_member(one, name)), _amount(_member(other, name))
            if left != right and left != "" and right != "":
                return False
        return True


def _member(record: Wire, name: str) -> Wire:
    """A member of a record; of a row, which has no names, the column of that number."""
    if isinstance(record, Mapping):
        return record.get(name)
    if isinstance(record, list) and name.isdecimal() and int(name) < len(record):
        return record[int(name)]
    return None


def _text(value: Wire) -> str:
    return value.strip() if isinstance(value, str) else "" if value is None else str(value)


def _amount(value: Wire) -> str | Decimal:
    try:
        return exact(value.strip(BLANKS) if isinstance(value, str) else value)
    except ValueError:
        return _text(value)


def _digits(value: str | Decimal) -> str:
    """A text, or the digits of a number without those that say nothing."""
    if isinstance(value, str):
        return f"text {value}"
    sign, digits, exponent = value.as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    bare = text.rstrip("0")
    return f"{sign if bare else 0} {bare} {int(exponent) + len(text) - len(bare) if bare else 0}"


_ORDER: Final = ("symbol", "side", "type", "size", "price", "notional", "createTime", "create_time")
_KLINE: Final = ("timestamp",)


def _element(name: str) -> type[object]:
    """What the list of an endpoint holds."""
    return cast("type[object]", get_args(find_endpoint(name).returns)[0])


def _rows() -> Iterator[Kind]:
    def kind(
        name: str, ids: tuple[str, ...], time: str | None, *substance: str, record: type[object] | None = None,
        under: str | None = None, total: str | None = None, pick: Callable[[Wire], list[Wire]] = _listed,
        apart: bool = False,
    ) -> Kind:  # fmt: skip
        path = () if under is None else (under,)
        return Kind(name, ids, time, substance, record or _element(name), path, total, pick, apart)

    yield kind("spot.market.klines", ("0",), "0", apart=True)
    yield kind("spot.market.trades", (), "1")
    yield kind("spot.trading.order_history", ("orderId",), "createTime", *_ORDER)
    yield kind(
        "spot.trading.trades", ("tradeId",), "createTime",
        "orderId", "symbol", "side", "price", "size", "notional", "fee", "feeCoinName", "tradeRole", "createTime",
    )  # fmt: skip
    yield kind("spot.algo.order_history", ("orderId",), "createTime", *_ORDER)
    yield kind("spot.trading.open_orders", ("orderId",), "createTime", *_ORDER)
    yield kind("spot.algo.open_orders", ("orderId",), "createTime", *_ORDER)
    yield kind(
        "spot.account.deposit_withdraw_history", ("withdraw_id", "deposit_id", "tx_id"), "apply_time",
        "operation_type", "currency", "arrival_amount", "apply_time",
    )  # fmt: skip
    yield kind(
        "spot.margin.borrow_records", ("borrow_id",), "create_time",
        "symbol", "currency", "borrow_amount", "create_time",
    )  # fmt: skip
    yield kind(
        "spot.margin.repay_records", ("repay_id",), "repay_time",
        "symbol", "currency", "repaid_amount", "repaid_principal", "repaid_interest", "repay_time",
    )  # fmt: skip
    for name in ("spot.sub_account.transfers", "spot.sub_account.transfer_history"):
        yield kind(name, (), "submissionTime", record=SubTransfer, under="historyList", total="total")
    savings = ("type", "productId", "coinName", "amount", "time")
    yield kind("spot.earn.flexible_records", ("recordId",), "time", *savings, record=FlexibleSavingsRecord,
               under="list", total="total")  # fmt: skip
    yield kind("spot.earn.fixed_records", ("recordId",), "time", *savings, record=FixedSavingsRecord,
               under="list", total="total")  # fmt: skip
    yield kind("spot.broker.rebates", (), "day", record=DayRebate, under="rebates", pick=_daily)

    yield kind("futures.market.klines", _KLINE, "timestamp", apart=True)
    yield kind("futures.market.mark_price_klines", _KLINE, "timestamp", apart=True)
    yield kind("futures.market.funding_rate_history", ("funding_time",), "funding_time", "symbol", apart=True)
    yield kind("futures.market.trades", (), "time")
    yield kind("futures.trading.order_history", ("order_id",), "create_time", *_ORDER)
    yield kind(
        "futures.trading.trades", ("trade_id",), "create_time",
        "order_id", "symbol", "side", "price", "vol", "exec_type", "realised_profit", "paid_fees", "create_time",
    )  # fmt: skip
    yield kind(
        "futures.account.transaction_history", ("tran_id",), "time",
        "symbol", "flow_type", "type", "amount", "asset", "time",
    )  # fmt: skip
    yield kind("futures.account.transfers", ("transfer_id",), "timestamp", "currency", "amount", "type", "timestamp")
    yield kind("futures.account.auto_repayments", (), "time", record=AutoRepayment, under="list", total="total")
    yield kind(
        "futures.account.cross_collateral_interest", ("id",), "interest_time", "coin_code", "interest", "interest_time",
        record=InterestLogItem, under="items", total="total",
    )  # fmt: skip
    for name in ("futures.sub_account.transfers", "futures.sub_account.transfer_history"):
        yield kind(name, (), "submissionTime")
    yield kind("futures.affiliate.rebates", ("trade_user_id",), None, "rebate_coin", record=AffiliateRebate,
               under="rebate_detail_page_data", total="total")  # fmt: skip
    yield kind("futures.affiliate.invited_users", ("cid",), None, record=AffiliateInvitedUser,
               under="list", total="total")  # fmt: skip
    yield kind("futures.affiliate.trades", (), "create_time", record=AffiliateTrade, under="list", total="total")
    yield kind("futures.affiliate.funds_records", (), "dateTime", record=AffiliateFundsRecord,
               under="list", total="total")  # fmt: skip


@cache
def kinds() -> Mapping[str, Kind]:
    """Every kind by its endpoint's name."""
    return {each.name: each for each in _rows()}


# ---- a record's columns ---------------------------------------------------------------------------------------------


@attrs.frozen
class Typed:
    """A record as its model reads it."""

    values: Mapping[str, object]
    """The values by the model's names; None for absent values."""
    odd: str
    """The unreadable part, for the user; blank for none."""


def typed(kind: Kind, record: Wire) -> Typed:
    """Read a record, as far as it can be read."""
    names = columns(kind.record)
    try:
        model = codec.structure(record, kind.record)
        return Typed({name: getattr(model, name) for name in names}, "")
    except (codec.DecodeError, AttributeError):
        return _by_field(kind.record, record)


def _by_field(class_: Any, record: Wire) -> Typed:  # noqa: ANN401  # any model
    names = columns(class_)
    if issubclass(class_, Row):
        return Typed(dict.fromkeys(names), "not a row of the documented form")
    try:
        shaped: object = class_._shape_(record) if hasattr(class_, "_shape_") else record
    except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError):
        shaped = record
    if not isinstance(shaped, Mapping):
        return Typed(dict.fromkeys(names), "not an object")
    members = cast("Mapping[str, object]", shaped)
    values: dict[str, object] = {}
    odd: list[str] = []
    attrs.resolve_types(class_)
    for field in attrs.fields(class_):
        wire = str(field.metadata.get(WIRE) or field.name)
        spelled = next((each for each in (wire, *field.metadata.get(ALIASES, ())) if each in members), None)
        values[field.name] = None
        if spelled is None:
            if field.default is attrs.NOTHING:
                odd.append(f"{wire} is missing")
            continue
        try:
            values[field.name] = codec.structure(members[spelled], cast("type[object]", field.type))
        except codec.DecodeError:
            odd.append(f"{wire} is {_shown(members[spelled])}")
    return Typed(values, "; ".join(odd))


def _shown(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, str):
        return repr(value[:40]) if value.strip() else "blank"
    return f"no value of its kind ({type(value).__name__})"
