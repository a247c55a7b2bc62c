"""A request as a face passes it on, and a reply as a venue returns it: both have the shape of HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

import attrs


@attrs.frozen
class Request:
    """One HTTP request as received; header names are lower-case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    address: str


@attrs.frozen
class Response:
    """One HTTP answer: status, headers (with names as sent) and the exact body bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def phrase(status: int) -> str:
    """The reason phrase of an HTTP status."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:  # such as the edge network's 520 to 530
        return "Error"
