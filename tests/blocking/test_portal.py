"""What a program may do to a client that waits for it: interrupt, fork, close, call from anywhere, or just end."""

from __future__ import annotations

import gc
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import attrs
import pytest
import trio

import bitmart_trio as bm
from bitmart_trio.blocking._portal import Portal

ORDER = {"symbol": "BTC_USDT", "side": "buy", "type": "limit", "size": "0.001", "price": "30000"}


def press_ctrl_c() -> None:
    main = threading.main_thread().ident
    assert main is not None
    signal.pthread_kill(main, signal.SIGINT)


@attrs.define
class Work:
    """Something that is under way until it is cancelled, and takes its time to end."""

    on_begin: Callable[[], None]
    while_ending: Callable[[], None] = lambda: None
    ended: bool = False

    async def run(self) -> None:
        self.on_begin()
        try:
            await trio.sleep_forever()
        finally:
            self.while_ending()
            with trio.CancelScope(shield=True):
                await trio.sleep(0.01)
            self.ended = True


def test_ctrl_c_ends_a_call_before_it_is_raised(client: bm.blocking.Client) -> None:
    """It is cancelled, its clean-up is waited for, and the client goes on."""
    work = Work(press_ctrl_c)
    with pytest.raises(KeyboardInterrupt) as caught:
        client.call(work.run)
    assert work.ended
    assert caught.value.__notes__ == ["run was cancelled while it ran; what it sent may have taken effect"]
    assert client.spot.market.ticker("BTC_USDT").symbol == "BTC_USDT"


def test_a_second_ctrl_c_does_not_leave_it_behind(client: bm.blocking.Client) -> None:
    work = Work(press_ctrl_c, while_ending=press_ctrl_c)
    with pytest.raises(KeyboardInterrupt):
        client.call(work.run)
    assert work.ended


def test_ctrl_c_says_what_a_call_has_done_before_it_could_be_cancelled(client: bm.blocking.Client) -> None:
    async def placed() -> str:
        press_ctrl_c()
        with trio.CancelScope(shield=True):
            await trio.sleep(0.02)  # the reply is being read
        return "order 7"

    with pytest.raises(KeyboardInterrupt) as caught:
        client.call(placed)
    assert caught.value.__notes__ == ["placed ended before it could be cancelled; it returned 'order 7'"]


def test_ctrl_c_while_an_order_is_out(server: bm.sim.Server) -> None:
    """The order is at the exchange, its reply is not here: the note says that it may stand."""
    asked: list[str] = []

    def sent(call: bm.models.CallSent) -> None:
        asked.append(call.endpoint)
        press_ctrl_c()

    config = bm.Config(hooks=bm.Hooks(on_request=sent))
    handle = server.faults.add(bm.sim.Delay(path="/spot/v2/submit_order", seconds=60.0, before=False))
    try:
        with bm.blocking.open_client(server.credentials, environment=server.environment, config=config) as client:
            with pytest.raises(KeyboardInterrupt) as caught:
                client.spot.trading.submit_order(client_order_id="ctrlc1", **ORDER)  # type: ignore[arg-type]  # all text
            assert caught.value.__notes__ == [
                "submit_order was cancelled while it ran; what it sent may have taken effect"
            ]
    finally:
        handle.remove()
    assert asked[-1] == "POST /spot/v2/submit_order"


def test_ctrl_c_while_a_stream_is_opened(client: bm.blocking.Client, server: bm.sim.Server) -> None:
    """Nothing of it stays open."""
    timer = threading.Timer(0.05, press_ctrl_c)
    handle = server.faults.add(bm.sim.LoseAck())
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt), client.streams.spot.trade("BTC_USDT") as trades:
            for _ in trades:
                pass
    finally:
        timer.join()
        handle.remove()
    assert client.streams.statistics().subscriptions == 0


def test_a_deadline(client: bm.blocking.Client) -> None:
    """It ends the call, not the client, and closing what was open is not cut short by it."""
    work = Work(lambda: None)
    with pytest.raises(TimeoutError, match="run took longer"), bm.blocking.fail_after(0.02):
        client.call(work.run)
    assert work.ended
    with (
        pytest.raises(TimeoutError, match="receive took longer"),
        bm.blocking.fail_after(5),
        client.streams.spot.user_orders() as orders,
        bm.blocking.fail_after(0.02),
        bm.blocking.fail_after(100),  # the earlier end holds
    ):
        orders.receive()
    assert client.streams.statistics().subscriptions == 0
    assert client.spot.market.ticker("BTC_USDT").symbol == "BTC_USDT"


def test_many_threads_at_once(client: bm.blocking.Client) -> None:
    """Their calls run side by side, and each gets its own answer."""
    symbols = ["BTC_USDT", "ETH_USDT", "BMX_USDT"] * 3
    with ThreadPoolExecutor(5) as pool:
        found = [each.symbol for each in pool.map(client.spot.market.ticker, symbols)]
    assert found == symbols


def test_closing_ends_what_other_threads_wait_for(server: bm.sim.Server) -> None:
    client = bm.blocking.open_client(server.credentials, environment=server.environment)
    begun = threading.Event()
    work = Work(begun.set)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.call, work.run)
        assert begun.wait(10)
        client.close()
        with pytest.raises(trio.ClosedResourceError, match="closed while run ran"):
            waiting.result(10)
    assert work.ended
    client.close()
    with pytest.raises(trio.ClosedResourceError, match="this client is closed"):
        client.spot.market.ticker("BTC_USDT")
    assert "closed" in repr(client)


def test_a_stream_that_outlives_its_client_ends_quietly(server: bm.sim.Server) -> None:
    client = bm.blocking.open_client(server.credentials, environment=server.environment)
    opened = client.streams.spot.trade("BTC_USDT")
    trades = opened.open()
    client.close()
    with pytest.raises(trio.ClosedResourceError):
        next(trades)
    opened.close()


def test_a_call_from_the_thread_itself_is_refused(server: bm.sim.Server) -> None:
    """A hook runs where the client does; a blocking call there would wait for ever."""
    found: list[str] = []

    def told(_: bm.models.CallReplied) -> None:
        try:
            client.spot.market.ticker("ETH_USDT")
        except RuntimeError as error:
            found.append(str(error))
        try:
            client.close()
        except RuntimeError as error:
            found.append(str(error))

    config = bm.Config(hooks=bm.Hooks(on_reply=told))
    with bm.blocking.open_client(environment=server.environment, config=config) as client:
        client.spot.market.ticker("BTC_USDT")
    assert len(found) == 2
    assert all("would wait for itself" in each for each in found)


def test_an_error_of_opening_is_raised_and_leaves_no_thread() -> None:
    before = threading.active_count()
    with pytest.raises(bm.ConfigurationError):
        bm.blocking.open_client(bm.Credentials("k", "s", "m"), environment=bm.Environment.at("http://192.0.2.1"))
    assert threading.active_count() == before


def test_what_is_held_may_fail_on_leaving() -> None:
    class Odd:
        async def __aenter__(self) -> int:
            return 7

        async def __aexit__(self, *_: object) -> None:
            raise ValueError("not left")

    portal = Portal(Odd(), "odd")
    assert portal.value == 7
    with pytest.raises(ValueError, match="not left"):
        portal.close()
    portal.close()


def test_a_client_that_nobody_has_any_more_ends(server: bm.sim.Server) -> None:
    client = bm.blocking.open_client(environment=server.environment)
    thread = client._portal._loop.thread  # pyright: ignore[reportPrivateUsage]
    market = client.spot.market
    del client
    gc.collect()
    assert market.ticker("BTC_USDT").symbol == "BTC_USDT"  # a part of it is enough
    rest = [market]
    del market
    with pytest.warns(ResourceWarning, match="was not closed"):
        rest.clear()
    thread.join(10)
    assert not thread.is_alive()


def test_errors_of_the_block_are_raised_inside(client: bm.blocking.Client) -> None:
    """As in an ``async with``: what is open knows why it is left, and the error leaves as it is."""
    seen: list[object] = []

    class Told:
        async def __aenter__(self) -> str:
            return "open"

        async def __aexit__(self, kind: object, error: object, traceback: object) -> None:
            seen.append(error)

    failure = KeyError("x")

    def fails(value: str) -> None:
        assert value == "open"
        raise failure

    with pytest.raises(KeyError) as caught, client.open(Told()) as value:
        fails(value)
    assert caught.value is failure
    assert seen == [failure]


async def test_in_a_thread_that_runs_trio_itself(client: bm.blocking.Client) -> None:
    """As in a cell of ``%autoawait trio``: the client's loop is another one."""
    await trio.lowlevel.checkpoint()
    assert client.spot.market.ticker("BTC_USDT").symbol == "BTC_USDT"


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_end_of_the_interpreter_closes_sessions(server: bm.sim.Server, client: bm.blocking.Client) -> None:
    """A program that ends without a word leaves no order behind.

    In another market than the order that a Ctrl-C above may have left at the exchange they share.
    """
    ended = run(
        """
        import sys, bitmart_trio as bm
        client = bm.blocking.open_client(
            bm.Credentials("sim-key", "sim-secret", "sim-memo"), environment=bm.Environment.at(sys.argv[1]))
        journal = bm.trading.MemoryJournal()
        session = client.open(bm.trading.open_spot_session(client.trio, "ETH_USDT", journal=journal)).open()
        order = client.call(session.submit, side="buy", type="limit", size="0.01", price="1000")
        print(len(client.spot.trading.open_orders(symbol="ETH_USDT")))
        raise SystemExit(3)
        """,
        server.url,
    )
    assert (ended.stdout, ended.returncode) == ("1\n", 3), ended.stderr
    assert client.spot.trading.open_orders(symbol="ETH_USDT") == []


@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="this system has no fork")
def test_a_forked_child_gets_an_error(server: bm.sim.Server) -> None:
    """At once, from calls; closing is its parent's business, and its exit waits for nothing."""
    ended = run(
        """
        import os, sys, warnings, bitmart_trio as bm
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads
        with bm.blocking.open_client(environment=bm.Environment.at(sys.argv[1])) as client:
            client.spot.market.ticker("BTC_USDT")
            if os.fork() == 0:
                try:
                    client.spot.market.ticker("BTC_USDT")
                except RuntimeError as error:
                    print("child:", error, flush=True)
                client.close()
                sys.exit(0)
            _, status = os.wait()
            print("parent:", status, client.spot.market.ticker("BTC_USDT").symbol)
        """,
        server.url,
    )
    assert ended.stderr == ""
    child, parent = ended.stdout.splitlines()
    assert "whose threads a fork does not copy" in child
    assert parent == "parent: 0 BTC_USDT"
