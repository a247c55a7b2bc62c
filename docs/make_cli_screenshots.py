"""Draws ``docs/images/cli_*.svg``: real runs of ``bitmart-trio`` in a terminal (tmux) against a simulated exchange.

Give names to draw only those: ``python docs/make_cli_screenshots.py book``.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import attrs
import trio
from rich.ansi import AnsiDecoder
from rich.console import Console
from rich.terminal_theme import SVG_EXPORT_THEME

ROOT: Final = Path(__file__).resolve().parent.parent
IMAGES: Final = ROOT / "docs" / "images"
sys.path.insert(0, str(ROOT))

import bitmart_trio as bm  # noqa: E402  # after the path is set

PATIENCE: Final = 60.0

# Rich's own template names fonts at a host elsewhere; these pictures ask nobody for anything.
FORMAT: Final = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: DejaVu Sans Mono, Menlo, Consolas, monospace; font-size: {char_height}px;
line-height: {line_height}px; font-variant-east-asian: full-width; }}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" /></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


@attrs.frozen
class Shot:
    """One picture.

    Attributes:
        command: what is typed behind ``bitmart-trio``.
        size: of the terminal, columns and lines.
        ready: whether the screen is worth a picture.
    """

    command: str
    size: tuple[int, int]
    ready: Callable[[str], bool]


READER: Final = {"BITMART_API_KEY": "reader", "BITMART_API_SECRET": "reader-secret", "BITMART_API_MEMO": "reader-memo"}
"""A key of the default account that can only read: what an archive wants."""


SHOTS: Final = {
    "book": Shot("book BTC_USDT", (100, 30), lambda seen: bool(re.search(r"changes [2-9]\d", seen))),
    "watch": Shot(
        "watch spot/trade:BTC_USDT spot/trade:ETH_USDT spot/ticker:BTC_USDT futures/ticker",
        (120, 32),
        lambda seen: bool(re.search(r"spot/trade:BTC_USDT +\d\d+ +[1-9]", seen)),
    ),
    "archive": Shot("archive --out my-account", (110, 30), lambda seen: bool(re.search(r"account.* 4\d parts", seen))),
}


async def _tmux(socket: Path, *words: str) -> str:
    ended = await trio.run_process(["tmux", "-S", str(socket), "-f", os.devnull, *words], capture_stdout=True)
    return ended.stdout.decode()


async def draw(name: str, shot: Shot, url: str) -> None:
    """Run the command until its screen is ready, and write what is on it."""
    columns, lines = shot.size
    command = f"{shlex.join([sys.executable, '-m', 'bitmart_trio'])} {shot.command}"
    settings = {
        "BITMART_URL": url,
        "COLORTERM": "truecolor",
        "TERM": "tmux-256color",
        "PYTHONPATH": str(ROOT),
        **READER,
    }
    variables = [f"{name}={value}" for name, value in settings.items()]
    with tempfile.TemporaryDirectory() as folder, trio.fail_after(PATIENCE):
        socket = Path(folder) / "tmux"
        size = ["-x", str(columns), "-y", str(lines)]
        await _tmux(socket, "new-session", "-d", *size, "-c", folder, "env", *variables, "sh", "-c", command)
        try:
            while True:
                if shot.ready(await _tmux(socket, "capture-pane", "-p")):
                    break
                await trio.sleep(0.2)
            seen = await _tmux(socket, "capture-pane", "-p", "-e")
        finally:
            with trio.CancelScope(shield=True):
                await _tmux(socket, "kill-server")
    _write(name, f"bitmart-trio {shot.command}", seen, columns)


def _write(name: str, title: str, seen: str, columns: int) -> None:
    console = Console(record=True, width=columns, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    for line in AnsiDecoder().decode(seen.rstrip("\n")):
        console.print(line, no_wrap=True, crop=True)
    svg = console.export_svg(title=title, theme=SVG_EXPORT_THEME, code_format=FORMAT, unique_id=f"cli-{name}")
    IMAGES.mkdir(exist_ok=True)
    text = "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"
    (IMAGES / f"cli_{name}.svg").write_text(text, encoding="utf-8")


async def _trade(client: bm.Client) -> None:
    """Something for an archive to find."""
    for notional in (50, 60, 70):
        await client.spot.trading.submit_order("BTC_USDT", side="buy", type="market", notional=notional)
    for side in (1, 3):
        await client.futures.trading.submit_order(
            symbol="BTCUSDT", side=side, type="market", size=5, leverage="5", open_type="cross"
        )


async def main() -> None:
    """Draw them all, or those that are named."""
    async with bm.sim.open_server(seed=7) as server, server.open_client() as client:
        accounts = server.exchange.accounts
        key, secret, memo = READER.values()
        accounts.add_key(
            accounts.all()[0], key=key, secret=secret, memo=memo, permissions={"read", "sub_transfer", "contract_agent"}
        )
        await _trade(client)
        for name in sys.argv[1:] or SHOTS:
            await draw(name, SHOTS[name], server.url)


if __name__ == "__main__":
    if subprocess.run(["tmux", "-V"], capture_output=True, check=False).returncode:  # noqa: S607  # wherever it is
        sys.exit("tmux is needed")
    trio.run(main)
