"""`prepare`: what `up` does to a database before anything serves: migrate, the demo, the admin key and a sign-in link."""

import asyncio
import json
import os
import tomllib
from pathlib import Path
from typing import Annotated

import psycopg
import typer
from rich.console import Console

from domain.errors import StartFailed
from domain.ids import new_id
from settings import Settings
from store import members
from store.apply import Spec, apply
from store.conninfo import fields
from store.migrate import upgrade
from store.pool import Database, Transaction

app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)
DEMO = Path(__file__).parent.parent / "demo.toml"
LINK_MINUTES = 60
MODELS = {"ANTHROPIC_API_KEY": "anthropic:claude-sonnet-4-5", "OPENAI_API_KEY": "openai:gpt-5-mini"}


@app.command()
def prepare(demo: Annotated[bool, typer.Option(help="Create the demo.")] = True) -> None:
    """Migrate, and create the admin key and the demo; tells where the chat and the way in are, as one line of JSON."""
    settings = Settings()
    owner = settings.owner_database_url.get_secret_value() or settings.database_url.get_secret_value()
    if not owner:
        raise StartFailed("Neither SWITCHBOARD_OWNER_DATABASE_URL nor DATABASE_URL is set.")
    upgrade(owner, app_password(settings))
    spec = Spec.model_validate(tomllib.loads(DEMO.read_text("utf-8")))
    tenant = tenant_named(owner, spec.tenant if demo else "main")
    told = asyncio.run(_fill(settings, tenant, spec if demo else Spec(tenant="main")))
    Console(soft_wrap=True, highlight=False).print(json.dumps(told), markup=False)


def app_password(settings: Settings) -> str:
    """The password of the app's role, as DATABASE_URL has it; empty for another role, whose password is its owner's affair. Raises StartFailed."""
    parts = fields(settings.database_url.get_secret_value(), "DATABASE_URL")
    return parts.get("password", "") if parts.get("user") == "switchboard_app" else ""


def tenant_named(owner_url: str, name: str) -> str:
    """The id of a tenant, created where it is missing. Tenants are made by the owner's role: the app cannot."""
    with psycopg.connect(owner_url) as connection:
        connection.execute("insert into tenants (tenant_id, name) values (%s, %s) on conflict (name) do nothing", (new_id("ten"), name))
        row = connection.execute("select tenant_id from tenants where name = %s", (name,)).fetchone()
        assert row
        return str(row[0])


async def _fill(settings: Settings, tenant: str, spec: Spec) -> dict[str, str | None]:
    db = Database(settings.database_url.get_secret_value(), size=2, name="switchboard-prepare")
    await db.open()
    try:
        async with db.transaction(tenant) as tx:
            await apply(tx, spec if spec.members else _bare(spec), overwrite=False)
            await _choose_backend(tx)
            admin = await tx.row("members/by_name", members.MemberRow, name="admin")
            assert admin
            if token := os.environ.get("SWITCHBOARD_ADMIN_TOKEN", ""):
                await members.create_key(tx, name="admin", role=admin.role, member=admin.id, scopes=[], expires_at=None, key=token)
            account = await tx.row("accounts/by_name", dict, name="web")
            link = await members.create_signin(tx, admin.id, LINK_MINUTES)
    finally:
        await db.close()
    return {"tenant": tenant, "chat": f"/chat/{account['id']}" if account else None, "sign_in": f"/console/sign-in#{link}"}


def _bare(spec: Spec) -> Spec:
    """Without the demo there is still an owner who signs in."""
    return Spec.model_validate(
        {
            "tenant": spec.tenant,
            "people": [{"name": "Owner", "tier": "owner"}],
            "members": [{"name": "admin", "role": "customer_admin", "person": "Owner"}],
        }
    )


async def _choose_backend(tx: Transaction) -> None:
    """With a model key in the environment the demo agent has a model and the same tools; an agent that a member changed stays as it is."""
    model = next((name for key, name in MODELS.items() if os.environ.get(key)), "")
    await tx.run("apply/demo_backend", backend="model" if model else "scripted", model=model)
