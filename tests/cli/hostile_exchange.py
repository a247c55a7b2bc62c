"""A simulated exchange that works, and whose every word is an attack on what shows it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from queue import Queue
from threading import Thread
from typing import Any, ClassVar, Final, cast

import attrs
import trio

import bitmart_trio as bm
from bitmart_trio.sim.faults.answers import Asked, AtAnswer

MARK: Final = "[/x][bold red]"
"""Markup of rich; it is in every hostile word, and a view that shows the word shows it."""
HOSTILE: Final = f"\x1b[2J\x1b]0;x\x07\x9b31m\r\u202e\u200b{MARK}$(id)`id`|<img src=x onerror=alert(1)>\nsecond line"
"""What a word has behind it: control characters, another direction of writing, markup, commands, HTML, a line end."""
RAW: Final = "\x07\x9b\r\u202e\u200b"
"""Characters of it that no output has, whatever the output's own escape sequences are."""

_NAMED: Final = frozenset(
    {"symbol", "side", "type", "state", "status", "trade_status", "action", "event", "table", "group", "topic"}
)
"""Members by which a client goes on: they are spoiled where nothing else follows from them."""


def hostile(word: str) -> str:
    """The word, in front of it what makes it a formula, behind it everything else."""
    return f"=1+1{word}{HOSTILE}"


def spoiled(value: object, *, kept: frozenset[str] = frozenset(), ids: bool = False) -> Any:
    """A reply or push whose words are hostile; numbers, and members that are kept, stay. Texts of digits may be ids."""
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
        return {name: each if name in kept else spoiled(each, kept=kept, ids=ids) for name, each in members.items()}
    if isinstance(value, list):
        return [spoiled(each, kept=kept, ids=ids) for each in cast("list[object]", value)]
    if isinstance(value, str) and value and (ids or not value.replace(".", "", 1).lstrip("-").isdecimal()):
        return hostile(value)
    return value


@attrs.frozen
class HostileWords(AtAnswer):
    """Every word of replies and pushes is hostile."""

    at_writes: ClassVar[bool] = True
    at_pushes: ClassVar[bool] = True

    def answer(self, asked: Asked) -> Any:
        """What decides whether a command goes on stays: the rules of a market are found by its symbol."""
        rules = asked.route.path.endswith("/details")
        return spoiled(asked.plain(), kept=_NAMED if rules else frozenset(), ids=asked.route.writes)

    def push(self, frame: Any, memory: dict[str, str]) -> Any:
        """A push of futures is found by its group alone; on spot the symbol in it counts."""
        return spoiled(frame, kept=_NAMED - {"symbol"} if "group" in frame else _NAMED)


@contextmanager
def hostile_exchange() -> Generator[str]:
    """Run it in a thread of its own, the account with an open order on both markets and a position; gives its URL."""
    opened: Queue[tuple[str, trio.lowlevel.TrioToken, trio.CancelScope] | BaseException] = Queue()

    async def serve() -> None:
        with trio.CancelScope() as scope:
            async with bm.sim.open_server(seed=7) as server:
                async with server.open_client() as client:
                    await client.spot.trading.submit_order(
                        "BTC_USDT", side="buy", type="limit", size="0.01", price="30000"
                    )
                    trading = client.futures.trading
                    more = {"symbol": "BTCUSDT", "leverage": "5", "open_type": "isolated"}
                    await trading.submit_order(side=4, type="limit", size=3, price="90000", **more)  # type: ignore[arg-type]
                    await trading.submit_order(side=1, type="market", size=3, **more)  # type: ignore[arg-type]
                server.faults.add(HostileWords())
                opened.put((server.url, trio.lowlevel.current_trio_token(), scope))
                await trio.sleep_forever()

    def run() -> None:
        try:
            trio.run(serve)
        except BaseException as error:  # noqa: ASYNC103, BLE001 - raised again in the thread of the test
            opened.put(error)

    thread = Thread(target=run)
    thread.start()
    begun = opened.get(timeout=60)
    if isinstance(begun, BaseException):
        thread.join()
        raise begun
    url, token, scope = begun
    try:
        yield url
    finally:
        token.run_sync_soon(scope.cancel)
        thread.join()
