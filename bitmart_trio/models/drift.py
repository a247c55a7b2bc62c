"""What the hook ``on_drift`` of a `Config` is given: where replies and pushes have parted from what is documented."""

from __future__ import annotations

import attrs

from ._model import Model


@attrs.frozen(kw_only=True)
class Drift(Model):
    """A member of a reply or push that is missing or unreadable, when it is met first; the value itself is not shown.

    The objects that lack it say so: see ``bm.absent``.
    """

    source: str
    """``"GET /path"`` of a reply, the channel of a push."""
    member: str
    """Its path by Python names, without indices: ``[].status``. Of an element that was left out, the list: ``[]``."""
    found: str
    """What stood in its place: nothing, null, a text, a number, a truth value, a list or an object."""
