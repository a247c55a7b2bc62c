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


SHOTS: Final = {
    "book": Shot("book BTC_USDT", (100, 30), lambda seen: bool(re.search(r"changes [2-9]\d", seen))),
    "watch": Shot(
        "watch spot/trade:BTC_USDT spot/trade:ETH_USDT spot/ticker:BTC_USDT futures/ticker",
        (120, 32),
        lambda seen: bool(re.search(r"spot/trade:BTC_USDT +\d\d+ +[1-9]", seen)),
    ),
}


async def _tmux(socket: Path, *words: str) -> str:
    ended = await trio.run_process(["tmux", "-S", str(socket), "-f", os.devnull, *words], capture_stdout=True)
    return ended.stdout.decode()


async def draw(name: str, shot: Shot, url: str) -> None:
    """Run the command until its screen is ready, and write what is on it."""
    columns, lines = shot.size
    command = f"{shlex.join([sys.executable, '-m', 'bitmart_trio'])} {shot.command}"
    variables = [f"BITMART_URL={url}", "COLORTERM=truecolor", "TERM=tmux-256color", f"PYTHONPATH={ROOT}"]
    with tempfile.TemporaryDirectory() as folder, trio.fail_after(PATIENCE):
        socket = Path(folder) / "tmux"
        size = ["-x", str(columns), "-y", str(lines)]
        await _tmux(socket, "new-session", "-d", *size, "env", *variables, "sh", "-c", command)
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


async def main() -> None:
    """Draw them all, or those that are named."""
    async with bm.sim.open_server(seed=7) as server:
        for name in sys.argv[1:] or SHOTS:
            await draw(name, SHOTS[name], server.url)


if __name__ == "__main__":
    if subprocess.run(["tmux", "-V"], capture_output=True, check=False).returncode:  # noqa: S607  # wherever it is
        sys.exit("tmux is needed")
    trio.run(main)
