"""The pytest plugin, seen from a project that uses it: each case is a pytest of its own, where warnings are errors."""

from __future__ import annotations

from importlib.metadata import entry_points

import pytest

# Before any run within this process: what such a run imports is forgotten after it, and the compiled part of msgspec
# does not survive being imported twice.
import bitmart_trio.sim.venue  # noqa: F401

pytest_plugins = ["pytester"]

INSTALLED = any(point.name == "bitmart_trio" for point in entry_points(group="pytest11"))
"""An installation from before the plugin has no entry point for it."""
PLUGIN = [] if INSTALLED else ["-p", "bitmart_trio.testing.plugin"]


def run(
    pytester: pytest.Pytester, source: str, *arguments: str, trio: bool = True, apart: bool = False
) -> pytest.RunResult:
    """Run one file of tests, in a process of its own if it looks at the process."""
    pytester.makepyfile(source)
    pytester.makeini("[pytest]\nfilterwarnings = error\naddopts = --strict-markers\n")
    without = [] if trio else ["-p", "no:trio"]
    start = pytester.runpytest_subprocess if apart else pytester.runpytest_inprocess
    return start("-p", "no:cacheprovider", *PLUGIN, *without, *arguments)


def test_a_run_that_does_not_use_it_loads_nothing(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither Trio nor anything of the library but four small modules: its front doors load nothing by themselves."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # pytest-trio, above all
    pytester.makepyfile(
        """
        import sys

        def test_nothing(request):
            assert request.config.getoption("bitmart_runs") == 1
            assert [name for name in ("trio", "attr", "attrs", "msgspec", "httpx") if name in sys.modules] == []
            ours = {name for name in sys.modules if name.split(".")[0] == "bitmart_trio"}
            assert ours == {
                "bitmart_trio", "bitmart_trio._lazy", "bitmart_trio._version",
                "bitmart_trio.testing", "bitmart_trio.testing.plugin",
            }
        """
    )
    ended = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "bitmart_trio.testing.plugin")
    ended.assert_outcomes(passed=1)


def test_exchange_and_client(pytester: pytest.Pytester) -> None:
    """Both fixtures, on virtual time, set up by the marker; no mark of pytest-trio is needed."""
    run(
        pytester,
        """
        import pytest, trio
        import bitmart_trio as bm

        async def test_alone(bitmart_client):
            assert (await bitmart_client.spot.market.ticker("BTC_USDT")).last_price > 0

        @pytest.mark.bitmart(
            seed=7, start=1_800_000_000_000, live=False, config=bm.Config(rate_limit="raise"),
            faults=[bm.sim.RefuseTopic("spot/trade:*", None, code="90004"), "LoseReply:path=/spot/v1/wallet"],
        )
        async def test_marked(bitmart_exchange, bitmart_client, bitmart_seed, autojump_clock):
            assert bitmart_seed == bitmart_exchange.exchange.seed == 7
            await trio.sleep(3600)
            assert bitmart_exchange.exchange.now_ms() == 1_800_003_600_000
            with pytest.raises(bm.SubscriptionRefused):
                async with bitmart_client.streams.spot.trade("BTC_USDT"):
                    pass
            assert len(bitmart_exchange.faults.active) == 2
            orders = await bitmart_client.spot.trading.open_orders()
            assert orders == []

        @pytest.mark.bitmart(credentials=None)
        class TestClass:
            @pytest.mark.bitmart(seed=3)
            async def test_nobody(self, bitmart_client, bitmart_seed):
                assert bitmart_seed == 3
                with pytest.raises(bm.MissingCredentials):
                    await bitmart_client.spot.trading.open_orders()
        """,
        apart=True,
    ).assert_outcomes(passed=3)


RACE = """
    import pytest, trio

    @pytest.mark.bitmart(seed=5)
    @pytest.mark.parametrize("what", ["a-b", "c"])
    async def test_race(what, autojump_clock):
        order = []

        async def walk(number):
            await trio.sleep(1)
            order.append(number)

        async with trio.open_nursery() as nursery:
            for number in range(6):
                nursery.start_soon(walk, number)
        print("order", order)
        assert what == "c"

    def test_not_concerned():
        assert False
"""


def test_a_failure_names_its_seed_and_repeats(pytester: pytest.Pytester) -> None:
    """Its order is the same again with the seed that the report names."""
    first = run(pytester, RACE)
    first.assert_outcomes(passed=1, failed=2)
    first.stdout.fnmatch_lines(["*seed 5; again: pytest '*::test_race?a-b?' --bitmart-seed 5"])
    assert sum("--bitmart-seed" in line for line in first.outlines) == 1
    again = run(pytester, RACE, "--bitmart-seed", "5", "-k", "a-b")
    again.assert_outcomes(failed=1, deselected=2)
    assert _orders(again) == _orders(first)


def _orders(result: pytest.RunResult) -> list[str]:
    return [line for line in result.outlines if line.startswith("order")]


def test_many_seeds(pytester: pytest.Pytester) -> None:
    """Each marked test, and each that uses a fixture of ours, under so many seeds; no other."""
    result = run(pytester, RACE, "--bitmart-runs", "4")
    result.assert_outcomes(passed=4, failed=5)
    result.stdout.fnmatch_lines(["*seed 8; again: pytest '*::test_race?a-b?' --bitmart-seed 8"])
    assert len(set(_orders(result))) == 4
    result = run(
        pytester,
        """
        async def test_seeds(bitmart_exchange, bitmart_seed, autojump_clock):
            assert bitmart_exchange.exchange.seed == bitmart_seed != 11
        """,
        "--bitmart-runs=3",
        "--bitmart-seed=10",
    )
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*::test_seeds --bitmart-seed 11"])


def test_mistakes_are_told(pytester: pytest.Pytester) -> None:
    """An unknown option, a fault outside of a list, a seed that is none, a number of runs that makes no sense."""
    result = run(
        pytester,
        """
        import pytest

        @pytest.mark.bitmart(symbol="BTC_USDT")
        async def test_option(bitmart_exchange): pass

        @pytest.mark.bitmart(faults="Stall")
        async def test_fault(bitmart_exchange): pass

    """,
    )
    for text in ("no option 'symbol'; it has config, credentials, faults, ", "are a list"):
        assert text in result.stdout.str()
    for marker, text in (
        ('seed="seven"', "is an int, not 'seven'"),
        ("7", "takes keywords only"),
    ):
        source = f"import pytest\n\n@pytest.mark.bitmart({marker})\nasync def test_it(): pass"
        assert text in run(pytester, source).stderr.str()
    assert "must be at least 1" in run(pytester, RACE, "--bitmart-runs", "0").stderr.str()


def test_without_pytest_trio(pytester: pytest.Pytester) -> None:
    """Nothing happens until a fixture is used; then the error says what is missing. Sweeps need no pytest-trio."""
    result = run(
        pytester,
        """
        import pytest, trio
        from bitmart_trio.testing import sweep

        def test_else(): pass

        @pytest.mark.bitmart(seed=2)
        def test_sweep(bitmart_seed):
            async def body():
                await trio.sleep(1)
            assert sweep(body, seed=bitmart_seed).checkpoints == 1

        def test_exchange(bitmart_exchange): pass
        """,
        trio=False,
    )
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*the fixture bitmart_exchange needs pytest-trio*"])


def test_it_costs_nothing_where_it_is_not_used(pytester: pytest.Pytester) -> None:
    """Neither the client nor the simulated exchange nor httpx is loaded."""
    run(
        pytester,
        """
        import sys

        def test_nothing():
            loaded = {"httpx", "trio_websocket", "bitmart_trio.client", "bitmart_trio.sim"} & set(sys.modules)
            assert loaded == set()
        """,
        trio=False,
        apart=True,
    ).assert_outcomes(passed=1)
