"""Print types in help texts as people know them.

typer prints Python's types: ``--resume <bool>``, ``SYMBOL <str>``. But a flag takes no value, and an argument's name
says what it takes.
"""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup


class PlainGroup(TyperGroup):
    """A group of commands whose help names no Python types."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401  # typer carries its own Click, untyped to us
        """Return the command of that name, with plain help."""
        return _plain(super().get_command(ctx, cmd_name))

    def get_help_option(self, ctx: Any) -> Any:  # noqa: ANN401  # as above
        """Return the ``--help`` option of the group itself."""
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
    """Print a flag or an argument without a type, and any other option with its own name in capitals as type."""
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
