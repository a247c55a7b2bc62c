"""Sign with a secret that this program never sees: here another task has it; it could be a vault or a hardware key."""

from __future__ import annotations

import hashlib
import hmac
import os

import trio

import bitmart_trio as bm

ENVIRONMENT = bm.Environment.at(os.environ.get("BITMART_URL", "http://127.0.0.1:8765"))


class Vault:
    """Holds the secret and signs on request."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self.count = 0

    async def sign(self, message: bytes) -> str:
        """What `Credentials` calls for every signed request and login."""
        await trio.lowlevel.checkpoint()  # a real one would go over a wire
        self.count += 1
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()


async def main() -> None:
    """REST calls and the login of a stream use it alike."""
    vault = Vault(os.environ["BITMART_API_SECRET"])
    credentials = bm.Credentials(os.environ["BITMART_API_KEY"], memo=os.environ["BITMART_API_MEMO"], sign=vault.sign)
    async with bm.open_client(credentials, environment=ENVIRONMENT) as client:
        orders = await client.spot.trading.open_orders()
        print(f"{len(orders)} open orders")
        async with client.streams.spot.user_balance():
            print("logged in")
    print(f"{vault.count} signatures")


if __name__ == "__main__":
    trio.run(main)
