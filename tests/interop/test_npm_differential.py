"""The npm package's REST functions and our methods: with the same arguments, the same request.

Both call a recording server with the arguments of `node_functions`. What differs nevertheless are faults of the
package, one by one in `FAULTS`.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import attrs
import pytest
import trio
from every_case import every_case
from foreign import HERE, started
from node_function import Arguments, NodeFunction
from node_functions import FUNCTIONS
from recording_server import RecordingServer, Request, open_recording_server
from rest_recorder import Recorder
from type_declarations import declared_parameters

import bitmart_trio as bm

# The package still offers functions that the exchange has retired, and our methods for these say so.
pytest_plugins = ["npm_fixture"]
pytestmark = [pytest.mark.interop, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

Mend = Callable[[Request, Arguments], Request]


def _without_params(*names: str) -> Mend:
    def mend(request: Request, sample: Arguments) -> Request:
        return attrs.evolve(request, params=_deep(request.params, dict.fromkeys(names)))

    return mend


def _renamed(**names: str) -> Mend:
    def mend(request: Request, sample: Arguments) -> Request:
        return attrs.evolve(request, params=_deep(request.params, names))

    return mend


def _deep(params: Any, names: Mapping[str, str | None]) -> Any:
    """The same with some names respelled, or left out, in entries of lists too."""
    if isinstance(params, list):
        return [_deep(each, names) for each in params]
    if not isinstance(params, dict):
        return params
    return {new: _deep(value, names) for name, value in params.items() if (new := names.get(name, name)) is not None}


def _no_window(request: Request, sample: Arguments) -> Request:
    asked_for = {"recvWindow", "recvwindow"} & set(sample)
    if asked_for == {"recvWindow"} or request.params.get("recvWindow") not in (5000, "5000"):
        return request
    return _without_params("recvWindow")(request, sample)


def _plain_headers(request: Request, sample: Arguments) -> Request:
    return attrs.evolve(request, headers=request.headers - {"locale", "x-bm-broker-id"})


def _unsigned_read(request: Request, sample: Arguments) -> Request:
    surplus = {"x-bm-sign", "x-bm-timestamp"} if request.method == "GET" else set[str]()
    return attrs.evolve(request, headers=request.headers - surplus)


def _posted(request: Request, sample: Arguments) -> Request:
    params = {name: int(value) if value.isdigit() else value for name, value in request.params.items()}
    signed = request.headers | {"x-bm-sign", "x-bm-timestamp", "content-type"}
    return attrs.evolve(request, method="POST", params=params, headers=signed)


def _size_as_number(request: Request, sample: Arguments) -> Request:
    return attrs.evolve(request, params={**request.params, "size": int(request.params["size"])})


@attrs.frozen
class Fault:
    """Something that the package does otherwise than the exchange documents."""

    reason: str
    mend: Mend
    """Makes of its request the one that it should have sent."""
    functions: frozenset[str] = frozenset()
    """Which functions have it; all when empty."""


def _fault(reason: str, mend: Mend, *functions: str) -> Fault:
    return Fault(reason, mend, frozenset(functions))


FAULTS: Final = (
    _fault("sends its own broker id and locale with every call", _plain_headers),
    _fault("signs reads that need the key alone, over a text no documentation has", _unsigned_read),
    _fault("adds recvWindow=5000 to every private call, also where the endpoint has none", _no_window),
    _fault(
        "spells recvwindow; the exchange reads recvWindow, so that its default or the package's counts instead",
        lambda request, sample: _renamed(recvwindow="recvWindow")(_no_window(request, sample), sample),
        "getSpotOrderByIdV4",
        "getSpotOrderByClientOrderIdV4",
    ),
    _fault(
        "spells stpmode; the exchange reads stpMode",
        _renamed(stpmode="stpMode"),
        "submitSpotOrderV2",
        "submitSpotBatchOrdersV4",
    ),
    _fault(
        "offers stpmode where the endpoint has no such parameter",
        _without_params("stpmode"),
        "submitSpotBatchOrdersV2",
        "submitMarginOrderV1",
    ),
    _fault(
        "spells client_order_id; the margin endpoint reads clientOrderId",
        _renamed(client_order_id="clientOrderId"),
        "submitMarginOrderV1",
    ),
    _fault(
        "spells start_time and end_time; the exchange reads startTime and endTime and ignores the range",
        _renamed(start_time="startTime", end_time="endTime"),
        "getDepositWithdrawHistoryV2",
    ),
    _fault("reads with GET what the exchange documents as a signed POST", _posted, "getFuturesTransfers"),
    _fault("declares the size as a text; the exchange documents a number", _size_as_number, "updateFuturesLimitOrder"),
)

ONLY_OURS: Final = {
    "spot.account.deposit_account",
    "spot.account.set_deposit_account",
    "futures.system.latency",
}
"""What the package has no function for."""


_Key = tuple[str, str, str, int]


@pytest.fixture(scope="session")
def node_listing(npm: Path) -> dict[str, list[str]]:
    """The functions of each class, by reflection."""

    async def ask() -> dict[str, list[str]]:
        async with started([npm, HERE / "rest.js"], "http://127.0.0.1:9") as foreign:
            return await foreign.ask(list=True)  # type: ignore[no-any-return]

    return trio.run(ask)


@pytest.fixture(scope="session")
def node_sent(npm: Path) -> dict[_Key, list[Request]]:
    """What the package sends for each sample; one process makes all calls, a third of a second each being too much."""

    async def ask() -> dict[_Key, list[Request]]:
        sent: dict[_Key, list[Request]] = {}
        async with open_recording_server() as server, started([npm, HERE / "rest.js"], server.url) as foreign:
            for client, row in FUNCTIONS:
                for number, sample in enumerate(row.samples):
                    await foreign.call(client, row.name, sample or None)
                    sent[client, row.name, row.method, number] = server.take()
        return sent

    return trio.run(ask)


def test_no_function_is_forgotten(node_listing: dict[str, list[str]]) -> None:
    """Every function of the package that calls the exchange is in the table, under the class that has it."""
    offered = {(client, name) for client, names in node_listing.items() for name in names} - {
        ("RestClient", "getClientType"),
        ("FuturesClientV2", "getClientType"),
    }
    assert offered == {(client, row.name) for client, row in FUNCTIONS}


def test_no_parameter_is_forgotten(npm: Path) -> None:
    """Every parameter that the package declares is in some sample, and no other."""
    declared = {
        (client, name): names
        for client in ("RestClient", "FuturesClientV2")
        for name, names in declared_parameters(client).items()
    }
    sampled: dict[tuple[str, str], set[str]] = {}
    for client, row in FUNCTIONS:
        for sample in row.samples:
            sampled.setdefault((client, row.name), set()).update(_names(sample))
    # The deprecated double lacks it; the sample is that of the function that is not deprecated.
    for name in ("getFuturesAccountPositions", "getPositionRiskDetails"):
        assert declared["RestClient", name] == {"symbol"}
        declared["RestClient", name].add("account")
    assert sampled == declared


def _names(sample: Any) -> set[str]:
    if isinstance(sample, list):
        return set().union(*map(_names, sample))
    if not isinstance(sample, dict):
        return set()
    return set(sample).union(*map(_names, sample.values()))


def test_every_method_has_its_function() -> None:
    """Whoever comes from the package finds each of its calls here; what we have beyond is listed."""
    ours = {
        f"{market}.{chapter}.{name}"
        for market, api in (("spot", bm.Spot(Recorder())), ("futures", bm.Futures(Recorder())))
        for chapter, property_ in vars(type(api)).items()
        if isinstance(property_, property)
        for name, _ in inspect.getmembers(getattr(api, chapter), inspect.iscoroutinefunction)
        if not name.startswith("_")
    }
    assert ours - {row.method for _, row in FUNCTIONS} == ONLY_OURS


@every_case("client, row", FUNCTIONS, ids=[f"{client}.{row.name}-{row.method}" for client, row in FUNCTIONS])
async def test_the_same_request(client: str, row: NodeFunction, node_sent: dict[_Key, list[Request]]) -> None:
    """Verb, path, parameters, values and kind of authority are the same, but for the package's own faults."""
    async with open_recording_server() as server:
        for number, sample in enumerate(row.samples):
            theirs = node_sent[client, row.name, row.method, number]
            assert [_mended(row, request, sample) for request in theirs] == await _ours(server, row, sample)


async def _ours(server: RecordingServer, row: NodeFunction, sample: Arguments) -> list[Request]:
    credentials = bm.Credentials("sim-key", "sim-secret", "sim-memo")
    async with bm.open_client(credentials, environment=bm.Environment.at(server.url)) as client:
        await operator.attrgetter(row.method)(client)(**row.ours(sample))
    return server.take()


def _mended(row: NodeFunction, request: Request, sample: Arguments) -> Request:
    for fault in FAULTS:
        if not fault.functions or row.name in fault.functions:
            request = fault.mend(request, sample)
    return request


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.reason)
def test_each_fault_is_still_there(fault: Fault, node_sent: dict[_Key, list[Request]]) -> None:
    """A row of the table that has become idle, with a new release of the package, is noticed."""
    seen = {
        row.name
        for client, row in FUNCTIONS
        if not fault.functions or row.name in fault.functions
        for number, sample in enumerate(row.samples)
        for request in node_sent[client, row.name, row.method, number]
        if fault.mend(request, sample) != request
    }
    assert seen
    assert fault.functions <= seen
