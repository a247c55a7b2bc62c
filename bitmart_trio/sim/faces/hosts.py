"""Decide which browser pages may talk to the exchange: only its own.

Browsers let any page on the web send simple requests, and open sockets, to this machine. They name the page's host in
``Origin``, which must be the exchange's own. A page whose name was made to resolve to this machine (DNS rebinding)
would count as the exchange's own, so the name must be one that nobody else can own: an address, ``localhost``, a name
without dots, a name below ``.invalid`` or ``.localhost``, the server's own name, or an allowed one. Programs send no
``Origin``, and are never refused for it.

Images, scripts, frames and links send no ``Origin`` either. But browsers mark their requests to an address of this
machine by ``Sec-Fetch-Site``. Of the requests from other pages, only a link to a path that changes nothing is accepted:
a GET of the exchange counts against quotas, and uses up faults.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

_HOST: Final = re.compile(r"[\w.-]*(:\d*)?|\[[0-9a-f:.]+\](:\d*)?", re.ASCII)


def stranger(
    method: str,
    headers: Mapping[str, str],
    allowed: frozenset[str],
    *,
    own: str = "",
    authority: str | None = None,
    looks_only: bool = False,
) -> str | None:
    """Return the reason to refuse a request before anything else is read; None if the request may pass.

    Args:
        method: the method of the request.
        headers: the headers by lower-case name.
        allowed: names with dots under which the exchange may be called, and pages that may call it.
        own: the name of the server: clients may use it, but pages on other ports of that name may not call the
            exchange.
        authority: the host in the request's target, if it names one: it replaces ``Host``.
        looks_only: True if a GET of the path changes nothing.
    """
    host = (headers.get("host", "") if authority is None else authority).lower()
    if not _HOST.fullmatch(host):
        return "that is no name of a host"
    name = urlsplit(f"//{host}").hostname or ""
    if not _nobody_elses(name) and name != own and name not in allowed:
        return f"{name} is not known to be this exchange; use its address, or allow the name (--allow-host {name})"
    origin = headers.get("origin")
    if origin is not None and _host_of(origin) in allowed:
        return None
    if origin is not None and origin.lower() != f"http://{host}":
        return "pages of other origins have no say here"
    if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        is_link = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
        if not (looks_only and is_link and method in ("GET", "HEAD")):
            return "pages of other sites have no say here"
    return None


def _host_of(origin: str) -> str:
    try:
        return urlsplit(origin).hostname or ""
    except ValueError:
        return ""


def _nobody_elses(name: str) -> bool:
    if "." not in name or name.endswith((".invalid", ".localhost")):
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
