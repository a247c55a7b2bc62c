"""The sans-IO core: bytes and numbers in, bytes, numbers and events out. No trio, no httpx, no clock."""
