"""``GET /``: the addresses of a simulated exchange, for a program as JSON and for a person as a page."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Final

from ..kernel.accounts import SIM_KEY, SIM_MEMO, SIM_SECRET
from ..kernel.encoding import Json, encode
from ..kernel.talk import Venue

TITLE: Final = "A simulated exchange"
ABOUT: Final = "Everything here is play money. The default account is ready to trade with this key."
PLACES: Final = {
    "/sim/": "a page for people: book, candles, trades, accounts, connections, faults, clock",
    "/sim/state": "time, markets, accounts, connections and faults; with ?symbol= books, trades and candles too",
    "/sim/log": "what has happened, as JSON lines",
    "/sim/faults": "what goes wrong on purpose",
    "/sim/clock": "the exchange's time, and a hand on it",
}


def welcome(venue: Venue, accept: str) -> tuple[str, bytes]:
    """Return the content type and the body of the answer.

    Args:
        venue: the venue with the paths and sockets.
        accept: the client's ``Accept`` header; HTML is sent to clients that name it, as browsers do.
    """
    if "text/html" in accept.lower():
        return "text/html; charset=utf-8", "".join(_page(venue)).encode()
    return "application/json", encode(_object(venue)) + b"\n"


def _object(venue: Venue) -> Json:
    return {
        "title": TITLE,
        "about": ABOUT,
        "account": {"key": SIM_KEY, "secret": SIM_SECRET, "memo": SIM_MEMO},
        "places": dict(PLACES),
        "endpoints": venue.endpoints,
        "sockets": [f"/ws/{kind}" for kind in venue.kinds],
    }


def _page(venue: Venue) -> Iterator[str]:
    yield f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{TITLE}</title>\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield '<meta name="color-scheme" content="light dark">\n<link rel="icon" href="data:,">\n'
    yield '<link rel="stylesheet" href="/sim/page.css">\n</head>\n'
    yield f'<body class="text">\n<h1>{TITLE}</h1>\n<p>{ABOUT}</p>\n'
    yield f"<p>Key <code>{SIM_KEY}</code>, secret <code>{SIM_SECRET}</code>, memo <code>{SIM_MEMO}</code>.</p>\n<ul>\n"
    for path, what in PLACES.items():
        yield f'<li><a href="{path}">{path}</a> {escape(what)}</li>\n'
    yield f"</ul>\n<p>{venue.endpoints} REST endpoints are at the root, and the sockets at</p>\n<ul>\n"
    for kind in venue.kinds:
        yield f"<li><code>/ws/{escape(kind)}</code></li>\n"
    yield "</ul>\n</body>\n</html>\n"
