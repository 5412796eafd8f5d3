"""`restore`: a backup becomes a data folder again."""

from pathlib import Path
from typing import Annotated

import typer

from cli.checks import count
from cli.output import out, short
from cli.place import DATA, DataOption
from embedded.restore import restore as make_folder

app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that `backup` wrote.")],
    data: DataOption = DATA,
) -> None:
    """Make a data folder of a backup. The folder has to be empty or new: nothing is overwritten."""
    found = make_folder(file.expanduser(), data)
    said = ", ".join((count(found.conversations, "conversation"), count(found.messages, "message"), count(found.pending_approvals, "open approval")))
    out.print(f"{short(data)} is as of {found.manifest.made_at:%Y-%m-%d %H:%M:%S} UTC: {said}.", markup=False)
    out.print(f"Start it with: ./switchboard up --data {short(data)}", markup=False)
