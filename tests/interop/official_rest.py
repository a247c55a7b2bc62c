"""Calls functions of the exchange's own Python client as told, line by line.

    python official_rest.py URL KEY SECRET MEMO
    > {"id": 1, "client": "APISpot", "function": "get_v3_ticker", "arguments": {"symbol": "BTC_USDT"}}
    < {"id": 1, "reply": [{...}, {...}]}        or  {"id": 1, "error": {...}}

The package is used as it comes: where it talks to is an argument of its constructors.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from bitmart.api_account import APIAccount
from bitmart.api_contract import APIContract
from bitmart.api_spot import APISpot
from bitmart.lib.cloud_exceptions import APIException


def main() -> None:
    """Answer each line of standard input."""
    url, key, secret, memo = sys.argv[1:]
    clients: dict[str, Any] = {
        each.__name__: each(key, secret, memo, url=url) for each in (APIAccount, APIContract, APISpot)
    }
    for line in sys.stdin:
        message = json.loads(line)
        function = getattr(clients[message["client"]], message["function"])
        try:
            answer = {"reply": function(**message.get("arguments", {}))}
        except APIException as error:
            answer = {"error": {"status": error.status_code, "body": error.response}}
        sys.stdout.write(json.dumps({"id": message["id"], **answer}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
