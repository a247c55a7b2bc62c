"""Calls functions of the exchange's own Python client as told, line by line.

    python official_rest.py URL KEY SECRET MEMO
    > {"id": 1, "client": "APISpot", "function": "get_v3_ticker", "arguments": {"symbol": "BTC_USDT"}}
    < {"id": 1, "reply": [{...}, {...}]}        or  {"id": 1, "error": {...}}
    > {"id": 2, "list": true}
    < {"id": 2, "reply": {"APISpot": ["get_currencies", ...], ...}}

The package is used as it comes: where it talks to is an argument of its constructors.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from bitmart.api_account import APIAccount
from bitmart.api_broker import APIBroker
from bitmart.api_contract import APIContract
from bitmart.api_contract_sub_account import APIContractSubAccount
from bitmart.api_finance import APIFinance
from bitmart.api_margin_loan import APIMarginLoan
from bitmart.api_spot import APISpot
from bitmart.api_spot_sub_account import APISpotSubAccount
from bitmart.api_system import APISystem
from bitmart.lib.cloud_exceptions import APIException

CLASSES = (
    APIAccount, APIBroker, APIContract, APIContractSubAccount, APIFinance, APIMarginLoan, APISpot, APISpotSubAccount,
)  # fmt: skip


def main() -> None:
    """Answer each line of standard input."""
    url, key, secret, memo = sys.argv[1:]
    clients: dict[str, Any] = {each.__name__: each(key, secret, memo, url=url) for each in CLASSES}
    clients["APISystem"] = APISystem(url=url)
    for line in sys.stdin:
        message = json.loads(line)
        if message.get("list"):
            offered = {
                name: [each for each in vars(type(client)) if not each.startswith("_")]
                for name, client in clients.items()
            }
            answer(message, {"reply": offered})
            continue
        function = getattr(clients[message["client"]], message["function"])
        try:
            answer(message, {"reply": function(**message.get("arguments", {}))})
        except APIException as error:
            answer(message, {"error": {"status": error.status_code, "body": error.response}})
        except Exception as error:  # noqa: BLE001  # a fault of the client's own is an answer, too
            answer(message, {"error": {"raised": f"{type(error).__name__}: {error}"}})


def answer(message: dict[str, Any], outcome: dict[str, Any]) -> None:
    """Write one line."""
    sys.stdout.write(json.dumps({"id": message["id"], **outcome}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
