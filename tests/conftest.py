"""What all tests share: nothing of the machine leaks into them, all processors run them, and some are the core set."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import signal
import sys
import tempfile
import threading
import time
import warnings
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Final, NoReturn, cast

import proof_sizes
import pytest
from hypothesis import settings

ROOM: Final = Path(__file__).parent

CORE: Final = (
    "core", "bitmart_venue", "other_venue", "io", "rest",
    "test_contract.py", "test_environments.py", "test_layers.py", "test_telemetry.py",
    "test_transcripts_rest.py", "test_transcripts_ws.py",
    "cli/test_cli.py", "cli/test_keyring.py", "cli/test_show.py",
    "history/test_export.py", "history/test_plan.py", "history/test_walkers.py",
    "sim/test_faces_glue.py", "sim/test_faces_http.py", "sim/test_futures_trading.py", "sim/test_spot_trading.py",
    "streams/test_order_book.py", "streams/test_subscriptions.py",
    "testing/test_plugin.py",
    "trading/test_journal.py", "trading/test_spot_session.py",
)  # fmt: skip
"""Folders and files whose tests reach every dependency and every room: these run on each version that is promised."""

# A time limit of one example is a measure of what else the machine does.
settings.register_profile("of this project", deadline=None, max_examples=proof_sizes.PROPERTIES)
settings.load_profile("of this project")

MOST_SECONDS: Final = 30.0
"""CPU time of a single test, on a processor that adds ten million numbers in a second."""

_OUTSIDE = (
    "BITMART_URL", "BITMART_PROFILE", "BITMART_API_KEY", "BITMART_API_SECRET", "BITMART_API_MEMO",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy",
    "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """No real key, no proxy and no terminal of the person who runs the tests is used, nor the size a worker has."""
    for name in _OUTSIDE:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c_is_heard() -> None:
    """What a shell runs in the background ignores SIGINT, and the tests of interrupts with it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _no_waiting_for_the_disk() -> Iterator[None]:
    """What a test writes need not outlive a power cut; waits for the disk are half the time of an archive."""

    def written(file: int) -> None:
        os.fstat(file)  # a closed one is an error, as ever

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", written)
        yield


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Where Python may not leave compiled code beside sources, each of many processes would compile them.

    The library has a plugin of pytest's, so pytest would compile all of it its own way, and every program that tests
    start once more the usual way; its asserts are none of a test.
    """
    getattr(config.pluginmanager.rewrite_hook, "_must_rewrite", set()).discard("bitmart_trio")
    if sys.dont_write_bytecode and not hasattr(config, "workerinput"):
        patch = pytest.MonkeyPatch()
        config.add_cleanup(patch.undo)
        compiled = tempfile.TemporaryDirectory(prefix="bitmart_trio-bytecode-")
        config.add_cleanup(compiled.cleanup)
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        patch.setenv("PYTHONPYCACHEPREFIX", compiled.name)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Spread a run of whole folders over all processors; single files and tests stay in this process, as with ``-n0``.

    Not by ``-n`` in ``addopts``: that starts workers for a single test too, and ``-p no:xdist`` does not know it.
    """
    option = config.option
    if not config.pluginmanager.hasplugin("xdist") or hasattr(config, "workerinput"):
        return
    if option.numprocesses is not None or option.tx or option.dist != "no":
        return
    alone = option.usepdb or option.trace or option.capture == "no" or option.collectonly
    if not alone and any(Path(argument).is_dir() for argument in config.args):
        option.numprocesses, option.dist = "auto", "worksteal"
        # Each of them collects all tests: beyond a few, more workers take longer.
        option.maxprocesses = option.maxprocesses or 8


@pytest.hookimpl(wrapper=True, optionalhook=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """One more than there are processors: many tests wait for a program that they have started."""
    processors = yield
    return processors + 1


LONGEST: Final = 3600 if proof_sizes.ENLARGED else 600
"""Seconds after which a test has hung: many times what the longest takes, on a slow machine beside others, too."""


@contextlib.contextmanager
def _ended_in_time(item: pytest.Item) -> Generator[None]:
    """End what hangs, where it hangs, by an alarm that is repeated until it has; Windows has none."""
    watched = hasattr(signal, "SIGALRM") and threading.current_thread() is threading.main_thread()
    if not watched or item.config.option.usepdb or item.config.option.trace:
        yield
        return

    def late(number: int, frame: object) -> NoReturn:
        pytest.fail(f"{item.nodeid} has not ended after {LONGEST} s: it hangs here")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, LONGEST, 10)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    """What a test needs hangs no longer than the test may."""
    with _ended_in_time(item):
        return (yield)


def _pace() -> float:
    """How many times slower than 1 s this processor adds ten million numbers just now, 1 if it is quicker."""
    began = time.process_time()
    total = 0
    for each in range(10_000_000):
        total += each
    return max(time.process_time() - began, 1.0)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """A test that would be a good part of the whole suite's time fails, until its size comes from ``proof_sizes.py``.

    CPU time, so that a busy machine is no reason; several times what the longest takes, and judged by the time of a
    loop, so that a slow one is none.
    """
    began = time.process_time()
    with _ended_in_time(item):
        result = yield
    spent = time.process_time() - began
    if spent > MOST_SECONDS and not proof_sizes.ENLARGED and sys.gettrace() is None and spent > MOST_SECONDS * _pace():
        pytest.fail(f"{item.nodeid} took {spent:.0f} s of CPU time: make it smaller, or a proof (CONTRIBUTING.md)")
    return result


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """With ``BITMART_NO_SKIPS`` (CI, where all that tests need is installed) a skipped test fails the run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if "BITMART_NO_SKIPS" not in os.environ or reporter is None or session.exitstatus != pytest.ExitCode.OK:
        return
    if skipped := reporter.stats.get("skipped", []):
        reporter.ensure_newline()
        reporter.write_line(f"{len(skipped)} tests were skipped where none may be", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_report_header() -> str | None:
    """How large the proofs are, when they are not as small as they stand."""
    if not proof_sizes.FULL:
        return None
    sizes = (f"{name} {size}" for name, size in vars(proof_sizes).items() if type(size) is int)
    return "proofs in full: " + ", ".join(sizes)


def _total(value: object) -> object:
    return sum(cast("dict[str, int]", value).values()) if isinstance(value, dict) else value


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the proofs in full have counted (``record_property``), how long each took, and those of each folder."""
    if not proof_sizes.FULL:
        return
    seconds: Counter[str] = Counter()
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            figures = (f"{name} {_total(value)}" for name, value in report.user_properties)
            terminalreporter.write_line(
                f"{outcome} {report.nodeid}: {', '.join((f'{report.duration:.0f} s', *figures))}"
            )
            seconds[str(Path(report.nodeid.partition("::")[0]).parent)] += report.duration
    for folder, spent in sorted(seconds.items()):
        terminalreporter.write_line(f"{folder}: {spent:.0f} s of proofs")


def _read_a_share(config: pytest.Config, worker: int, workers: int) -> None:
    """Import some of the modules with tests, other ones in each worker: so that each is compiled by one of them only.

    They collect at the same time, in the same order, and pytest's own compiling is most of that in a fresh clone.
    """
    folders = [Path(argument).resolve() for argument in config.args]
    modules = (path for pattern in ("test_*.py", "*/test_*.py") for path in sorted(ROOM.glob(pattern)))
    wanted = [path for path in modules if any(map(path.is_relative_to, folders))]
    for path in wanted[worker::workers]:
        with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings(action="error"):
            patch.syspath_prepend(path.parent)
            with contextlib.suppress(Exception, pytest.skip.Exception):  # collection meets it again
                importlib.import_module(path.stem)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Collect without garbage collection, which would look through all that is there by then again and again."""
    gc.disable()
    try:
        if hasattr(session.config, "workerinput"):
            workerinput = session.config.workerinput
            _read_a_share(session.config, int(workerinput["workerid"].removeprefix("gw")), workerinput["workercount"])
        return (yield)
    finally:
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Keep what is there by now out of garbage collection: thousands of tests, which every sweep would look through.

    What comes is looked through less often than Python would: tests make much and keep little.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the core set, and as proofs what holds for whatever Hypothesis draws."""
    core = [ROOM / each for each in CORE]
    paths = {item.path for item in items}
    of_core = {path for path in paths if any(path.is_relative_to(each) for each in core)}
    for item in items:
        if item.path in of_core:
            item.add_marker(pytest.mark.core)
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker(pytest.mark.proof)
