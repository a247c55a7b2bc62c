"""No key, secret, memo, signature or password of a proxy is shown by what is printed or by what an error holds.

Trackers of errors and ``pytest -l`` print the variables of every frame of a traceback. So failures are provoked at each
step, and every variable of every frame of ours is searched.
"""

from __future__ import annotations

import copy
import pickle
import pprint
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import attrs
import httpx
import pytest
import trio

import bitmart_trio as bm
from bitmart_trio.cli import _keyring
from bitmart_trio.credentials import Proxy, Secret

HOME: Final = str(Path(bm.__file__).parent)
KEY: Final = "key-0123456789abcdef"
SECRET: Final = "hush-hush-hush-hush"
MEMO: Final = "the-memo-of-this-key"
PASSWORD: Final = "proxy-pass-word"
SIGNATURE: Final = "5197a7e5197a7e5197a7e"
HIDDEN: Final = (KEY, SECRET, MEMO, PASSWORD, SIGNATURE)

NOWHERE: Final = bm.Environment.at("http://127.0.0.1:9")
ONCE: Final = bm.Config(retry=bm.Retry(attempts=1), backoff=bm.Backoff(attempts=1))


def sign(_: bytes) -> str:
    return SIGNATURE


def credentials() -> bm.Credentials:
    return bm.Credentials(KEY, SECRET, MEMO)


def _chain(error: BaseException | None, seen: set[int]) -> Iterator[BaseException]:
    """An error with its causes, contexts and members, suppressed ones too."""
    if error is None or id(error) in seen:
        return
    seen.add(id(error))
    yield error
    yield from _chain(error.__cause__, seen)
    yield from _chain(error.__context__, seen)
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _chain(each, seen)


def _variables(traceback: TracebackType | None) -> Iterator[tuple[str, Any]]:
    while traceback is not None:
        frame = traceback.tb_frame
        if frame.f_code.co_filename.startswith((HOME, "<attrs generated")):
            for name, value in frame.f_locals.items():
                yield f"{frame.f_code.co_filename}:{frame.f_code.co_name}:{name}", value
        traceback = traceback.tb_next


def _texts(value: Any, depth: int = 4) -> Iterator[str]:
    """What a tracker of errors makes of a value: its ``repr``, and those of its members."""
    yield repr(value)
    if depth == 0:
        return
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _texts(key, depth - 1)
            yield from _texts(each, depth - 1)
    elif isinstance(value, list | tuple | set | frozenset):
        for each in value:
            yield from _texts(each, depth - 1)
    elif attrs.has(type(value)):
        yield pprint.pformat(attrs.asdict(value, recurse=False))


def shown(error: BaseException) -> list[str]:
    """Where an error shows something hidden."""
    found: list[str] = []
    for each in _chain(error, set()):
        texts = [("the message", str(each)), ("the repr", repr(each))]
        for name, value in _variables(each.__traceback__):
            texts += [(name, text) for text in _texts(value)]
        found += [f"{name} shows {text[:200]}" for name, text in texts if any(hidden in text for hidden in HIDDEN)]
    return found


def provoked(deed: Callable[[], object]) -> BaseException:
    try:
        deed()
    except Exception as error:  # noqa: BLE001  # whatever it is
        return error
    pytest.fail("it did not fail")


def _written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "config.toml"
    file.write_text(text)
    file.chmod(0o600)
    return file


TABLE: Final = f'[default]\napi_key = "{KEY}"\napi_secret = "{SECRET}"\nmemo = "{MEMO}"\n'


@pytest.mark.parametrize(
    "deed",
    [
        lambda _: bm.Credentials(KEY, SECRET + "\n", MEMO),
        lambda _: bm.Credentials(KEY, SECRET, " " + MEMO),
        lambda _: bm.Credentials("", SECRET, MEMO),
        lambda _: bm.Credentials(KEY + "é", SECRET, MEMO),
        lambda _: bm.Credentials(KEY, SECRET.encode(), MEMO),  # type: ignore[arg-type]
        lambda _: bm.Credentials(KEY, SECRET + "\ud800", MEMO),
        lambda _: bm.Credentials(KEY, None, MEMO).require_signing("this"),
        lambda _: bm.Credentials(KEY, None, MEMO).signature(MEMO.encode()),
        lambda _: bm.Credentials(KEY, None, MEMO, sign=lambda message: str(1 / 0)).signature(MEMO.encode()),
        lambda path: bm.Credentials.from_file(_written(path, TABLE), "misspelt"),
        lambda path: bm.Credentials.from_file(_written(path, TABLE.replace(SECRET, SECRET + " "))),
        lambda path: bm.Credentials.from_file(_written(path, TABLE + "oops")),
        lambda path: bm.Credentials.from_file(_written(path, TABLE.replace('api_key = "', 'other = "'))),
        lambda path: bm.Credentials.from_file(_written(path, TABLE.replace(f'"{MEMO}"', "12345"))),
        lambda _: bm.Config(proxy=f"https://user:{PASSWORD}@proxy.test"),
        lambda _: bm.Config(proxy=f"http://user:{PASSWORD}@proxy.test:port"),
        lambda _: bm.Config(proxy=f"http://user:{PASSWORD}@proxy.test", ping_interval=-1),
        lambda _: bm.Environment.at(f"http://user:{PASSWORD}@exchange.test"),
        lambda _: bm.Environment.at(f"http://user:{PASSWORD}@[exchange.test"),
        lambda _: bm.Environment("mine", f"https://user:{PASSWORD}@exchange.test", None, None, None, None, None),
        lambda _: attrs.evolve(NOWHERE, futures_public=f"wss://user:{PASSWORD}@exchange.test"),
        lambda _: _keyring.store("mine", Secret(KEY), Secret(SECRET + " "), Secret(MEMO)),
    ],
)
def test_what_cannot_be_made_shows_nothing(deed: Callable[[Path], object], tmp_path: Path) -> None:
    assert shown(provoked(lambda: deed(tmp_path))) == []


@pytest.mark.parametrize("missing", ["KEY", "SECRET", "blanks"])
def test_an_environment_that_is_half_set_shows_nothing(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("KEY", KEY), ("SECRET", SECRET), ("MEMO", MEMO + " " if missing == "blanks" else MEMO)):
        if name != missing:
            monkeypatch.setenv(f"BITMART_API_{name}", value)
    assert shown(provoked(lambda: bm.Credentials.from_env().require_signing("this"))) == []


async def _async_failure(message: bytes) -> str:
    await trio.lowlevel.checkpoint()
    raise RuntimeError("the hardware key is gone")


def _failing(_: bytes) -> str:
    raise RuntimeError("the hardware key is gone")


class Broken(httpx.AsyncBaseTransport):
    """Fails, or answers with a fixed reply, after the request was made."""

    def __init__(self, answer: Exception | httpx.Response) -> None:
        self.answer = answer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await trio.lowlevel.checkpoint()
        assert request.headers["X-BM-KEY"] == KEY
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def _signed_call(
    who: bm.Credentials, config: bm.Config = ONCE, transport: httpx.AsyncBaseTransport | None = None
) -> None:
    async with bm.open_spot(who, environment=NOWHERE, config=config, http_transport=transport) as spot:
        await spot.trading.submit_order(symbol="BTC_USDT", side="buy", type="limit", size="1", price="1")


async def _private_stream(who: bm.Credentials, config: bm.Config = ONCE) -> None:
    async with bm.open_streams(who, environment=NOWHERE, config=config) as streams:
        async with streams.futures.order():
            pytest.fail("it opened")


CALLS: Final[dict[str, Callable[[], Awaitable[None]]]] = {
    "no connection": lambda: _signed_call(credentials()),
    "a proxy that is not there": lambda: _signed_call(
        credentials(), attrs.evolve(ONCE, proxy=f"http://user:{PASSWORD}@127.0.0.1:9")
    ),
    "it breaks later": lambda: _signed_call(credentials(), transport=Broken(httpx.ReadError("reset"))),
    "refused": lambda: _signed_call(
        credentials(), transport=Broken(httpx.Response(401, json={"code": 30005, "message": "no", "data": {}}))
    ),
    "not JSON": lambda: _signed_call(credentials(), transport=Broken(httpx.Response(200, content=b"<html>"))),
    "a bug of a transport": lambda: _signed_call(credentials(), transport=Broken(ZeroDivisionError())),
    "a blank signature": lambda: _signed_call(bm.Credentials(KEY, None, MEMO, sign=lambda _: "")),
    "a signature with a line break": lambda: _signed_call(
        bm.Credentials(KEY, None, MEMO, sign=lambda _: SIGNATURE + "\r\nX-Evil: 1")
    ),
    "no signature": lambda: _signed_call(bm.Credentials(KEY, None, MEMO, sign=lambda _: None)),  # type: ignore[arg-type, return-value]
    "a signer that fails": lambda: _signed_call(bm.Credentials(KEY, SECRET, MEMO, sign=_failing)),
    "an async signer that fails": lambda: _signed_call(bm.Credentials(KEY, SECRET, MEMO, sign=_async_failure)),
    "no socket": lambda: _private_stream(credentials()),
    "no secret": lambda: _private_stream(bm.Credentials(KEY, None, MEMO)),
}


@pytest.mark.parametrize("how", CALLS)
async def test_a_call_that_fails_shows_nothing(how: str) -> None:
    with pytest.raises(Exception) as caught, trio.fail_after(10):  # each has its own error elsewhere
        await CALLS[how]()
    assert shown(caught.value) == []


async def _login_fails(who: bm.Credentials, faults: list[Any]) -> None:
    async with bm.sim.open_exchange(seed=1, faults=faults) as exchange:
        async with exchange.open_streams(who, config=ONCE) as streams, streams.futures.order():
            pytest.fail("it opened")


@pytest.mark.parametrize("how", ["refused", "cut off", "signer", "line break"])
async def test_a_login_that_fails_shows_nothing(how: str, autojump_clock: trio.testing.MockClock) -> None:
    faults: list[Any] = []
    who = credentials()
    match how:
        case "cut off":
            faults = [bm.sim.parse_fault("RefuseLogin")]
        case "signer":
            who = bm.Credentials(KEY, None, MEMO, sign=_async_failure)
        case "line break":
            who = bm.Credentials(KEY, None, MEMO, sign=lambda _: SIGNATURE + "\n")
        case _:
            pass
    with pytest.raises(bm.BitMartError) as caught:
        await _login_fails(who, faults)
    assert shown(caught.value) == []


def test_what_is_printed_and_copied_shows_nothing() -> None:
    """``repr``, ``str``, ``attrs.asdict``, ``vars`` and pickles of everything that holds a secret."""
    who = credentials()
    config = bm.Config(proxy=f"http://user:{PASSWORD}@proxy.test:3128")
    for thing in (who, config, config.proxy, Secret(SECRET)):
        texts = [repr(thing), str(thing), f"{thing}", pprint.pformat(getattr(thing, "__dict__", {}))]
        if isinstance(thing, bm.Config):
            texts += [repr(attrs.asdict(thing)), repr(attrs.astuple(thing))]
        texts += [repr(getattr(thing, name, "")) for name in getattr(type(thing), "__slots__", ()) if name[0] == "_"]
        assert not [text for text in texts if any(hidden in text for hidden in HIDDEN)]
        with pytest.raises(TypeError):
            pickle.dumps(thing)
    assert repr(config.proxy) == "Proxy('http://***@proxy.test:3128')"
    assert isinstance(config.proxy, Proxy)
    assert config.proxy.authorization() is not None
    assert copy.deepcopy(Secret(SECRET)).reveal() == SECRET


def test_the_search_itself_finds_what_is_shown() -> None:
    """A variable of a frame below our folder with a secret in a list is found."""
    scope: dict[str, Any] = {}
    code = compile(f"def leak():\n    held = ['{SECRET}']\n    raise ValueError\n", f"{HOME}/x.py", "exec")
    exec(code, scope)
    assert shown(provoked(scope["leak"]))
