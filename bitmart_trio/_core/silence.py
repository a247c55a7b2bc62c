"""Topics that go quiet while their connection lives. What was heard and the time go in, what to do comes out.

A channel whose cadence is known has a deadline (`Channel.silence`). A topic of such a channel that sends nothing until
the deadline is *probed*: its state is requested where the channel takes the request verb, otherwise the topic is
subscribed to afresh. If the topic is still quiet half the deadline later, its connection must be replaced.

* The quiet period is a gap, whatever the probe brings: a healthy topic of such a channel is never that quiet.
* An answer to a request does not prove that the subscription lives. So consecutive probes with nothing but answers
  between them alternate: a request, then a fresh subscription. Each waits twice as long as the one before, up to an
  hour (an empty book may rightly send nothing after its snapshot).
* A connection is replaced for a topic once. If the topic is silent on the new connection too, another would not help:
  from then on the topic is only probed, until it sends again.
* A topic that need not send after being subscribed is not timed before its first item, on this connection or an earlier
  one. A topic whose last items say that silence is normal now is not timed either (`Channel.rests`: a closed position).
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
    """True if the exchange answers requests for the topic."""
    prompt: bool
    """True if the topic sends after being subscribed, whatever the market does."""
    rests: Callable[[Any], bool] | None
    """Returns True if silence is normal after an item."""
    watch: Watch
    """The watch of the connection that carries the topic now."""
    heard: float = 0.0
    quiet: float | None = None
    """Since when the topic is quiet, once it has been probed."""
    _mark: float = 0.0
    """The time from which silence counts."""
    _probed: float | None = None
    """When the topic was probed, while an answer is awaited."""
    _probes: int = 0
    """Consecutive probes with nothing but answers to them in between."""
    _armed: bool = False
    _futile: bool = False
    """True if a connection was replaced for the topic, and the topic has sent nothing since."""
    _spoken: bool = False
    """True if the topic has sent, on whatever connection, and its last item let expect more."""
    _answer_due: bool = False
    """True if its state was requested: the next push may be the answer, and does not show that the subscription lives.
    """
    _well: bool = False
    """True if the topic sends as expected: one more push changes nothing but the time."""

    def start(self, now: float) -> None:
        """It is acknowledged, on a new connection."""
        self.heard = self._mark = now
        # If the topic was quiet when the old connection ended, it may still be: the gap ends when the topic sends.
        self.quiet = None if self.quiet is None else now
        self._probed = None
        self._armed, self._well = self.prompt or self._spoken, False
        if self._spoken and self.rests is not None:
            self._futile = True  # the topic may have come to rest in the gap: no reason to replace a connection
        self.watch.hasten(self.due())

    def stop(self, now: float) -> float | None:
        """Its connection is gone: since when it was quiet then; None if there is no telling."""
        if self._armed and now >= self.heard + self.patience:
            self.quiet = self.heard  # the topic was quiet, but its probe was not due yet
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
        spoke: called when a probed topic sends again (topic, since when it was quiet, the time), before its items are
            delivered.
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
        topic: the topic to time.
        overrides: `Config.silence`; a whole topic takes precedence over a channel's name.
        watch: the watch of the connection that carries the topic.
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
