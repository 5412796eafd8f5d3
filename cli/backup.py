"""`backup`: both stores and the keys of a data folder in one file."""

from pathlib import Path
from typing import Annotated

import typer

from cli.output import out, short
from cli.place import DATA, DataOption
from embedded.backup import back_up

app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write; it must not exist.")],
    data: DataOption = DATA,
) -> None:
    """Write Postgres, Temporal and the keys of `up` to one file; everything may go on running meanwhile."""
    manifest = back_up(data.expanduser(), file.expanduser())
    size = file.expanduser().stat().st_size / 1_000_000
    out.print(f"{short(file)}: as of {manifest.made_at:%Y-%m-%d %H:%M:%S} UTC, {size:,.1f} MB.", markup=False)
    out.print("It holds the keys and everything people wrote; keep it where only you can read it.")
