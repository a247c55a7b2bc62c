"""The generic layouts of three tax tools. Each is the tool's own documented template for exchanges that it cannot read.

Koinly: "universal" template, support.koinly.io article 9489976; its tags: articles 9490023 and 9490027.
CoinTracker: support.cointracker.io article 4413071299729; its tags: article 4413049710225.
Crypto Tax Calculator (now also called Summ): "advanced custom CSV", help.cryptotaxcalculator.io article 5777675.

All three require amounts without fees, the fee in a separate column, and UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, Literal, TypeAlias

import attrs

from ._movements import Kind, Movement

Tool: TypeAlias = Literal["koinly", "cointracker", "cryptotaxcalculator"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HERE: Final = "BitMart"


@attrs.frozen
class Layout:
    """The layout of one tool."""

    header: tuple[str, ...]
    row: Callable[[Movement], Sequence[str]]


def _when(movement: Movement, form: str) -> str:
    return (_EPOCH + timedelta(milliseconds=movement.time)).strftime(form)


def _number(value: Decimal | None) -> str:
    return "" if value is None else format(value, "f")


def _told(movement: Movement) -> str:
    """What a person recognises the movement by."""
    return " ".join(filter(None, (movement.kind.value, movement.text, movement.id and f"({movement.id})")))


# "in" is a movement that only receives, "out" is one that only sends.
_KOINLY_IN: Final = {
    Kind.REALISED: "realized gain",
    Kind.FUNDING: "realized gain",
    Kind.FEE: "fee refund",
    Kind.INTEREST: "lending interest",
    Kind.REBATE: "reward",
    Kind.LOAN: "loan",
}
_KOINLY_OUT: Final = {
    Kind.REALISED: "realized gain",
    Kind.FUNDING: "margin fee",
    Kind.FEE: "margin fee",
    Kind.REPAYMENT: "loan repayment",
}


def _koinly(movement: Movement) -> Sequence[str]:
    labels = {} if movement.kind is Kind.TRADE else _KOINLY_OUT if movement.received is None else _KOINLY_IN
    return (
        _when(movement, "%Y-%m-%d %H:%M:%S UTC"),
        _number(movement.sent),
        movement.sent_coin,
        _number(movement.received),
        movement.received_coin,
        _number(movement.fee),
        movement.fee_coin,
        "",
        "",
        labels.get(movement.kind, ""),
        _told(movement),
        movement.hash,
    )


_COINTRACKER_IN: Final = {
    Kind.REALISED: "margin gain",
    Kind.FUNDING: "margin gain",
    Kind.FEE: "margin rebate",
    Kind.INTEREST: "interest",
    Kind.REBATE: "rebate",
    Kind.LOAN: "borrow",
}
_COINTRACKER_OUT: Final = {
    Kind.REALISED: "margin loss",
    Kind.FUNDING: "margin fee",
    Kind.FEE: "margin fee",
    Kind.REPAYMENT: "loan repayment",
}


def _cointracker(movement: Movement) -> Sequence[str]:
    tags = {} if movement.kind is Kind.TRADE else _COINTRACKER_OUT if movement.received is None else _COINTRACKER_IN
    return (
        _when(movement, "%m/%d/%Y %H:%M:%S"),
        _number(movement.received),
        movement.received_coin,
        _number(movement.sent),
        movement.sent_coin,
        _number(movement.fee),
        movement.fee_coin,
        tags.get(movement.kind, ""),
    )


_CTC_IN: Final = {
    Kind.REALISED: "realized-profit",
    Kind.FUNDING: "realized-profit",
    Kind.FEE: "cashback",
    Kind.INTEREST: "interest",
    Kind.REBATE: "cashback",
    Kind.LOAN: "loan",
}
_CTC_OUT: Final = {
    Kind.REALISED: "realized-loss",
    Kind.FUNDING: "margin-fee",
    Kind.FEE: "margin-fee",
    Kind.REPAYMENT: "loan-repayment",
}


def _ctc(movement: Movement) -> Sequence[str]:
    bought = movement.received_coin == movement.base
    if movement.kind is Kind.TRADE:
        kind = "buy" if bought else "sell"
        base, quote = (movement.received, movement.sent) if bought else (movement.sent, movement.received)
        base_coin = movement.base
        quote_coin = movement.sent_coin if bought else movement.received_coin
    elif movement.received is not None:
        kind, base, base_coin = _CTC_IN.get(movement.kind, "receive"), movement.received, movement.received_coin
        quote, quote_coin = None, ""
    else:
        kind, base, base_coin = _CTC_OUT.get(movement.kind, "send"), movement.sent, movement.sent_coin
        quote, quote_coin = None, ""
    return (
        _when(movement, "%Y-%m-%d %H:%M:%S"),
        kind,
        base_coin,
        _number(base),
        quote_coin,
        _number(quote),
        movement.fee_coin,
        _number(movement.fee),
        _HERE if kind == "send" else "",
        _HERE if kind == "receive" else "",
        "",
        movement.hash or movement.id,
        _told(movement),
        "",
        "",
    )


LAYOUTS: Final[Mapping[Tool, Layout]] = {
    "koinly": Layout(
        (
            "Date", "Sent Amount", "Sent Currency", "Received Amount", "Received Currency", "Fee Amount",
            "Fee Currency", "Net Worth Amount", "Net Worth Currency", "Label", "Description", "TxHash",
        ),
        _koinly,
    ),
    "cointracker": Layout(
        (
            "Date", "Received Quantity", "Received Currency", "Sent Quantity", "Sent Currency", "Fee Amount",
            "Fee Currency", "Tag",
        ),
        _cointracker,
    ),
    "cryptotaxcalculator": Layout(
        (
            "Timestamp (UTC)", "Type", "Base Currency", "Base Amount", "Quote Currency (Optional)",
            "Quote Amount (Optional)", "Fee Currency (Optional)", "Fee Amount (Optional)", "From (Optional)",
            "To (Optional)", "Blockchain (Optional)", "ID (Optional)", "Description (Optional)",
            "Reference Price Per Unit (Optional)", "Reference Price Currency (Optional)",
        ),
        _ctc,
    ),
}  # fmt: skip
"""By tool."""
