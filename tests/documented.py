"""How much BitMart documents, counted once."""

from typing import Final

ENDPOINTS: Final = 145
"""REST endpoints, counted as the documentation lists them, removed ones included."""
