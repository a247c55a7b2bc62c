"""Report what an archive holds, what is missing and why, and what the account did, from the archive alone.

The report depends only on the archive, so it can be made again from the archive and compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, cast

import attrs

from ...models._model import Model
from ...text import json_text
from .._values import Plain, plain
from ._account import looked_up, movements_of
from ._codes import advice
from ._entries import State
from ._folder import Folder
from ._judge import find_walk
from ._movements import EXACT, Kind, LeftOut, Movement, Unplaced, amount
from ._reader import HistoryRow, LookRow, NoteRow, Reader, WindowRow

MARKDOWN: Final = "report.md"
HTML: Final = "report.html"
JSON: Final = "report.json"

CANNOT_GIVE: Final = (
    "Orders that are open are no history: they are listed as they were when the archive was made.",
    "Spot orders that were cancelled without a fill are not listed after 20 minutes.",
    "Futures orders are listed by contract, and contracts are found by fills, ledger, positions and open orders.",
    "An order that was cancelled without a fill on a contract without other traces is not found unless that is named.",
    "A sub-account's own orders and fills need a key of that sub-account: archive it with that key.",
    "Conversions, fiat, P2P, launches, grid and copy-trading settings and log-ins have no endpoint.",
    "Transfers between the spot and the funding wallet have no endpoint that lists them.",
    "Profit of spot trades is not in any reply: a tax tool computes it from the trades.",
)
"""The data that the API never gives."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ZERO: Final = Decimal(0)


@attrs.frozen
class Missing(Model):
    """A stretch of a history that is not there, or a doubt about it that was not resolved."""

    since: int
    """The beginning, in milliseconds."""
    until: int
    """The end, in milliseconds."""
    state: str
    """``failed``, ``unreadable``, ``not_permitted``, ``gap`` or the kind of the doubt."""
    reason: str
    """The reason, as reported or observed."""
    advice: str = ""
    """Advice on what to do about it."""


@attrs.frozen(kw_only=True)
class HistoryReport(Model):
    """One history of an archive."""

    name: str
    """The endpoint and its arguments."""
    endpoint: str
    since: int
    until: int
    state: str
    """``answered``, ``not_offered``, ``not_permitted``, ``failed``, ``unreadable`` or ``running``."""
    reason: str
    code: int
    windows: int
    requests: int
    records: int
    missing: tuple[Missing, ...]
    """The missing periods; neighbouring periods with the same reason are joined."""
    doubts: int
    """The number of suspicions: full pages, fewer records than the exchange reports, and the like."""
    oldest: int | None
    """The time of the oldest record: the exchange listed nothing older."""
    omits: tuple[str, ...]
    """The records that the endpoint always omits."""

    @property
    def complete(self) -> bool:
        """Return True if there is nothing left to read."""
        return State(self.state).complete and not self.missing


@attrs.frozen(kw_only=True)
class LookReport(Model):
    """One look at the account's present."""

    name: str
    state: str
    reason: str
    code: int
    advice: str = ""
    missing: tuple[Missing, ...] = ()
    """Doubts that were not resolved, such as a list that was full."""

    @property
    def complete(self) -> bool:
        """Return True if there is nothing left to read."""
        return State(self.state).complete and not self.missing


@attrs.define(kw_only=True)
class Total(Model):
    """The totals of one coin in one year, in that coin."""

    coin: str
    year: int
    came_in: Decimal = _ZERO
    """Deposits, and transfers from other accounts."""
    went_out: Decimal = _ZERO
    """Withdrawals without their fees, and transfers to other accounts."""
    bought: Decimal = _ZERO
    """Amounts received in spot trades."""
    sold: Decimal = _ZERO
    """Amounts given in spot trades."""
    fees: Decimal = _ZERO
    """Fees of trades, withdrawals, contracts and loans."""
    realised: Decimal = _ZERO
    """Profit minus loss of contracts, including liquidations."""
    funding: Decimal = _ZERO
    """Funding received minus funding paid."""
    other: Decimal = _ZERO
    """Interest, rebates and loans, minus repayments."""

    @property
    def net(self) -> Decimal:
        """Return the net change of the year."""
        plus = (self.came_in, self.bought, self.realised, self.funding, self.other)
        minus = (self.went_out, self.sold, self.fees)
        return _sum((*plus, *(each.copy_negate() for each in minus)))


@attrs.frozen
class Balance(Model):
    """The balance of one coin in one wallet when the archive was made."""

    wallet: str
    coin: str
    free: Decimal
    held: Decimal
    """The amount held by orders and positions."""


@attrs.frozen(kw_only=True)
class ArchiveReport(Model):
    """The report on an archive: its content and its gaps."""

    since: int
    """The beginning of its range, in milliseconds."""
    until: int
    account: str
    """The account's id; blank if the exchange did not report it."""
    library: str
    digest: str
    """The digest of all replies and decisions: keep it elsewhere, and pass it to ``verify``."""
    histories: tuple[HistoryReport, ...]
    looks: tuple[LookReport, ...]
    ended: bool
    """True if the last run ended by itself; an interrupted run may not have begun some histories."""
    totals: tuple[Total, ...]
    balances: tuple[Balance, ...]
    months: tuple[tuple[str, int], ...]
    """The number of records by month, from the first month with records to the last."""
    left_out: tuple[LeftOut, ...]
    """Records that the totals do not count, and why."""

    @property
    def parts(self) -> tuple[HistoryReport | LookReport, ...]:
        """All that was asked for."""
        return (*self.histories, *self.looks)

    @property
    def complete(self) -> bool:
        """Return True if everything was answered, or is not offered to this account, and no doubt is left."""
        return self.ended and all(each.complete for each in self.parts)

    @property
    def records(self) -> int:
        """Return the number of all records."""
        return sum(history.records for history in self.histories)

    @property
    def gaps(self) -> int:
        """Return the number of periods or looks that are missing or in doubt."""
        return sum(len(each.missing) or not each.complete for each in self.parts)

    def as_json(self) -> str:
        """Return the report as plain JSON values."""
        return json_text(json.dumps(self._plain(), indent=2, ensure_ascii=False)) + "\n"

    def _plain(self) -> Plain:
        return {
            "account": self.account,
            "since": self.since,
            "until": self.until,
            "library": self.library,
            "digest": self.digest,
            "complete": self.complete,
            "ended": self.ended,
            "records": self.records,
            "gaps": self.gaps,
            "histories": [{**_members(each), "complete": each.complete} for each in self.histories],
            "looks": [{**_members(each), "complete": each.complete} for each in self.looks],
            "totals": [{**_members(each), "net": format(each.net, "f")} for each in self.totals],
            "balances": [plain(each) for each in self.balances],
            "months": dict(self.months),
            "left_out": [plain(each) for each in self.left_out],
            "cannot_give": list(CANNOT_GIVE),
        }

    def as_markdown(self) -> str:
        """For people, and for programs that show Markdown."""
        from ._pages import markdown_page, page_of  # that module shows what this one has found

        return markdown_page(page_of(self))

    def as_html(self) -> str:
        """For people with a browser: one file without scripts, which loads nothing."""
        from ._pages import html_page, page_of  # as above

        return html_page(page_of(self))


def _members(value: object) -> Mapping[str, Plain]:
    members = plain(value)
    assert isinstance(members, Mapping)
    return members


def read_report(reader: Reader) -> ArchiveReport:
    """The report of an archive as it is now."""
    meta = reader.meta
    notes = dict[str, list[NoteRow]]()
    for note in reader.notes():
        notes.setdefault(note.of, []).append(note)
    histories = tuple(
        _history(reader, row, notes.pop(row.name, [])) for row in sorted(reader.histories(), key=lambda row: row.name)
    )
    looks = tuple(_look(row, notes.pop(row.name, [])) for row in reader.looks())
    movements = movements_of(reader)
    totals = _totals(movements)
    return ArchiveReport(
        since=meta.since,
        until=meta.until,
        account=meta.account,
        library=meta.library,
        digest=meta.digest,
        histories=histories,
        looks=looks,
        ended=meta.ended,
        totals=totals,
        balances=tuple(_balances(reader)),
        months=tuple(_filled(reader.months())),
        left_out=movements.left_out,
    )


def _history(reader: Reader, row: HistoryRow, notes: Iterable[NoteRow]) -> HistoryReport:
    windows = reader.windows(row.name)
    doubts = [note for note in notes if not note.resolved]
    missing = [*_joined(_missing(windows, row.endpoint)), *(_doubt(note) for note in doubts)]
    state = State(row.state)
    if not state.complete and not missing:
        # No window was decided: the whole history is missing.
        missing.append(Missing(row.since, row.until, row.state, row.reason, advice(row.code, row.endpoint)))
    return HistoryReport(
        name=row.name,
        endpoint=row.endpoint,
        since=row.since,
        until=row.until,
        state=row.state,
        reason=row.reason,
        code=row.code,
        windows=len(windows),
        requests=row.requests,
        records=row.records,
        missing=tuple(missing),
        doubts=len(list(notes)),
        oldest=reader.oldest(row.name),
        omits=find_walk(row.endpoint).omits,
    )


def _missing(windows: Iterable[WindowRow], endpoint: str) -> Iterator[Missing]:
    for window in windows:
        state = State(window.state)
        if not state.complete:
            yield Missing(window.since, window.until, window.state, window.reason, advice(window.code, endpoint))
        elif window.gap is not None and state is not State.NOT_OFFERED:
            yield Missing(window.gap.since, window.gap.until, "gap", window.gap.reason)


def _joined(missing: Iterable[Missing]) -> list[Missing]:
    joined: list[Missing] = []
    for each in missing:
        last = joined[-1] if joined else None
        if last is not None and last.until == each.since and (last.state, last.reason) == (each.state, each.reason):
            joined[-1] = attrs.evolve(last, until=each.until)
        else:
            joined.append(each)
    return joined


def _doubt(note: NoteRow) -> Missing:
    return Missing(note.since or 0, note.until or 0, note.what, note.text)


def _look(row: LookRow, notes: Iterable[NoteRow]) -> LookReport:
    return LookReport(
        name=row.name,
        state=row.state,
        reason=row.reason,
        code=row.code,
        advice=advice(row.code, row.endpoint) if not State(row.state).complete else "",
        missing=tuple(_doubt(note) for note in notes if not note.resolved),
    )


# ---- what the account did -------------------------------------------------------------------------------------------

_PLAIN: Final = {
    Kind.DEPOSIT: ("came_in", "went_out"),
    Kind.WITHDRAWAL: ("came_in", "went_out"),
    Kind.TRANSFER: ("came_in", "went_out"),
    Kind.TRADE: ("bought", "sold"),
}
"""The totals that count received and sent amounts; both are sums of positive amounts."""
_SIGNED: Final = {Kind.REALISED: "realised", Kind.FUNDING: "funding"}
"""The totals that count received minus sent amounts; all other kinds count as ``other``."""


def _totals(movements: Iterable[Movement]) -> tuple[Total, ...]:
    found = dict[tuple[str, int], Total]()

    def add(coin: str, year: int, name: str, number: Decimal) -> None:
        total = found.get((coin, year))
        if total is None:
            total = found[coin, year] = Total(coin=coin, year=year)
        setattr(total, name, EXACT.add(getattr(total, name), number))

    for each in movements:
        year = (_EPOCH + timedelta(milliseconds=each.time)).year
        inward, outward = _PLAIN.get(each.kind, (None, None))
        for number, coin, name, sign in (
            (each.received, each.received_coin, inward, 1),
            (each.sent, each.sent_coin, outward, -1),
        ):
            if number is None:
                continue
            if name is not None:
                add(coin, year, name, number)
            elif each.kind is Kind.FEE:
                add(coin, year, "fees", number.copy_negate() if sign > 0 else number)
            else:
                add(coin, year, _SIGNED.get(each.kind, "other"), number if sign > 0 else number.copy_negate())
        if each.fee is not None:
            add(each.fee_coin, year, "fees", each.fee)
    return tuple(found[key] for key in sorted(found))


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    total = _ZERO
    for each in amounts:
        total = EXACT.add(total, each)
    return total


def _filled(months: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """Every month from the first to the last, those without records too."""
    known = sorted(months)
    if not known:
        return
    year, month = map(int, known[0].split("-"))
    while (name := f"{year:04}-{month:02}") <= known[-1]:
        yield name, months.get(name, 0)
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)


# ---- balances -------------------------------------------------------------------------------------------------------

_WALLETS: Final = (
    ("spot", "spot.account.spot_balances", ("id", "currency"), ("available",), ("frozen",)),
    ("account", "spot.account.balances", ("currency", "id"), ("available",), ("unAvailable", "frozen")),
    ("funding", "spot.account.balances", ("currency", "id"), ("fundAvailable",), ("fundFrozen", "fundFroze")),
    (
        "futures",
        "futures.account.assets",
        ("currency",),
        ("available_balance",),
        ("position_deposit", "frozen_balance"),
    ),
    ("savings", "spot.earn.holdings", ("coinName",), ("totalUserSum",), ()),
)
"""Wallet, look, and the members with the coin, the free and the held amount (for the futures wallet: the sum)."""


def _balances(reader: Reader) -> Iterator[Balance]:
    found = dict[tuple[str, str], Balance]()
    for wallet, look, names, frees, helds in _WALLETS:
        for entry in looked_up(reader, look):
            coin = next((str(entry[name]) for name in names if entry.get(name)), "")
            free = _first(entry, frees)
            if wallet == "futures":
                held: Decimal | None = _sum(filter(None, (_first(entry, (name,)) for name in helds)))
            else:
                held = _first(entry, helds)
            if coin and (free or held):
                found[wallet, coin] = Balance(wallet, coin, free or _ZERO, held or _ZERO)
    for entry in looked_up(reader, "spot.margin.accounts"):
        for side in ("base", "quote"):
            asset = entry.get(side)
            if isinstance(asset, Mapping):
                members = cast("Mapping[str, object]", asset)
                coin = str(members.get("currency") or "")
                free, held = _first(members, ("available",)), _first(members, ("frozen",))
                if coin and (free or held):
                    wallet = f"margin {entry.get('symbol', '')}".strip()
                    found[wallet, coin] = Balance(wallet, coin, free or _ZERO, held or _ZERO)
    yield from (found[key] for key in sorted(found))


def _first(entry: Mapping[str, object], names: Iterable[str]) -> Decimal | None:
    for name in names:
        value = entry.get(name)
        try:
            return amount({name: format(value, "f") if isinstance(value, Decimal) else str(value or "")}, name)
        except Unplaced:
            continue
    return None


# ---- files ----------------------------------------------------------------------------------------------------------


def report_files(report: ArchiveReport) -> dict[str, bytes]:
    """The report's three forms by their files' names."""
    return {
        MARKDOWN: report.as_markdown().encode(),
        HTML: report.as_html().encode(),
        JSON: report.as_json().encode(),
    }


def write_reports(folder: Folder, reader: Reader) -> ArchiveReport:
    """Write the report in all its forms, each file whole or not at all."""
    report = read_report(reader)
    for name, data in report_files(report).items():
        folder.write(name, data)
    return report
