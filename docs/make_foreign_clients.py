"""Writes ``docs/foreign_clients.md``: what each function and topic of other people's clients gets from the simulated exchange.

    python docs/make_foreign_clients.py --run      call them all (needs Node.js and both clients), store the result, write
    python docs/make_foreign_clients.py            write the page from the stored result
    python docs/make_foreign_clients.py --check    say whether the page is what the stored result makes

The stored result is ``docs/foreign_clients.json``; a test calls everything anew and compares.
"""
# ruff: noqa: E501  # the page is written in lines of its own length

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import trio
from made_pages import write_or_check

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs" / "foreign_clients.md"
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "interop")]

from judgement import (  # noqa: E402  # after the path is set
    OFFICIAL,
    REFUSED,
    RESULT,
    Row,
    good,
    judge,
    npm_command,
    npm_trials,
    sdk_trials,
    stored,
)
from topics import PRIVATE, PUBLIC  # noqa: E402

HEAD: Final = """\
# Other clients on the simulated exchange

The simulated exchange is judged by clients that know nothing of it: the npm package `bitmart-api` 2.5.1 and the exchange's
own `bitmart-python-sdk-api` 2.8.0 from PyPI. Both are used as they come; where they connect to is an option of theirs. An
error that the real exchange would not give is a bug of ours.

| client | functions | succeed | do not, for reasons named below |
| --- | --- | --- | --- |
{summary}

Beside single calls, a bot in JavaScript on the npm package trades an hour of exchange time on it (`tests/interop/bot.js`): it
quotes both sides of a spot pair, cancels, is filled, trades a contract, and keeps its books from its private streams. At the
end they agree with the exchange's to the last digit.

## How to point them here

Start an exchange with `bitmart-trio sim --port 8765`; the account that is always there has the key `sim-key`, the secret
`sim-secret` and the memo `sim-memo`.

```js
const {{ RestClient, WebsocketClient }} = require('bitmart-api');
const keys = {{ apiKey: 'sim-key', apiSecret: 'sim-secret', apiMemo: 'sim-memo' }};
const rest = new RestClient({{ baseUrl: 'http://127.0.0.1:8765', ...keys }});
const stream = new WebsocketClient({{ wsUrl: 'ws://127.0.0.1:8765/ws/spot/public?protocol=1.1', ...keys }});
```

In Python the official client takes `url=` and `stream_url=`:

    APISpot("sim-key", "sim-secret", "sim-memo", url="http://127.0.0.1:8765")
    SpotSocketClient(stream_url="ws://127.0.0.1:8765/ws/spot/public?protocol=1.1", on_message=print)

`wsUrl` is for one socket, so each of the four paths (`spot/public`, `spot/private`, `futures/public`, `futures/private`) takes a
client of its own. When the exchange's clock has been stepped, a client signs with a time that is too old, as on a machine
whose clock is wrong; `tests/interop/exchange_time.js` shows how a Node.js program follows it without a change to the package.

What the npm client itself does otherwise than the exchange documents is a list in `tests/interop/test_npm_differential.py`.
"""

TOPICS_HEAD: Final = """
## Topics

Both clients subscribe to each of these; it is acknowledged, and a message of it arrives with what it should carry. On the
private sockets both log in by themselves and hear of orders that are placed, cancelled and filled, of balances and positions.

| socket | topics |
| --- | --- |
"""

TITLES: Final = {"npm": "npm `bitmart-api` 2.5.1", "sdk": "PyPI `bitmart-python-sdk-api` 2.8.0"}


def text(result: dict[str, list[Row]]) -> str:
    """The whole page."""
    summary = "\n".join(
        f"| {TITLES[name]} | {len(rows)} | {sum(map(good, rows))} | {sum(not good(row) for row in rows)} |"
        for name, rows in result.items()
    )
    return "".join([HEAD.format(summary=summary), *_tables(result), TOPICS_HEAD, *_topics()])


def _tables(result: dict[str, list[Row]]) -> Iterator[str]:
    for name, rows in result.items():
        for client in dict.fromkeys(row["client"] for row in rows):
            yield f"\n## {TITLES[name]}: `{client}`\n\n| function | endpoint | answer |\n| --- | --- | --- |\n"
            for row in rows:
                if row["client"] == client:
                    yield f"| `{row['function']}` | {_endpoints(row)} | {_answer(row)} |\n"


def _endpoints(row: Row) -> str:
    return ", ".join(f"`{each}`" for each in dict.fromkeys(request for request, _, _ in row["answers"]))


def _answer(row: Row) -> str:
    if good(row):
        return "success"
    codes = ", ".join(f"{code} (HTTP {status})" for _, status, code in row["answers"])
    return f"{codes or row['raised']}: {REFUSED[row['function']]}"


def _topics() -> Iterator[str]:
    for socket, topics in {**PUBLIC, **PRIVATE}.items():
        yield f"| `{socket}` | {', '.join(f'`{topic}`' for topic in topics)} |\n"


async def run() -> dict[str, list[Row]]:
    """Call everything."""
    node = shutil.which("node")
    if node is None:
        raise SystemExit("needs Node.js")
    return {"npm": await judge(npm_command(Path(node)), npm_trials()), "sdk": await judge(OFFICIAL, sdk_trials())}


def main() -> int:
    """Write the page, or compare."""
    if "--run" in sys.argv[1:]:
        rows = {name: "[\n" + ",\n".join(map(json.dumps, rows)) + "\n]" for name, rows in trio.run(run).items()}
        RESULT.write_text(
            "{" + ",\n".join(f'"{name}": {made}' for name, made in rows.items()) + "}\n", encoding="utf-8"
        )
    return write_or_check({PAGE: text(stored())})


if __name__ == "__main__":
    sys.exit(main())
