"""Counts of the open objects at one moment: tasks, sockets, streams, channels, locks, slots, files.

Two counts show leaks. The objects are found in the garbage collector's list.
"""

from __future__ import annotations

import gc
import os
import re
import stat
import warnings
import weakref
from collections import Counter
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from types import AsyncGeneratorType
from typing import TYPE_CHECKING, Final, Literal, TextIO, TypeAlias, cast

import trio

if TYPE_CHECKING:
    import httpcore

Kind: TypeAlias = Literal[
    "task", "socket", "stream", "channel", "lock", "slot", "file", "process", "generator", "warning"
]
"""The kind of an object that can be left behind.

``stream``: any Trio resource that records whether it is closed, including memory streams and subscriptions. ``slot``: a
token of a limiter, a place in a pool. ``generator``: an asynchronous generator that was started and not finished.
``warning``: a warning of Python about something that was never closed or awaited.
"""

Count: TypeAlias = "Counter[tuple[Kind, str]]"
"""The number of objects by description."""

Probe: TypeAlias = Callable[[object], "tuple[Kind, str, int] | None"]

_SOCKET: Final[tuple[Kind, str]] = ("socket", "a socket of the operating system")
_IDLE: Final[tuple[Kind, str]] = ("stream", "an idle connection")
_PER_IDLE: Final[dict[tuple[Kind, str], int]] = {
    ("task", "bitmart_trio.sim.venue.Venue._serve"): 1,
    ("stream", "an open bitmart_trio.sim.faces.pipe.Pipe"): 2,
    _SOCKET: 2,
}
"""The objects of an idle HTTP connection: not a leak, since the number of idle connections is arbitrary."""

OURS: Final = "bitmart_trio.testing: "
"""The prefix of the names of the sweep's own tasks, which are not counted."""


class Watch:
    """Counts the open objects that were created since the watch was made.

    Args:
        old: whether to count earlier objects too; finding them takes time in a large program, once.
    """

    def __init__(self, *, old: bool) -> None:
        gc.collect()
        self._old: list[Callable[[], object]] = []
        if old:
            # Objects that an earlier watch froze are no longer listed, so they are remembered.
            _REMEMBERED.extend(_weakly(item) for item in gc.get_objects() if _probe(item) is not None)
            _REMEMBERED[:] = [item for item in _REMEMBERED if item() is not None]
            self._old = list(_REMEMBERED)
        # Frozen objects are no longer listed: from now on a count takes milliseconds, even in a large program.
        gc.freeze()

    def count(self, ignore: Collection[Kind] = (), *, complaints: Iterable[str] = ()) -> Count:
        """Count the objects that are open now, inside or outside a run.

        Args:
            ignore: kinds that are left out.
            complaints: the warnings that `complaining` has collected.
        """
        gc.collect()
        found: Count = Counter(("task", name) for name in _tasks())
        found.update(_descriptors())
        for item in chain((old() for old in self._old), gc.get_objects()):
            probe = _probe(item)
            if probe is not None and (entry := probe(item)) is not None:
                kind, what, number = entry
                found[kind, what] += number
        found.update(("warning", text) for text in complaints)
        for key in [key for key in found if key[0] in ignore]:
            del found[key]
        return found


_REMEMBERED: Final[list[Callable[[], object]]] = []
"""The objects that watches have found and frozen, until they are unfrozen."""


def _weakly(item: object) -> Callable[[], object]:
    """Return a weak reference to an object, or a strong one if its type allows no other."""
    try:
        return weakref.ref(item)
    except TypeError:
        return lambda: item


def more(now: Count, allowed: Sequence[Count]) -> list[str]:
    """Return the objects beyond all allowed counts, as lines for the user."""

    def over(key: tuple[Kind, str]) -> int:
        return now[key] - max((each[key] for each in allowed), default=0)

    idle = max(0, over(_IDLE))
    lines: list[str] = []
    for key in sorted(now):
        left = over(key) - idle * _PER_IDLE.get(key, 0)
        if left > 0 and key != _IDLE:
            lines.append(f"{left} x {key[0]}: {key[1]}")
    return lines


@contextmanager
def remembering() -> Generator[None]:
    """Unfreeze after the block what each `Watch` in it froze, unless the program had frozen objects before."""
    before = gc.get_freeze_count()
    try:
        yield
    finally:
        if not before:
            gc.unfreeze()
            _REMEMBERED.clear()


@contextmanager
def complaining() -> Generator[list[str]]:
    """Collect Python's warnings about objects never closed or awaited; other warnings are shown as before."""
    heard: list[str] = []
    never_awaited = re.compile(r"coroutine .* was never awaited")

    with warnings.catch_warnings():
        show = warnings.showwarning

        def listen(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            text = " ".join(str(message).split())
            if issubclass(category, ResourceWarning) or never_awaited.match(text):
                heard.append(re.sub(r"0x[0-9a-f]+|fd=\d+|\('[^']*', \d+\)", "...", text))
            else:
                show(message, category, filename, lineno, file, line)

        warnings.simplefilter("always", ResourceWarning)
        warnings.filterwarnings("always", never_awaited.pattern, RuntimeWarning)
        warnings.showwarning = listen
        yield heard


def _tasks() -> Iterable[str]:
    try:
        root = trio.lowlevel.current_root_task()
    except RuntimeError:
        return
    for task in family(root):
        if not task.name.startswith(OURS):
            yield task.name


def family(task: trio.lowlevel.Task | None) -> Iterator[trio.lowlevel.Task]:
    """Yield a task and all tasks below it, parents first."""
    queue = [] if task is None else [task]
    while queue:
        first = queue.pop(0)
        yield first
        queue += [child for nursery in first.child_nurseries for child in nursery.child_tasks]


def _descriptors() -> Iterable[tuple[Kind, str]]:
    """Open file descriptors, on systems that list them."""
    try:
        numbers = [int(name) for name in os.listdir("/dev/fd")]  # noqa: PTH208  # only the number is needed
    except OSError:
        return
    for number in numbers:
        try:
            mode = os.fstat(number).st_mode
        except OSError:
            continue  # the descriptor that was open only to list the others
        if stat.S_ISSOCK(mode):
            yield _SOCKET
        elif stat.S_ISREG(mode) or stat.S_ISDIR(mode):
            try:
                yield "file", str(Path(f"/proc/self/fd/{number}").readlink())
            except OSError:
                yield "file", "a file"
        else:
            yield "file", "a pipe or device"


# ---- probes: whether a single object is open -----------------------------------------------------------------------


def _lock(item: object) -> tuple[Kind, str, int] | None:
    lock = cast("trio.Lock", item)
    if not lock.locked():
        return None
    owner = lock.statistics().owner
    return "lock", f"a {type(item).__name__} held by {'a task' if owner is None else owner.name}", 1


def _limiter(item: object) -> tuple[Kind, str, int] | None:
    taken = cast("trio.CapacityLimiter", item).borrowed_tokens
    return ("slot", "a token of a CapacityLimiter", taken) if taken else None


def _semaphore(item: object) -> tuple[Kind, str, int] | None:
    semaphore = cast("trio.Semaphore", item)
    # Without a known maximum the count is negative: if fewer permits are free, more are held (-2 is more than -3).
    return "slot", "a token of a Semaphore", (semaphore.max_value or 0) - semaphore.value


def _channel(item: object) -> tuple[Kind, str, int] | None:
    end = cast("trio.MemorySendChannel[object] | trio.MemoryReceiveChannel[object]", item)
    try:
        end.clone().close()
    except trio.ClosedResourceError:
        return None
    both = end.statistics()
    # With one side closed no task can wait at the other, which need not be closed: trio-websocket does not.
    if not both.open_send_channels or not both.open_receive_channels:
        return None
    return "channel", f"an open {type(item).__name__}", 1


def _memory_stream(item: object) -> tuple[Kind, str, int] | None:
    queue = getattr(item, "_outgoing", None) or getattr(item, "_incoming", None)
    return None if getattr(queue, "_closed", True) else ("stream", f"an open {type(item).__name__}", 1)


def _websocket(item: object) -> tuple[Kind, str, int] | None:
    return ("socket", "an open WebSocketConnection", 1) if getattr(item, "closed", True) is None else None


def _idle(item: object) -> tuple[Kind, str, int] | None:
    return (*_IDLE, 1) if cast("httpcore.AsyncHTTP11Connection", item).is_idle() else None


def _connections(item: object) -> tuple[Kind, str, int] | None:
    open_ = cast("int", getattr(item, "open", 0))
    return ("slot", "a place among the connections of this address", open_) if open_ else None


def _process(item: object) -> tuple[Kind, str, int] | None:
    process = cast("trio.Process", item)
    return ("process", f"process {process.pid} still runs", 1) if process.poll() is None else None


def _generator(item: object) -> tuple[Kind, str, int] | None:
    generator = cast("AsyncGeneratorType[object, object]", item)
    return None if generator.ag_frame is None else ("generator", generator.__qualname__, 1)


def _resource(item: object) -> tuple[Kind, str, int] | None:
    closed: object = getattr(item, "_closed", True)
    return ("stream", f"an open {type(item).__module__}.{type(item).__qualname__}", 1) if closed is False else None


_BY_NAME: Final[dict[str, Probe]] = {
    "trio.Lock": _lock,
    "trio.StrictFIFOLock": _lock,
    "trio.CapacityLimiter": _limiter,
    "trio.Semaphore": _semaphore,
    "trio.MemorySendChannel": _channel,
    "trio.MemoryReceiveChannel": _channel,
    "trio.Process": _process,
    "trio.testing.MemorySendStream": _memory_stream,
    "trio.testing.MemoryReceiveStream": _memory_stream,
    "trio_websocket._impl.WebSocketConnection": _websocket,
    "httpcore.AsyncHTTP11Connection": _idle,
    "bitmart_trio._io.connection_limits._Count": _connections,
    "builtins.async_generator": _generator,
}
"""The probes by name of the class, so that no module is imported only to look for its objects."""


_PROBES: Final[dict[type, Probe | None]] = {}


def _probe(item: object) -> Probe | None:
    kind = type(item)
    try:
        return _PROBES[kind]
    except KeyError:
        # Not every class has these attributes: the metaclass of h11's markers removes them.
        probe = _BY_NAME.get(f"{getattr(kind, '__module__', '')}.{getattr(kind, '__qualname__', '')}")
        if probe is None and issubclass(kind, trio.abc.AsyncResource):
            probe = _resource
        _PROBES[kind] = probe
        return probe
