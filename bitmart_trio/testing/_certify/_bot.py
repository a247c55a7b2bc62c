"""The bot: the location of its code, reloading it for each of its lives, and the arguments of its ``main``."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Final, TypeAlias, cast

import attrs

from ...errors import ConfigurationError

Main: TypeAlias = Callable[..., Awaitable[object]]

JOURNAL: Final = "bot.journal"
"""The path of the journal that a bot receives."""
_LIBRARY: Final = str(Path(__file__).parents[2])
_DECLARED: Final = "CERTIFY"


@attrs.frozen
class Bot:
    """An async function in a file, or one that exists in this process only."""

    name: str
    """The name of the function."""
    path: Path | None = None
    """The bot's file; None: the bot cannot be reloaded or sent to another process."""
    function: Main | None = attrs.field(default=None, eq=False)
    """The function itself, if there is no file."""
    folder: Path | None = None
    """The folder of the bot's top-level package; modules from it belong to the bot."""
    module: str = "certified_bot"
    """The dotted name under which the bot's module is imported."""

    @property
    def title(self) -> str:
        """The short name of the bot, such as ``bot.py:main``."""
        return self.name if self.path is None else f"{self.path.name}:{self.name}"

    @contextmanager
    def loading(self) -> Generator[Callable[[], Main]]:
        """Provide a loader that imports the bot's modules anew at each call and returns the function.

        After the block the modules are forgotten. The loader raises ConfigurationError if there is no such function,
        and any error of the import.
        """
        if self.path is None or self.folder is None:
            function = self.function
            assert function is not None
            yield lambda: function
            return
        here, before = str(self.folder), set(sys.modules)

        def forget() -> None:
            for name in set(sys.modules) - before:
                if self.owns(getattr(sys.modules[name], "__file__", None)):
                    del sys.modules[name]

        def load() -> Main:
            forget()
            return _function(self._module(), self.name, str(self.path))

        sys.path.insert(0, here)
        importlib.invalidate_caches()
        try:
            yield load
        finally:
            sys.path.remove(here)
            forget()

    def _module(self) -> ModuleType:
        assert self.path is not None
        if "." in self.module:
            return importlib.import_module(self.module)
        spec = importlib.util.spec_from_file_location(self.module, self.path)
        if spec is None or spec.loader is None:
            raise ConfigurationError(f"{self.path} is no Python file")
        module = importlib.util.module_from_spec(spec)
        sys.modules[self.module] = module
        spec.loader.exec_module(module)
        return module

    def owns(self, file: str | None) -> bool:
        """Return True if a file is part of the bot."""
        if file is None:
            return False
        if self.folder is None:
            return self.function is not None and file == _code_file(self.function)
        return (
            file.startswith(f"{self.folder}{os.sep}") and not file.startswith(_LIBRARY) and "site-packages" not in file
        )

    def line(self, frame: FrameType | None) -> str:
        """Return the innermost line of the bot on a stack of frames: ``bot.py:12 in main``; "" if there is none."""
        while frame is not None:
            if found := self.line_of(frame.f_code, frame.f_lineno):
                return found
            frame = frame.f_back
        return ""

    def line_of(self, code: CodeType, number: int) -> str:
        """Format a line of code if it belongs to the bot; else return ""."""
        return f"{Path(code.co_filename).name}:{number} in {code.co_name}" if self.owns(code.co_filename) else ""

    def declared(self) -> Mapping[str, object]:
        """Return the declarations in ``CERTIFY`` of the bot's file and in the function's attribute ``certify``.

        Raises:
            ConfigurationError: one of the two is not a mapping.
        """
        with self.loading() as load:
            main = load()
            module = sys.modules.get(getattr(main, "__module__", ""))
            found = {**_mapping(module, _DECLARED), **_mapping(main, "certify")}
            arguments(main, client=None, journal=None, symbols=())
        return found


def _mapping(owner: object, name: str) -> dict[str, object]:
    found: object = getattr(owner, name, {})
    if not isinstance(found, Mapping):
        raise ConfigurationError(f"{name} of a bot is a mapping, such as {{'sizes': {{'BTC_USDT': '0.01'}}}}")
    return {str(key): value for key, value in cast("Mapping[object, object]", found).items()}


def _function(module: ModuleType, name: str, where: str) -> Main:
    found: object = module
    for part in name.split("."):
        found = getattr(found, part, None)
    if not callable(found):
        raise ConfigurationError(f"{where} has no function {name}")
    return cast("Main", found)


def _code_file(function: object) -> str | None:
    return function.__code__.co_filename if isinstance(function, FunctionType) else None


def named_bot(text: str) -> Bot:
    """Return the bot of a text such as ``bot.py:main``; ``main`` may be left out.

    Raises:
        ConfigurationError: there is no such file.
    """
    file, colon, name = text.rpartition(":")
    if not colon or "/" in name or "\\" in name:  # the colon of a Windows drive is no separator
        file, name = text, "main"
    path = Path(file).resolve()
    if not path.is_file():
        raise ConfigurationError(f"there is no file {file}; a bot is named like bot.py:main")
    return _in_file(path, name)


def _in_file(path: Path, name: str) -> Bot:
    folder, parts = path.parent, [path.stem]
    while (folder / "__init__.py").exists():
        parts.insert(0, folder.name)
        folder = folder.parent
    module = ".".join(parts) if len(parts) > 1 else "certified_bot"
    return Bot(name, path, folder=folder, module=module)


def bot_of(main: Main | str) -> Bot:
    """Return the bot of a function, or of a text such as ``bot.py:main``.

    Raises:
        ConfigurationError: there is no such file, or ``main`` is not callable.
    """
    if isinstance(main, str):
        return named_bot(main)
    if not callable(main):
        raise ConfigurationError(f"a bot is an async function or the name of one, not {main!r}")
    name, file = getattr(main, "__qualname__", ""), _code_file(inspect.unwrap(main))
    if not name or "<locals>" in name or file is None or not Path(file).is_file():
        return Bot(name or repr(main), function=main)
    return _in_file(Path(file).resolve(), name)


def arguments(main: Main, *, client: object, journal: object, symbols: tuple[str, ...]) -> dict[str, object]:
    """Return the arguments of a bot's function: those that it names, and the client as its first other one.

    Raises:
        ConfigurationError: the function has another required argument, or takes no client.
    """
    given: dict[str, object] = {}
    has_client = False
    for name, parameter in inspect.signature(main).parameters.items():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if name == "journal":
            given[name] = journal
        elif name == "symbols":
            given[name] = symbols
        elif name == "client" or (not has_client and parameter.default is parameter.empty):
            if parameter.kind is parameter.POSITIONAL_ONLY:
                raise ConfigurationError(f"{name} of a bot's function must be usable as a keyword")
            given[name], has_client = client, True
        elif parameter.default is parameter.empty:
            raise ConfigurationError(
                f"a bot's function takes a client, and journal and symbols if it names them; this one wants {name} too"
            )
    if not has_client:
        raise ConfigurationError(
            "a bot's function takes a client (bm.Client) that is open; this one takes none: let main() open the client "
            "and pass it on to a function that does the work, and certify that one"
        )
    return given
