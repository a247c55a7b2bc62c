"""Subscribes with the exchange's own Python client as told and reports each message, line by line.

    python official_sockets.py URL KEY SECRET MEMO
    > {"socket": "spot/private", "login": true}
    > {"socket": "spot/private", "subscribe": ["spot/user/orders:ALL_SYMBOLS"]}        also "unsubscribe"
    < {"socket": "spot/private", "event": "message", "data": {...}}

The package is used as it comes: where it talks to is an argument of its constructors.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from functools import partial
from typing import Any

from bitmart.websocket.futures_socket_client import FuturesSocketClient
from bitmart.websocket.spot_socket_client import SpotSocketClient

_writing = threading.Lock()


def report(socket: str, message: object) -> None:
    """Write one line; each client reads in a thread of its own."""
    with _writing:
        sys.stdout.write(json.dumps({"socket": socket, "event": "message", "data": message}) + "\n")
        sys.stdout.flush()


def main() -> None:
    """Act on each line of standard input."""
    url, key, secret, memo = sys.argv[1:]
    clients: dict[str, Any] = {}
    for line in sys.stdin:
        message = json.loads(line)
        socket = message["socket"]
        if socket not in clients:
            client = SpotSocketClient if socket.startswith("spot/") else FuturesSocketClient
            clients[socket] = client(
                stream_url=f"{url.replace('http', 'ws', 1)}/ws/{socket}?protocol=1.1",
                on_message=partial(report, socket),
                api_key=key,
                api_secret_key=secret,
                api_memo=memo,
            )
        if message.get("login"):
            clients[socket].login(timeout=0)  # whether it went well is in a message
        for verb in ("subscribe", "unsubscribe"):
            if verb in message:
                getattr(clients[socket], verb)(message[verb])
    os._exit(0)  # the client's timers run for ever and would keep the process alive


if __name__ == "__main__":
    main()
