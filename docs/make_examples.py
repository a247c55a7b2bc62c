"""Writes ``docs/examples.md`` and what is in ``docs/outputs``: every example with what it prints.

With ``--check`` it says whether the page is current, and runs and changes nothing. Whether the outputs are is a matter
of ``tests/test_examples.py``, since prices and times are others each time.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Final

import trio
from made_pages import write_or_check

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs" / "examples.md"
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from example_kit import EXAMPLES, OUTPUTS, TESTS, run_test_example, settings  # noqa: E402  # after the path is set

import bitmart_trio as bm  # noqa: E402  # after the path is set

HEAD: Final = """# Examples

Complete programs, each with what it printed when this page was made. They are in the folder `examples` of the
repository, and a test runs every one of them. None goes to BitMart itself by default: each takes the exchange's address
from `BITMART_URL` (`http://127.0.0.1:8765` when unset) and the key from `BITMART_API_KEY`, `BITMART_API_SECRET` and
`BITMART_API_MEMO`. To try one:

```sh
bitmart-trio sim &
export BITMART_API_KEY=sim-key BITMART_API_SECRET=sim-secret BITMART_API_MEMO=sim-memo
python examples/tickers.py
```
"""

SECONDS: Final = 10
"""How long the bots trade: long enough to have done something."""

GROUPS: Final = {
    "Market data": ("tickers", "without_trio", "stream_trades", "order_book", "every_stream", "raw_request"),
    "Orders and accounts": (
        "place_and_cancel", "batch_orders", "own_orders", "account_summary", "account_view", "futures_position",
    ),
    "Bots": ("order_session", "market_maker", "grid", "dead_mans_switch"),
    "Tests and the simulated exchange": ("test_a_bot", "virtual_time", "recorded_day", "sim_faults"),
    "Histories": ("download_history", "archive_account"),
    "When things go wrong": ("mind_the_gap", "slow_reader", "connection_events"),
    "Keys, proxies, measurements": ("custom_signer", "through_a_proxy", "hooks"),
}  # fmt: skip
"""The examples by what they are about."""

INDEX_ROW: Final = re.compile(r"^\| \[(\w+)\.py\]\(\w+\.py\) \| (.+) \|$", re.MULTILINE)


def page() -> str:
    """The page; programs and outputs are included when the site is made."""
    about = dict(INDEX_ROW.findall((EXAMPLES / "README.md").read_text(encoding="utf-8")))
    parts = [HEAD]
    for group, names in GROUPS.items():
        parts.append(f"\n## {group}\n")
        for name in names:
            text = about.pop(name)
            parts.append(
                f"### {name}.py\n\n{text[0].upper()}{text[1:]}.\n\n"
                f"```{{literalinclude}} ../examples/{name}.py\n:language: python\n```\n\nIt prints:\n\n"
                f"```{{literalinclude}} outputs/{name}.txt\n:language: text\n```\n"
            )
    if about:
        raise SystemExit(f"in no group: {', '.join(about)}")
    return "\n".join(parts)


async def record() -> None:
    """Run every example and keep what it prints."""
    OUTPUTS.mkdir(exist_ok=True)
    for path in sorted(EXAMPLES.glob("*.py")):
        if path.stem in TESTS:
            printed = run_test_example(path.stem).stdout
        else:
            async with bm.sim.open_server(port=0, seed=7) as server:
                command, environment = [sys.executable, str(path)], settings(server.url, seconds=SECONDS)
                printed = (await trio.run_process(command, env=environment, capture_stdout=True)).stdout.decode()
        (OUTPUTS / f"{path.stem}.txt").write_text(printed, encoding="utf-8")


def main() -> int:
    """Write the page and the outputs, or compare the page."""
    if "--check" not in sys.argv[1:]:
        trio.run(record)
    return write_or_check({PAGE: page()})


if __name__ == "__main__":
    sys.exit(main())
