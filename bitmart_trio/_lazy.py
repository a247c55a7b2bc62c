"""Modules whose names load when they are first asked for.

Such a module states its names once, as imports that type checkers follow and nobody runs::

    if TYPE_CHECKING:
        from .client import open_client as open_client
    else:
        from ._lazy import lazy

        __getattr__, __dir__, __all__ = lazy()

`lazy` finds the names by running the module's own code once more with an ``__import__`` that imports nothing but
returns a stand-in. The stand-in is true, also as ``TYPE_CHECKING``, so the branch for type checkers runs. `lazy` does
not read the source: a frozen application has none.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import resolve_name


class _StandIn:
    """What an import gives here: the module ``home``, as the import spells it, or the name ``name`` of that."""

    def __init__(self, home: str, name: str = "") -> None:
        self.home = home
        self.name = name

    def __getattr__(self, name: str) -> _StandIn:
        return _StandIn(self.home, name)


def _note(name: str, _globals: object, _locals: object, _names: object, level: int) -> _StandIn:
    """Serve as ``__import__``."""
    return _StandIn("." * level + name)


def lazy() -> tuple[Callable[[str], object], Callable[[], list[str]], list[str]]:
    """Return ``__getattr__``, ``__dir__`` and ``__all__`` of the module that calls this."""
    caller = sys._getframe(1)  # pyright: ignore[reportPrivateUsage] - the only way to the code of a module that is being run
    module = caller.f_globals
    seen: dict[str, object] = {"__builtins__": {"__import__": _note}}
    exec(caller.f_code, seen)  # noqa: S102 - its own code, see above
    names = {name: of for name, of in seen.items() if isinstance(of, _StandIn) and of.home.startswith(".")}

    def __getattr__(name: str) -> object:  # noqa: N807
        if name not in names:
            raise AttributeError(f"module {module['__name__']!r} has no attribute {name!r}")
        home = resolve_name(names[name].home, module["__package__"])
        original = names[name].name
        found = vars(import_module(home))
        # Otherwise the name is that of a module in the package `home`.
        value = found[original] if original in found else import_module(f"{home}.{original}")
        module[name] = value
        return value

    def __dir__() -> list[str]:  # noqa: N807
        return sorted({*names, *(name for name in module if name.startswith("__"))})

    return __getattr__, __dir__, sorted(names)
