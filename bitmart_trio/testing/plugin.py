"""The pytest plugin: a simulated exchange and a client as fixtures, and a seed that repeats a failing test.

    @pytest.mark.bitmart(seed=7, faults=["LoseReply:path=/spot/v2/submit_order"])
    async def test_my_bot(bitmart_client, autojump_clock):
        await my_bot(bitmart_client)

pytest finds the plugin by itself once the library is installed, in every run. So the plugin imports neither the library
nor Trio before a test needs them. The fixtures are asynchronous ones of pytest-trio; with ``autojump_clock`` the test
runs on virtual time.
"""

from __future__ import annotations

import inspect
import re
import shlex
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import pytest

if TYPE_CHECKING:
    from bitmart_trio.client import Client
    from bitmart_trio.sim import Venue

_MARKER: Final = "bitmart"
_SEED: Final = "bitmart_seed"
_OF_CLIENT: Final = ("credentials", "config")
_HELP: Final = (
    "bitmart(seed=0, faults=(), credentials='default', config=None, **options): run this test in an order of events "
    "that its seed decides, and set up bitmart_exchange (options as of bitmart_trio.sim.open_exchange; a fault may be "
    "a string) and bitmart_client."
)

_CERTIFY: Final = "bitmart_certify"
_CERTIFY_HELP: Final = (
    "bitmart_certify(seeds=20, **options): put this bot, an async function that takes a client, through bad days "
    "(options as of bitmart_trio.testing.certify); the test fails with the certificate."
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the plugin."""
    group = parser.getgroup("bitmart_trio")
    group.addoption(
        "--bitmart-seed", type=int, metavar="N", help="seed of marked tests, instead of that of their marker"
    )
    group.addoption(
        "--bitmart-runs",
        type=int,
        default=1,
        metavar="N",
        help="run each marked test under N seeds, from its own one on",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers with pytest."""
    config.addinivalue_line("markers", _HELP)
    config.addinivalue_line("markers", _CERTIFY_HELP)
    if _runs(config) < 1:
        raise pytest.UsageError("--bitmart-runs must be at least 1")


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(
    collector: pytest.Module | pytest.Class, name: str, obj: object
) -> list[pytest.Item] | None:
    """Collect a marked bot as a certificate: its arguments are not fixtures."""
    marks: object = getattr(obj, "pytestmark", ())
    for mark in cast("Sequence[pytest.Mark]", marks) if isinstance(marks, list | tuple) else ():
        if mark.name == _CERTIFY and inspect.iscoroutinefunction(obj):
            make = cast("Callable[..., pytest.Item]", getattr(_Certificate, "from_parent"))  # noqa: B009  # half typed
            return [make(collector, name=name, bot=obj, options=dict(mark.kwargs))]
    return None


class _Certificate(pytest.Item):
    """A test item that certifies one bot."""

    def __init__(self, *, bot: Callable[..., object], options: dict[str, object], **rest: object) -> None:
        super().__init__(**rest)  # type: ignore[arg-type]  # as passed by pytest
        self._bot = bot
        self._options = options

    def runtest(self) -> None:
        """Certify the bot."""
        from bitmart_trio.testing import certify  # here, since it imports the library

        options = cast("dict[str, Any]", {"seeds": 20, **self._options})
        certify(cast("Any", self._bot), **options).raise_if_failed()

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return the location of the bot."""
        return self.path, inspect.getsourcelines(self._bot)[1], f"certificate of {self.name}"

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        """Return the text of the certificate, without a traceback."""
        if isinstance(excinfo.value, AssertionError):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize a test with several seeds if ``--bitmart-runs`` is given."""
    runs = _runs(metafunc.config)
    if runs == 1 or not _concerned(metafunc.definition, metafunc.fixturenames):
        return
    first = _first_seed(metafunc.definition)
    if _SEED not in metafunc.fixturenames:
        metafunc.fixturenames.append(_SEED)
    seeds = range(first, first + runs)
    metafunc.parametrize(_SEED, seeds, indirect=True, ids=[f"seed{seed}" for seed in seeds])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Check the markers, and mark asynchronous tests that use this plugin as Trio tests."""
    has_trio = config.pluginmanager.hasplugin("trio")
    for item in items:
        if not isinstance(item, pytest.Function) or not _concerned(item, item.fixturenames):
            continue
        _first_seed(item)  # a mistake in a marker is reported before anything runs
        if has_trio and inspect.iscoroutinefunction(item.obj) and item.get_closest_marker("trio") is None:
            item.add_marker("trio")


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Run a marked test in the order of events that its seed decides."""
    if not _concerned(pyfuncitem, pyfuncitem.fixturenames):
        return (yield)
    from bitmart_trio.testing._schedule import deterministic  # here, since it imports the library

    with deterministic(_seed_of(pyfuncitem)):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the seed of a failed test to its report."""
    report = yield
    if report.failed and isinstance(item, pytest.Function) and _concerned(item, item.fixturenames):
        seed = _seed_of(item)
        again = f"pytest {shlex.quote(_without_seed(item, seed))} --bitmart-seed {seed}"
        report.sections.append(("bitmart_trio", f"seed {seed}; again: {again}"))
    return report


@pytest.fixture
def bitmart_seed(request: pytest.FixtureRequest) -> int:
    """The seed of this test: from the command line, else from its marker, else 0."""
    return _seed_of(request.node)


def _exchange_fixture(request: pytest.FixtureRequest, bitmart_seed: int) -> AsyncGenerator[Venue]:
    """A simulated exchange in this process, set up by the test's ``bitmart`` marker; closed after the test."""
    _need_pytest_trio(request, "bitmart_exchange")
    options = _options(request.node)
    for name in ("seed", *_OF_CLIENT):
        options.pop(name, None)
    return _open_exchange(bitmart_seed, options)


def _client_fixture(request: pytest.FixtureRequest, bitmart_exchange: Venue) -> AsyncGenerator[Client]:
    """A client of ``bitmart_exchange``, logged in as its default account unless the marker says otherwise."""
    _need_pytest_trio(request, "bitmart_client")
    options = _options(request.node)
    return _open_client(bitmart_exchange, {name: options[name] for name in _OF_CLIENT if name in options})


def _trio_fixture(name: str, function: Callable[..., object]) -> object:
    # Not ``async``, and this attribute in place of pytest-trio's decorator: so the module can be imported without
    # pytest-trio, and the fixture can report that it is missing.
    function.__dict__["_force_trio_fixture"] = True
    return pytest.fixture(name=name)(function)


bitmart_exchange: object = _trio_fixture("bitmart_exchange", _exchange_fixture)
bitmart_client: object = _trio_fixture("bitmart_client", _client_fixture)


# pytest-trio closes the two generators below in the task that opened them.


async def _open_exchange(seed: int, options: dict[str, object]) -> AsyncGenerator[Venue]:  # noqa: ASYNC900
    from bitmart_trio import sim

    opened = cast("Callable[..., AbstractAsyncContextManager[Venue]]", sim.open_exchange)
    known = inspect.signature(sim.open_exchange).parameters
    for name in options:
        if name not in known:
            raise pytest.UsageError(
                f"the bitmart marker has no option {name!r}; it has {', '.join(sorted({*known, *_OF_CLIENT}))}"
            )
    faults = options.pop("faults", ())
    if not isinstance(faults, list | tuple):
        raise pytest.UsageError("faults of the bitmart marker are a list")
    given = [sim.parse_fault(fault) if isinstance(fault, str) else fault for fault in cast("Sequence[object]", faults)]
    async with opened(**options, seed=seed, faults=given) as exchange:
        yield exchange  # noqa: ASYNC119


async def _open_client(exchange: Venue, options: dict[str, object]) -> AsyncGenerator[Client]:  # noqa: ASYNC900
    opened = cast("Callable[..., AbstractAsyncContextManager[Client]]", exchange.open_client)
    async with opened(**options) as client:
        yield client  # noqa: ASYNC119


def _need_pytest_trio(request: pytest.FixtureRequest, name: str) -> None:
    if not request.config.pluginmanager.hasplugin("trio"):
        raise pytest.UsageError(f"the fixture {name} needs pytest-trio: pip install pytest-trio")


def _runs(config: pytest.Config) -> int:
    runs: object = config.getoption("bitmart_runs")
    assert isinstance(runs, int)
    return runs


def _concerned(node: pytest.Item | pytest.Collector, fixtures: list[str]) -> bool:
    return node.get_closest_marker(_MARKER) is not None or _SEED in fixtures


def _options(node: pytest.Item | pytest.Collector) -> dict[str, object]:
    """Return the options of a test's markers, including those of its class and module; the closest wins."""
    options: dict[str, object] = {}
    for marker in reversed(list(node.iter_markers(_MARKER))):
        if marker.args:
            raise pytest.UsageError(f"{node.nodeid}: the bitmart marker takes keywords only")
        options.update(marker.kwargs)
    return options


def _first_seed(node: pytest.Item | pytest.Collector) -> int:
    wished: int | None = node.config.getoption("bitmart_seed")
    seed = _options(node).get("seed", 0) if wished is None else wished
    if not isinstance(seed, int):
        raise pytest.UsageError(f"{node.nodeid}: the seed of the bitmart marker is an int, not {seed!r}")
    return seed


def _seed_of(item: pytest.Item) -> int:
    if isinstance(item, pytest.Function) and hasattr(item, "callspec"):
        seed: object = item.callspec.params.get(_SEED)
        if isinstance(seed, int):
            return seed
    return _first_seed(item)


def _without_seed(item: pytest.Function, seed: int) -> str:
    """Return the test's name without the seed that ``--bitmart-runs`` adds."""
    if not hasattr(item, "callspec") or _SEED not in item.callspec.params:
        return item.nodeid
    inside = re.sub(rf"(^|-)seed{seed}(?=-|$)", "", item.callspec.id, count=1).removeprefix("-")
    base = item.nodeid.removesuffix(f"[{item.callspec.id}]")
    return f"{base}[{inside}]" if inside else base
