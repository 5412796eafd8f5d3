"""The command line. A command is a module of its own with an `app`; it is imported when it is called, so that help is fast."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

COMMANDS = {
    "up": "Start everything here and keep it running; Ctrl-C stops it.",
    "test": "Check everything: lint, types, import directions, tests.",
    "status": "One screen: what runs, who is connected, what waits for you.",
    "doctor": "Look at everything; say what is wrong and how to mend it.",
    "chat": "Talk to an agent from here, as a visitor of a web chat.",
    "sessions": "What agents remember and do; pause, resume and close it.",
    "approvals": "What waits for a human; approve or deny it.",
    "apply": "Create accounts, agents, bindings and people from a file.",
    "backup": "Write everything of `up` to one file, while it runs.",
    "restore": "Make a data folder of such a file.",
    "forget": "Delete what a person wrote and what is known of them.",
    "api": "Run the API alone.",
    "worker": "Run a worker alone.",
    "tour": "See an approval survive a kill, in ninety seconds.",
    "bench": "Measure what it can do here, beside the bare parts.",
    "migrate": "Bring the database's schema up to date.",
    "prepare": "Migrate, and create the admin key and the demo, as `up` does.",
}


class Commands(TyperGroup):
    """Knows its commands by name and sentence; reads one only to run it."""

    def list_commands(self, ctx: Any) -> list[str]:
        """All names, in the order they are shown."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command as far as it is known."""
        if cmd_name in self.commands or cmd_name not in COMMANDS:
            return self.commands.get(cmd_name)
        return TyperCommand(cmd_name, help=COMMANDS[cmd_name], hidden=cmd_name == "prepare")

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is called, read from its module."""
        if args and args[0] in COMMANDS:
            called: typer.Typer = import_module(f"cli.{args[0].replace('-', '_')}").app
            called._add_completion = False
            self.add_command(typer.main.get_command(called), args[0])
        return super().resolve_command(ctx, args)


app = typer.Typer(cls=Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@app.callback()
def switchboard() -> None:
    """Switchboard connects messaging channels to AI agents, durably."""
