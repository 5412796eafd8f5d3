"""Groups of commands under one noun, where the noun alone means something too."""

from typing import Any, ClassVar

import typer
from typer.core import TyperGroup


class Noun(TyperGroup):
    """A noun's commands. Without one of them, `instead` is run, with the options that were given."""

    instead: ClassVar[tuple[str, ...]] = ("list",)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The arguments, with the command that was left out."""
        if not args or (args[0].startswith("-") and args[0] != "--help"):
            args = [*self.instead, *args]
        return super().parse_args(ctx, args)


def noun(sentence: str, *instead: str) -> typer.Typer:
    """An app whose commands act on one noun; `instead` is the command that its bare name stands for."""
    group = type("Noun", (Noun,), {"instead": instead or Noun.instead})
    return typer.Typer(cls=group, help=sentence, pretty_exceptions_enable=False, rich_markup_mode=None)
