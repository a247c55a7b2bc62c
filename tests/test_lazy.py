"""Names that load when they are first asked for are as good as names that are there."""

from __future__ import annotations

import compileall
import subprocess
import sys
import types
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest
from every_case import every_case

import bitmart_trio as bm

LAZY = (bm, bm.models, bm.testing, bm.endpoints.spot, bm.endpoints.futures)


@every_case("module", LAZY)
def test_every_name_loads_and_is_listed(module: types.ModuleType) -> None:
    for name in module.__all__:
        assert getattr(module, name) is getattr(module, name)
    assert set(module.__all__) <= set(dir(module))
    everything: dict[str, object] = {}
    exec(f"from {module.__name__} import *", everything)  # a star import stands only at the top of a module
    assert set(module.__all__) <= set(everything)


@every_case("module", LAZY)
def test_python_can_say_which_name_was_meant(module: types.ModuleType) -> None:
    """It compares ``name`` of the error with ``dir(obj)`` when it shows one that nobody caught."""
    with pytest.raises(AttributeError, match=rf"module '{module.__name__}' has no attribute 'no_such_name'") as refused:
        getattr(module, "no_such_name")  # noqa: B009 - type checkers know that it is not there
    assert (refused.value.name, refused.value.obj) == ("no_such_name", module)


def test_every_model_has_its_name_at_the_door() -> None:
    """A class that a file of ``models`` defines is a name of ``bm.models``, but for those that begin with ``_``."""
    for file in iter_modules(bm.models.__path__):
        module = import_module(f"bitmart_trio.models.{file.name}")
        defined = {
            name
            for name, value in vars(module).items()
            if isinstance(value, type) and value.__module__ == module.__name__ and not name.startswith("_")
        }
        if file.name != "_plain":  # how objects are written out is no model
            assert defined <= set(vars(bm.models)["__all__"]), file.name


def test_importing_the_front_door_loads_nothing_else() -> None:
    script = "import bitmart_trio, sys; print(*{m.split('.')[0] for m in sys.modules} & {'attrs', 'trio', 'httpx'})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_names_load_where_there_is_no_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A frozen application carries bytecode only."""
    package = tmp_path / "frozen_shop"
    package.mkdir()
    (package / "till.py").write_text("drawer = 'open'\n", encoding="utf-8")
    (package / "__init__.py").write_text(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n"
        "    from . import till as till\n"
        "    from .till import drawer as money\n"
        "else:\n"
        "    from bitmart_trio._lazy import lazy\n"
        "    __getattr__, __dir__, __all__ = lazy()\n",
        encoding="utf-8",
    )
    assert compileall.compile_dir(package, legacy=True, quiet=1)
    for source in package.glob("*.py"):
        source.unlink()
    monkeypatch.syspath_prepend(tmp_path)
    shop = import_module("frozen_shop")
    assert shop.__all__ == ["money", "till"]
    assert (shop.money, shop.till.drawer) == ("open", "open")
