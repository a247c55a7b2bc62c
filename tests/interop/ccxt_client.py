"""Carries out what it is told with ccxt, unmodified: a line of JSON in, a line of JSON out."""

from __future__ import annotations

import json
import sys
from importlib import import_module

ccxt = import_module("ccxt")  # installed by CI only


def _at(url: str, hosts: object) -> object:
    return {name: _at(url, host) for name, host in hosts.items()} if isinstance(hosts, dict) else url


def main() -> None:
    """Answer until there are no more lines."""
    url, key, secret, memo = sys.argv[1:]
    exchange = ccxt.bitmart({"apiKey": key, "secret": secret, "uid": memo})
    exchange.urls["api"] = _at(url, exchange.urls["api"])
    for line in sys.stdin:
        told = json.loads(line)
        try:
            answer = {"result": getattr(exchange, told["call"])(*told["arguments"])}
        except ccxt.BaseError as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


main()
