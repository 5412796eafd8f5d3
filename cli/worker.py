"""`worker`: a Temporal worker alone."""

import asyncio

import typer

from settings import Settings
from wiring import checked, require_schema
from worker import main, new_loop

app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def worker() -> None:
    """Run a worker alone: workflows, activities and the sweep. Any number may run."""
    settings = Settings()
    checked(settings)
    asyncio.run(require_schema(settings))
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(main())
