"""Frames to send, within the venue's allowance of messages. Time is a number passed in."""

from __future__ import annotations

from collections import deque
from typing import Final, Literal, TypeAlias

Answer: TypeAlias = Literal["ping", "login", "topics"]
"""The purpose of a frame whose answer is awaited."""

_SPARE: Final = 5
"""The part of the allowance that stays free for pings."""


class Outbox:
    """See the head of this file.

    The time to answer a frame begins when the frame is taken for sending, not when it is put here: a program that keeps
    its loop busy in between has sent nothing yet.

    Args:
        messages: the number of messages allowed in ``per`` seconds.
        per: the length of the window in seconds.
    """

    def __init__(self, messages: int, per: float) -> None:
        self._most = messages - _SPARE
        self._per = per
        self._frames: deque[str] = deque()
        self._times: deque[float] = deque()
        """The times of the frames that still count, sent or put here."""
        self._answers: set[Answer] = set()
        """The expected answers to the frames that wait here."""

    def put(self, now: float, text: str, answer: Answer | None = None) -> None:
        """Send a frame, whatever the allowance says."""
        self._times.append(now)
        self._frames.append(text)
        if answer is not None:
            self._answers.add(answer)

    def has_room(self, now: float) -> bool:
        """True if the allowance lets another frame go."""
        # The same sum as in `room_at`: with a subtraction instead, rounding could make that moment ineffective.
        while self._times and self._times[0] + self._per <= now:
            self._times.popleft()
        return len(self._times) < self._most

    def room_at(self) -> float:
        """Return when there is room again, if there is none now."""
        return self._times[0] + self._per if self._times else 0.0

    def take(self, now: float) -> tuple[list[str], set[Answer]]:
        """Return the frames to send now, in order, and which answers are awaited from now on; each is given once."""
        frames, answers = list(self._frames), self._answers
        self._frames.clear()
        for _ in frames:  # the exchange counts frames when they arrive
            self._times.pop()
        self._times.extend([now] * len(frames))
        if answers:
            self._answers = set()
        return frames, answers

    def clear(self) -> None:
        """Drop what waits here."""
        self._frames.clear()
