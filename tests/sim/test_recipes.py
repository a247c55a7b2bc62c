"""What ``docs/guides/any_language.md`` shows is typed in as it stands, against a server: shell, Python, JavaScript."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any, Final

import pytest
import trio

import bitmart_trio as bm

PAGE: Final = Path(__file__).parents[2] / "docs" / "guides" / "any_language.md"
RECIPES: Final[list[tuple[str, str]]] = re.findall(
    r"^```(sh|py|js)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
)
PROGRAMS: Final = {
    "sh": ("sh", "curl", "openssl"),
    "py": (sys.executable,),
    "js": ("node",),
}


async def said(recipe: tuple[str, str], server: bm.sim.Server, folder: Path) -> list[Any]:
    """What a recipe prints, as JSON."""
    language, source = recipe
    missing = [each for each in PROGRAMS[language] if shutil.which(each) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")
    file = folder / f"recipe.{'mjs' if language == 'js' else language}"
    file.write_text(source)
    # Nothing of the surroundings but where programs are: no proxy, and no key.
    environment = {"PATH": os.environ["PATH"], "BITMART_URL": server.url}
    with trio.fail_after(60):
        ended = await trio.run_process(
            [PROGRAMS[language][0], str(file)], env=environment, capture_stdout=True, capture_stderr=True
        )
    assert ended.stderr == b""
    decoder, text, found = json.JSONDecoder(), ended.stdout.decode(), []
    while text := text.lstrip():
        value, end = decoder.raw_decode(text)
        found.append(value)
        text = text[end:]
    return found


def test_there_is_one_in_every_language() -> None:
    assert [language for language, _ in RECIPES] == ["sh", "sh", "py", "js"]


async def test_what_needs_no_key(tmp_path: Path) -> None:
    """Where things are, a ticker, the state, the log, the clock, a fault."""
    async with bm.sim.open_server(port=0, seed=7) as server:
        where, ticker, state, line, clock, added, ended = await said(RECIPES[0], server, tmp_path)
        assert where["sockets"] == ["/ws/spot/public", "/ws/spot/private", "/ws/futures/public", "/ws/futures/private"]
        assert ticker["data"]["symbol"] == "BTC_USDT"
        assert [len(state["candles"]["BTC_USDT"]), len(state["trades"]["BTC_USDT"])] == [3, 2]
        assert line["path"] == "/spot/quotation/v3/ticker"
        assert clock["now_ms"] >= server.exchange.clock.start + 60_000
        assert (added["added"]["fault"], ended) == ("LoseReply", {"ended": 1})


@pytest.mark.parametrize("recipe", RECIPES[1:], ids=[language for language, _ in RECIPES[1:]])
async def test_signing(recipe: tuple[str, str], tmp_path: Path) -> None:
    """A key alone, then signed bodies: an order is placed, listed and cancelled."""
    async with bm.sim.open_server(port=0, seed=7) as server:
        fee, placed, listed, cancelled = await said(recipe, server, tmp_path)
        assert [each["code"] for each in (fee, placed, listed, cancelled)] == [1000] * 4
        assert fee["data"]["symbol"] == "BTC_USDT"
        assert [row["orderId"] for row in listed["data"]] == [placed["data"]["order_id"]]
        done = [event for event in server.exchange.log.lines if event["kind"] == "spot_done"]
        assert [event["order_id"] for event in done] == [placed["data"]["order_id"]]
