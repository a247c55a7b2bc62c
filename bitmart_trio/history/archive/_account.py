"""Describe an archive's account as a whole, from the reads of its present state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ._movements import Movements
from ._reader import Reader
from ._tables import entries_of


def movements_of(reader: Reader) -> Movements:
    """The movements of an archived account."""
    return Movements(reader, sub_accounts=_sub_accounts(reader), settled_in=_settled_in(reader))


def _sub_accounts(reader: Reader) -> Iterator[str]:
    for entry in looked_up(reader, "spot.sub_account.accounts"):
        yield str(entry.get("accountName") or "")


def _settled_in(reader: Reader) -> dict[str, str]:
    """The coin in which each contract is settled."""
    found = dict[str, str]()
    for entry in looked_up(reader, "futures.market.contracts"):
        coin = entry.get("settlement_currency") or entry.get("quote_currency")
        if entry.get("symbol") and coin:
            found[str(entry["symbol"])] = str(coin)
    return found


def looked_up(reader: Reader, endpoint: str) -> Iterator[Mapping[str, object]]:
    for look in reader.looks():
        if look.endpoint == endpoint:
            for page in reader.look(look.name):
                yield from entries_of(page)
