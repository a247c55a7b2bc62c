"""Days on a Dask cluster, of which only the executor is used."""

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
    """An executor that sends days to the workers of a Dask scheduler; they need this library, but not the bot's files.

    Args:
        address: the address of the scheduler, such as ``tcp://10.0.0.1:8786``.

    Raises:
        ConfigurationError: Dask is not installed, or no scheduler answers at the address.
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
        # Not pure: Dask must not merge two days of one name.
        yield cast("Executor", client.get_executor(pure=False))
