"""What waits to be sent, and the venue's allowance of messages."""

from __future__ import annotations

from bitmart_trio._core.outbox import Outbox


def test_the_allowance_leaves_room_for_pings() -> None:
    """Ten messages in a minute: five may be used up, and a ping goes whatever is used."""
    box = Outbox(10, 60.0)
    for _ in range(5):
        assert box.has_room(0.0)
        box.put(0.0, "frame")
    assert not box.has_room(59.0)
    box.put(59.0, "ping", "ping")
    assert box.take(59.0) == (["frame"] * 5 + ["ping"], {"ping"})


def test_a_frame_counts_from_when_it_is_taken() -> None:
    """The exchange counts what it gets, when it gets it."""
    box = Outbox(6, 10.0)
    box.put(0.0, "frame")
    box.take(5.0)
    assert box.room_at() == 15.0
    assert not box.has_room(14.9)
    assert box.has_room(box.room_at())


def test_answers_are_awaited_once() -> None:
    """From the time when their frames are taken."""
    box = Outbox(100, 10.0)
    box.put(0.0, "login", "login")
    box.put(0.0, "follow", "topics")
    assert box.take(1.0) == (["login", "follow"], {"login", "topics"})
    assert box.take(2.0) == ([], set())


def test_what_is_dropped_is_not_sent() -> None:
    """When the connection dies."""
    box = Outbox(100, 10.0)
    box.put(0.0, "frame")
    box.clear()
    assert box.take(1.0)[0] == []
