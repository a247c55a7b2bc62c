"""Help that prints the types which people know.

typer prints Python's: ``--resume <bool>``, ``SYMBOL <str>``. A flag takes nothing, and what an argument is called says
what it takes.
"""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup


class PlainGroup(TyperGroup):
    """A group of commands whose help names no type of Python's."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401  # typer carries its own Click, untyped to us
        """The command of that name, its help made plain."""
        return _plain(super().get_command(ctx, cmd_name))

    def get_help_option(self, ctx: Any) -> Any:  # noqa: ANN401  # as above
        """``--help`` of the group itself."""
        for parameter in self.params:
            _silent(parameter)
        return _silent(super().get_help_option(ctx))


def _plain(command: Any) -> Any:  # noqa: ANN401  # as above
    if command is not None and not getattr(command, "is_plain", False):
        command.is_plain = True
        for parameter in command.params:
            _silent(parameter)
        if not isinstance(command, PlainGroup):
            help_option = command.get_help_option

            def silent(ctx: Any) -> Any:  # noqa: ANN401  # as above
                return _silent(help_option(ctx))

            command.get_help_option = silent
    return command


def _silent(parameter: Any) -> Any:  # noqa: ANN401  # as above
    """A flag or an argument with no type behind its name; any other option with its own name in capitals for one."""
    if not hasattr(parameter, "is_plain"):
        parameter.is_plain = True
        named = parameter.display_type_rich
        is_bare = parameter.param_type_name == "argument" or getattr(parameter, "is_flag", False)
        word = "" if is_bare else max(parameter.opts, key=len).lstrip("-").upper()

        def shown(ctx: Any) -> str | None:  # noqa: ANN401  # as above
            kind: str | None = named(ctx)
            return word if kind is not None and kind.startswith("<") else kind

        parameter.display_type_rich = shown
    return parameter
