"""Define what the hook ``on_drift`` of a `Config` receives: deviations of replies and pushes from the documentation."""

from __future__ import annotations

import attrs

from ._model import Model


@attrs.frozen(kw_only=True)
class Drift(Model):
    """A member of a reply or push that is missing or unreadable, reported once; its value is not shown.

    ``bm.absent`` lists it for each object that lacks it.
    """

    source: str
    """``"GET /path"`` of a reply, the channel of a push."""
    member: str
    """Its path by Python names, without indices: ``[].status``. For an omitted element, the list: ``[]``."""
    found: str
    """The kind of value in its place: nothing, null, a text, a number, a truth value, a list or an object."""
