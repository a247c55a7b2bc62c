"""Asking the exchange for an archive: each try is on the disk before anything is made of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

import attrs
import trio

from ..._core.endpoint import Endpoint
from ..._io.capture import CAPTURE, Captured
from ...client import Client
from ...errors import AuthenticationError, BitMartError, ConfigurationError, InvalidRequest
from ...models._model import Model
from .._threads import Runner
from .._values import Plain, plain
from .._walk import Source
from ._entries import Asked, ReplyCame, State
from ._folder import ArchiveError
from ._judge import Judgement, judge
from ._kinds import find_endpoint
from ._writer import Store

_LONGEST_WAIT: Final = 60.0
_HEADERS: Final = ("content-type", "date", "retry-after", "cf-ray", "server")
_QUOTA: Final = "x-bm-ratelimit-"
_MESSAGE: Final = 300
"""The most characters of a reason that are kept: a message of the exchange has no documented length."""

PATIENCE: Final = 8
"""The most tries of one request, with growing delays: about two minutes in all."""


@attrs.frozen
class Progress(Model):
    """The progress of one history of an archive."""

    name: str
    """The endpoint and its arguments."""
    state: str
    """``running``, ``waiting`` (for the exchange), or the final state: ``answered``, ``not_offered``,
    ``not_permitted``, ``failed`` or ``unreadable``. ``notice`` is not a history: the note reports a change to the
    folder."""
    fraction: float
    """The fraction of its range that is done, from 0 to 1."""
    records: int
    """The number of records that this run has read."""
    requests: int
    gaps: int
    note: str = ""
    """Why the history waits, or was not answered."""


@attrs.frozen
class Judged:
    """The result of one request."""

    judgement: Judgement
    """The judgement of the last try."""
    reply: int | None
    """The number of the reply in the archive; None when no reply came."""


class Asker:
    """Asks the questions of one run.

    Args:
        client: the client of the archived account.
        store: keeps the replies.
        run: runs blocking code.
        tell: is called with each step.
    """

    def __init__(self, client: Client, store: Store, run: Runner, tell: Callable[[Progress], None]) -> None:
        self._client = client
        self._store = store
        self._run = run
        self._tell = tell
        self.requests = 0
        """How many tries there were."""

    async def ask(
        self,
        of: str,
        endpoint: str,
        arguments: Mapping[str, object],
        *,
        asked: Asked | None = None,
        tries: int = PATIENCE,
    ) -> Judged:
        """Ask until it is answered, refused for good, or has failed so many times.

        Raises:
            ArchiveError: a reply cannot be written to the disk.
            AuthenticationError: the key does not work.
        """
        wait, left = 1.0, tries
        while True:
            judged = await self._once(of, endpoint, arguments, asked)
            found = judged.judgement
            left = left - 1 if found.again else min(left - 1, 1)
            if found.state not in (State.FAILED, State.UNREADABLE) or found.too_old or left <= 0:
                return judged
            self._tell(Progress(of, "waiting", 0.0, 0, 0, 0, found.reason))
            await trio.sleep(wait)
            wait = min(wait * 2, _LONGEST_WAIT)

    async def _once(self, of: str, endpoint: str, arguments: Mapping[str, object], asked: Asked | None) -> Judged:
        last: list[Judged] = []

        async def keep(captured: Captured) -> None:
            if not captured.target.startswith(row.path):
                await trio.lowlevel.checkpoint()  # a call may request the exchange's clock in between
                return
            self.requests += 1
            found = judge(endpoint, captured.status, captured.body, captured.error)
            number: int | None = None
            if captured.status is not None:
                number = await self._run(partial(self._store.reply, self._entry(of, endpoint, captured, asked)))
            else:
                await trio.lowlevel.checkpoint()
            found = attrs.evolve(found, reason=found.reason[:_MESSAGE])
            last.append(Judged(found, number))

        row = find_endpoint(endpoint)
        market: Source = self._client.futures if endpoint.startswith("futures.") else self._client.spot
        token = CAPTURE.set(keep)
        try:
            await _call(market, row, arguments)
        except (ArchiveError, ConfigurationError):
            raise
        except InvalidRequest as error:
            # The exchange has listed a symbol or name that no request can carry.
            last.append(Judged(Judgement(State.FAILED, reason=str(error)[:_MESSAGE], again=False), None))
        except AuthenticationError as error:
            if not last or last[-1].judgement.key_refused:
                raise
            del error
        except BitMartError as error:
            if not last:
                last.append(Judged(Judgement(State.FAILED, reason=str(error)[:_MESSAGE]), None))
        finally:
            CAPTURE.reset(token)
        return last[-1]  # noqa: ASYNC910  # a part of calls that wait for the network or the disk

    @staticmethod
    def _entry(of: str, endpoint: str, captured: Captured, asked: Asked | None) -> ReplyCame:
        headers = {
            name: value for name, value in captured.headers.items() if name in _HEADERS or name.startswith(_QUOTA)
        }
        assert captured.status is not None
        return ReplyCame(
            of=of,
            endpoint=endpoint,
            method=captured.method,
            target=captured.target,
            request=captured.request.decode() if captured.request else None,
            at=captured.at,
            status=captured.status,
            headers=headers,
            body=captured.body,
            asked=asked,
        )


async def _call(market: Source, endpoint: Endpoint[object], arguments: Mapping[str, object]) -> None:
    await market.call(endpoint, **arguments)


def plain_arguments(arguments: Mapping[str, object]) -> dict[str, Plain]:
    """Arguments as the archive keeps them."""
    return {name: plain(value) for name, value in arguments.items()}
