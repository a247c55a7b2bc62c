"""The pytest plugin under the name by which older installations load it; it lives in `pytest_bitmart_trio`."""

from pytest_bitmart_trio import *  # noqa: F403
