"""Days on a Dask cluster: its executor, and nothing else of it."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import Executor
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Final, cast

from ...errors import ConfigurationError

CONNECT_SECONDS: Final = 30


@contextmanager
def dask_executor(address: str) -> Generator[Executor]:
    """An executor that hands days to the workers of a Dask scheduler; they need this library, and no file of the bot.

    Args:
        address: of the scheduler, such as ``tcp://10.0.0.1:8786``.

    Raises:
        ConfigurationError: Dask is not installed, or nobody answers there.
    """
    try:
        distributed: Any = import_module("distributed")
    except ModuleNotFoundError:
        raise ConfigurationError('Dask is not installed; run: pip install "bitmart-trio[dask]"') from None
    try:
        client = distributed.Client(address, timeout=CONNECT_SECONDS)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"no Dask scheduler answers at {address}: {error}") from None
    with client:
        # Not pure: two days of one name are two pieces of work.
        yield cast("Executor", client.get_executor(pure=False))
