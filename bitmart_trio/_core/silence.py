"""Topics that go quiet while their connection lives. What was heard and the time go in, what to do comes out.

A channel whose cadence is known has a deadline (`Channel.silence`). A topic of it that says nothing for so long is
*probed*: asked for its state where the channel takes the request verb, else subscribed to afresh. If it is still quiet
half the deadline later, its connection is to be replaced.

* The quiet stretch is a gap, whatever the probe brings: a healthy topic of such a channel is never that quiet.
* An answer to a request does not prove that the subscription lives. So probes that follow each other with nothing but
  answers between them take turns: a request, then a fresh subscription. Each has twice the patience of the one before,
  up to an hour (an empty book may rightly say nothing after its snapshot).
* A connection is replaced for a topic once. If the topic is mute on the new one too, another would not help: it is
  only probed from then on, until it speaks.
* A topic that need not speak after being subscribed is not timed before it has spoken, on this connection or one
  before. Nor is one whose last items say that quiet is normal now (`Channel.rests`: a position that is closed).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import attrs

from .dialect import Topic

_LONGEST: Final = 3600.0
_NEVER: Final = float("inf")

Action: TypeAlias = Literal["request", "renew", "replace"]


class Quiet(NamedTuple):
    """A topic has been quiet for too long; what to do about it."""

    topic: str
    seconds: float
    action: Action


@attrs.define(eq=False)
class Pulse:
    """When a topic was last heard of. The router calls `beat` for every push of it, before the items are handed out."""

    topic: str
    patience: float
    requests: bool
    """True if the exchange answers requests for it."""
    prompt: bool
    """True if it sends after being subscribed, whatever the market does."""
    rests: Callable[[Any], bool] | None
    """Returns True if silence is normal after an item."""
    watch: Watch
    """That of the connection which carries it now."""
    heard: float = 0.0
    quiet: float | None = None
    """Since when it is quiet, once it has been probed for that."""
    _mark: float = 0.0
    """Not before this time does the patience count."""
    _probed: float | None = None
    """When it was probed, while an answer is awaited."""
    _probes: int = 0
    """In a row, without anything but answers to them between."""
    _armed: bool = False
    _futile: bool = False
    """A connection was replaced for it, and it has said nothing since."""
    _spoken: bool = False
    """When it spoke last, on whatever connection, it was to go on."""
    _answer_due: bool = False
    """Somebody has asked for its state: the next push may be the answer, and does not show that the subscription lives.
    """
    _well: bool = False
    """It was heard as it should be: one more push changes nothing but the time."""

    def start(self, now: float) -> None:
        """It is acknowledged, on a new connection."""
        self.heard = self._mark = now
        # If it was quiet when the old one went, it may be so still: the gap ends when it speaks.
        self.quiet = None if self.quiet is None else now
        self._probed = None
        self._armed, self._well = self.prompt or self._spoken, False
        if self._spoken and self.rests is not None:
            self._futile = True  # it may have come to rest in the gap: no reason to replace a connection
        self.watch.hasten(self.due())

    def stop(self, now: float) -> float | None:
        """Its connection is gone: since when it was quiet then; None if there is no telling."""
        if self._armed and now >= self.heard + self.patience:
            self.quiet = self.heard  # it only was not due to be probed yet
        known = self._armed or self.quiet is not None
        self._armed = self._well = False
        return self.heard if known else None

    def asked(self) -> None:
        """Its state was requested, for another reason than its silence."""
        self._answer_due, self._well = True, False

    def beat(self, items: Iterable[object], now: float) -> None:
        """A push of it has come."""
        if self._well:
            self.heard = now
            return
        if self._answer_due:
            self._answer_due = False
            if self._armed and self.quiet is None:
                return
        self.heard = now
        since, self.quiet = self.quiet, None
        if since is None:
            self._probes = 0
        else:
            self._probed = None
            if now > since:
                self.watch.spoke(self.topic, since, now)
        self._futile = False
        was_armed, self._armed = self._armed, self.rests is None or not all(map(self.rests, items))
        self._spoken = self._armed
        self._well = self.rests is None and self._probes == 0
        if self._armed and not was_armed:
            self.watch.hasten(self.due())

    def due(self) -> float:
        """When something must be done about it."""
        if not self._armed:
            return _NEVER
        if self._probed is not None:
            return self._probed + self.patience / 2
        return max(self._mark, self.heard) + min(
            self.patience * 2.0 ** min(self._probes, 32), max(_LONGEST, self.patience)
        )

    def act(self, now: float) -> Quiet | None:
        """Return the action that is due now."""
        self._well = False
        if self.quiet is None:
            self.quiet = self.heard
        seconds = now - self.quiet
        if self._probed is None:
            self._probed = now
            self._probes += 1
            return Quiet(self.topic, seconds, "request" if self.requests and self._probes % 2 else "renew")
        self._probed = None
        self._mark = now
        if self._futile:
            return None
        self._futile = True
        return Quiet(self.topic, seconds, "replace")


class Watch:
    """The timed topics of one connection.

    Args:
        spoke: called when a probed topic sends again (topic, since when it was quiet, the time), before
            its items are handed out.
        hastened: called when `due` has become earlier.
    """

    def __init__(self, spoke: Callable[[str, float, float], None], hastened: Callable[[], None]) -> None:
        self.spoke = spoke
        self._hastened = hastened
        self._pulses: dict[str, Pulse] = {}
        self._due = _NEVER

    def add(self, pulse: Pulse) -> None:
        """Time a topic, once it is started."""
        pulse.watch = self
        self._pulses[pulse.topic] = pulse

    def discard(self, pulse: Pulse) -> None:
        """Time a topic no longer."""
        self._pulses.pop(pulse.topic, None)

    def hasten(self, due: float) -> None:
        """Something may be due earlier than was thought."""
        if due < self._due:
            self._due = due
            self._hastened()

    def due(self) -> float:
        """When `act` must be called at the latest; it may turn out that there is nothing to do."""
        return self._due

    def act(self, now: float) -> list[Quiet]:
        """Return the actions that are due now, at most one per topic."""
        done = [pulse.act(now) for pulse in self._pulses.values() if now >= pulse.due()]
        self._due = min((pulse.due() for pulse in self._pulses.values()), default=_NEVER)
        return [quiet for quiet in done if quiet is not None]


def pulse_of(topic: Topic, overrides: Mapping[str, float | None], watch: Watch) -> Pulse | None:
    """The pulse of a topic; None where quiet is normal.

    Args:
        topic: what is timed.
        overrides: `Config.silence`; a whole topic goes before a channel's name.
        watch: of the connection that carries it.
    """
    channel = topic.channel
    patience = None if channel is None else channel.silence
    for name in (topic.text, topic.name):
        if name in overrides:
            patience = overrides[name]
            break
    if patience is None:
        return None
    if channel is None:
        return Pulse(topic.text, patience, requests=False, prompt=False, rests=None, watch=watch)
    return Pulse(
        topic.text, patience, requests=channel.requests, prompt=channel.prompt, rests=channel.rests, watch=watch
    )
