"""What all tests share: nothing of the machine they run on leaks into them."""

from __future__ import annotations

import pytest

_OUTSIDE = (
    "BITMART_URL", "BITMART_PROFILE", "BITMART_API_KEY", "BITMART_API_SECRET", "BITMART_API_MEMO",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """No real key and no proxy of the person who runs the tests is used."""
    for name in _OUTSIDE:
        monkeypatch.delenv(name, raising=False)
