"""`migrate`: the schema, up to what this version expects."""

import typer

from cli.output import out
from cli.prepare import app_password
from domain.errors import StartFailed
from settings import Settings
from store.migrate import upgrade

app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def migrate() -> None:
    """Bring the database's schema up to date, as its owner (SWITCHBOARD_OWNER_DATABASE_URL, else DATABASE_URL)."""
    settings = Settings()
    owner = settings.owner_database_url.get_secret_value() or settings.database_url.get_secret_value()
    if not owner:
        raise StartFailed("Set SWITCHBOARD_OWNER_DATABASE_URL to the connection of the role that owns the schema.")
    applied = upgrade(owner, app_password(settings))
    out.print("\n".join(f"applied {name}" for name in applied) if applied else "The schema is up to date.")
