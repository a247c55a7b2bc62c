"""Implement ``bitmart-trio archive`` without arguments: a guide for a person who has never used a terminal.

It explains what will happen, asks for the key, checks that the key is safe, estimates the time, makes the archive, and
offers a spreadsheet. It only reads from the exchange, and keeps the key only if it works.
"""

from __future__ import annotations

import getpass
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

import trio
from rich.console import Console
from rich.text import Text

import bitmart_trio as bm

from ..credentials import Secret
from ..history import archive as archives
from ..text import printable
from . import _options, key
from ._run import Failure, Incomplete, Refusal
from .archive import Archive, export_tables, key_of, plain_words

PROFILE: Final = "archive"
"""The name under which the guide keeps a key."""
FOLDER: Final = "bitmart-archive"

_WHAT: Final = """\
This reads everything that BitMart still shows of your account - trades, deposits, withdrawals, futures, fees - and
saves it in a folder on this computer, with a report of what is there and what is missing.

It only reads. It cannot trade or withdraw, and it changes nothing in your account.
BitMart stops on 31 January 2027 at 15:59 UTC. After that nobody can read your account any more.

There are five steps. You can stop at any time with Ctrl-C and start again: nothing that was saved is lost.
"""
_HOW_TO_MAKE_A_KEY: Final = """\
You need a key that can only read. To make one:

  1. Log in at the exchange's site (www.bitmart.com). Point at your account's picture at the top right and
     choose "API Management".
  2. Memo: type any word of letters and digits and remember it. It is a second password for this key.
  3. Permissions: tick "Read Only", and nothing else.
  4. The list of IP addresses may stay empty.
  5. Confirm with the codes that the site asks for: two of e-mail, phone, authenticator app.
  6. The site now shows an Access Key and, once only, a Secret Key. Copy both.
"""
_TYPE_IT: Final = """\
Now copy the three here, one after the other, and press Enter after each. What you type is not shown, on purpose.
(To paste: right-click on Windows, Cmd-V on macOS, Ctrl-Shift-V on Linux.)
"""


class Guide:
    """One walk through the guide.

    Args:
        environment: the exchange.
        profile: the name of a stored key to use; None to look for one, then ask.
        settle: see `Archive`.
        console: a terminal.
    """

    def __init__(self, environment: bm.Environment, profile: str | None, settle: float, console: Console) -> None:
        self._environment = environment
        self._profile = profile
        self._settle = settle
        self._console = console
        self._typed: Sequence[Secret[str]] = ()
        self._credentials: bm.Credentials | None = None

    def prepare(self) -> None:
        """Explain what will happen and get a key. This comes before Trio runs: a key is typed with the echo off.

        Raises:
            Failure: no key was typed.
        """
        self._title("Save your BitMart account")
        self._say(_WHAT)
        if self._environment is not bm.LIVE:
            self._say(f"This is not BitMart itself but {self._environment.name}.\n")
        self._title("Step 1 of 5: the key")
        self._credentials = self._stored()
        if self._credentials is None:
            self._say(_HOW_TO_MAKE_A_KEY)
            self._say(_TYPE_IT)
            self._typed = _typed("Access Key", "Secret Key", "Memo")
            self._credentials = bm.Credentials(*(text.reveal() for text in self._typed))

    def _stored(self) -> bm.Credentials | None:
        """Return a key that is stored already: the named one, the guide's own, or another."""
        if self._profile is not None:
            return key_of(self._profile, self._environment)
        found = key.find(PROFILE)
        if found is not None:
            self._say(f"Using the key that was stored under the name {PROFILE!r}.\n")
            return found
        with suppress(bm.MissingCredentials):
            found = _options.credentials(None, self._environment)
        if found is not None:
            self._say("Using the key that is stored on this computer.\n")
        return found

    async def run(self) -> None:
        """Run the steps that need the network.

        Raises:
            Failure: the user stopped, the key does not work, or the archive has gaps.
        """
        assert self._credentials is not None
        allow = False
        async with bm.open_client(self._credentials, environment=self._environment) as client:
            self._title("Step 2 of 5: checking the key")
            look = await self._look(client)
            self._say(f"It works. Account {printable(look.account) or 'unknown'}.")
            if look.harmless:
                self._say("It can only read. Good.\n")
            else:
                self._say(f"Careful: {printable('; '.join(look.problems))}.")
                self._say("For an archive a key that can only read is enough and safer: nobody can steal with it.")
                if not await _yes("Use this key anyway?", default=False):
                    raise Failure("stopped; make a key that can only read, then start again")
                allow = True
            await self._keep()
            self._title("Step 3 of 5: where and how long")
            out = await self._folder()
            rebates = await _yes("Does BitMart pay you rebates, as a broker or an affiliate?", default=False)
            without = () if rebates else ("broker", "affiliate")
            guess = await archives.estimate(client, without=without)
            span = _span(guess.seconds)
            self._say(f"At least {guess.requests} requests: {span}. Many records take longer.\n")
            if not await _yes("Start?", default=True):
                raise Failure("stopped; nothing was read")
        self._title("Step 4 of 5: reading")
        wanted = Archive(
            out=out,
            since=None,
            until=None,
            resume=True,
            symbols=(),
            allow_trading_key=allow,
            settle=self._settle,
            without=without,
            json=False,
        )
        gaps: Incomplete | None = None
        try:
            await wanted.run(self._credentials, self._environment)
        except Incomplete as incomplete:  # an incomplete archive is still worth a spreadsheet
            gaps = incomplete
        self._title("Step 5 of 5: a spreadsheet")
        await self._spreadsheet(out)
        if gaps is not None:
            raise gaps

    async def _look(self, client: bm.Client) -> archives.KeyLook:
        try:
            with plain_words():
                return await archives.look_at_key(client)
        except Failure as failure:
            if self._typed:
                raise
            raise Failure(
                f"{failure}. To enter another key: bitmart-trio key forget {PROFILE}, then start again"
            ) from None

    async def _keep(self) -> None:
        if not self._typed:
            await trio.lowlevel.checkpoint()
            return
        if await _yes("Store the key on this computer, so that you need not copy it again?", default=True):
            where = await trio.to_thread.run_sync(partial(key.keep, PROFILE, *self._typed))
            self._say(f"Stored in {where} under the name {PROFILE!r}.")
            self._say(f"To remove it: bitmart-trio key forget {PROFILE}\n")

    async def _folder(self) -> Path:
        standard = Path.home() / FOLDER
        out = _path(await _answer(f"Folder for the archive [{standard}]: ")) or standard
        if archives.is_archive(out):
            self._line(f"Continuing the archive in {out}.")
        return out

    async def _spreadsheet(self, out: Path) -> None:
        to = out.with_name(f"{out.name}-export")
        if not await _yes(f"Make a spreadsheet of it in {to}?", default=True):
            return
        if archives.can_export("xlsx"):
            await trio.to_thread.run_sync(export_tables, out, to, "xlsx")
        else:
            self._say("A workbook needs one more package (pip install 'bitmart-trio[xlsx]'), so these are CSV files.")
            await trio.to_thread.run_sync(export_tables, out, to, "csv")
        self._say("\nFor a tax tool (koinly, cointracker or cryptotaxcalculator):")
        self._line(f"  bitmart-trio archive export {out} --to {to} --format koinly")

    def _title(self, text: str) -> None:
        self._console.print(Text(f"\n{text}\n", style="bold"))

    def _say(self, text: str) -> None:
        """Print sentences, wrapped between words."""
        self._console.print(Text(text))

    def _line(self, text: str) -> None:
        """Print a line to copy, not wrapped."""
        self._console.print(Text(text), soft_wrap=True)


def _typed(*names: str) -> Sequence[Secret[str]]:
    """Read what is typed or pasted, without showing it."""
    words: list[Secret[str]] = []
    for name in names:
        word = Secret("")
        with suppress(EOFError):
            word = Secret(getpass.getpass(f"{name}: ").strip())
        if not word.reveal():
            raise Failure(f"no {name} was typed; nothing was sent. Start again when you have all three")
        words.append(word)
    return words


async def _answer(question: str) -> str:
    """Read an answer; the end of input is an empty one."""

    def ask() -> str:
        try:
            return input(question)
        except EOFError:
            return ""

    # Ctrl-C abandons the thread: nothing else can end a read from a terminal.
    return await trio.to_thread.run_sync(ask, abandon_on_cancel=True)


def _path(answer: str) -> Path | None:
    """Return the path that was typed or dropped into the window, which adds quotes; None for nothing."""
    name = answer.strip().strip("\"'")
    return Path(name).expanduser() if name else None


async def _yes(question: str, *, default: bool) -> bool:
    answer = (await _answer(f"{question} [{'Y/n' if default else 'y/N'}] ")).strip().lower()
    return default if not answer else answer in ("y", "yes")


def _span(seconds: float) -> str:
    if seconds < 90:
        return "less than two minutes"
    if seconds < 5400:
        return f"about {round(seconds / 60)} minutes"
    return f"about {seconds / 3600:.0f} hours"


def need_terminal() -> None:
    """Refuse to run where nobody can answer.

    Raises:
        Refusal: standard input or output is not a terminal.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Refusal(
            "the guide needs a terminal; without one, name a folder and a key: "
            "bitmart-trio archive --out my-account --profile NAME"
        )
