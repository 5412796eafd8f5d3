"""`bench`: what Switchboard can do on this machine, beside the bare parts it is made of."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from cli.output import err, out

app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def bench(
    stored: Annotated[int, typer.Option(help="How many stored sessions to compare with one.")] = 100_000,
    write: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file as well.")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the ratios as SVG into this file.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="A small run that shows it works; its figures mean nothing.")] = False,
) -> None:
    """Measure accept, replies, turns, bursts, approvals, sleepers and memory, in one run beside a bare Temporal loop."""
    from bench.plot import draw  # noqa: PLC0415 - the bench is only there in a clone
    from bench.run import Scale, as_json, met, run  # noqa: PLC0415

    scale = Scale.quick() if quick else Scale(stored=stored)
    result = asyncio.run(run(scale, lambda what: err.print(f"· {what}", style="dim")))
    table = Table(box=None, pad_edge=False, show_edge=False)
    table.add_column("figure")
    table.add_column("value", justify="right")
    for name, value in result.figures.items():
        table.add_row(name.removesuffix(", s"), f"{value * 1000:.1f} ms" if name.endswith(", s") else f"{value:.1f}")
    ratios = Table(box=None, pad_edge=False, show_edge=False)
    for column in ("ratio", "value", "aim", ""):
        ratios.add_column(column, justify="right" if column == "value" else "left")
    for name, (value, aim) in result.ratios.items():
        ratios.add_row(name, f"{value:.2f}", aim, {True: "met", False: "missed", None: ""}[met(value, aim)])
    out.print(table, "", ratios)
    if quick:
        out.print("\nA quick run: it shows that the bench works. Its figures mean nothing.")
    if write:
        write.write_text(as_json(result, scale) + "\n", "utf-8")
    if plot:
        plot.write_text(draw(result), "utf-8")
