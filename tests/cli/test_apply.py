"""`switchboard apply`: a file made true, once, with its secrets sealed; and mistakes that say where they are."""

import asyncio
import json
from pathlib import Path

import pytest

from cli.spec_file import SpecFile, line_of, named
from domain.errors import Invalid
from settings import Settings
from tests.cli.running import Ran, Terminal
from tests.world import World

SHOP = """
[[people]]
name = "Ada"
tier = "admitted"

[[agents]]
name = "shop"
persona = "You sell."

[[agents.tools]]
name = "refund"

[[agents.tools.rules]]
gate = "ask"
when = { argument = "amount", above = 50 }

[[accounts]]
name = "crm"
channel = "webhook"
admission = "open"
settings = { deliver_url = "http://127.0.0.1:9/in" }
secrets = { secret = "env:CRM_SECRET" }

[[bindings]]
account = "crm"
agent = "shop"
"""
SECRET, OTHER = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODk=", "whsec_OTg3NjU0MzIxMDk4NzY1NDMyMTA="


class Desk:
    """A file, and the environment in which it is applied."""

    def __init__(self, shell: Terminal, world: World, settings: Settings) -> None:
        self.shell, self.world = shell, world
        self.file = shell.data / "shop.toml"
        self.told = {
            "DATABASE_URL": settings.database_url.get_secret_value(), "SWITCHBOARD_SEALING_KEYS": settings.sealing_keys.get_secret_value(),
            "CRM_SECRET": SECRET,
        }  # fmt: skip
        self.write(SHOP)

    def write(self, text: str) -> None:
        """Writes the file for the world's tenant."""
        self.file.write_text(f'tenant = "{self.world.tenant.replace("_", "-")}"\n{text}')

    async def apply(self, *words: str, **told: str) -> Ran:
        """Applies it."""
        return await self.shell.run("apply", "shop.toml", *words, told={**self.told, **told})


@pytest.fixture
def desk(shell: Terminal, live: World, settings: Settings) -> Desk:
    """A file of a shop."""
    return Desk(shell, live, settings)


async def test_a_file_is_made_true_once(live: World, desk: Desk) -> None:
    tried = await desk.apply("--dry-run")
    assert tried.lines[-1].endswith("there would be 4 created.")
    assert live.rows("select 1 from people where tenant_id = %s and name = 'Ada'") == []

    first = await desk.apply()
    assert first.lines[:4] == ["+ person   Ada", "+ agent    shop", "+ account  crm", "+ binding  crm → shop"]
    assert (first.code, first.lines[4]) == (0, f"In the tenant {live.tenant.replace('_', '-')}, 4 created.")

    again = await desk.apply()
    assert (again.code, again.out) == (0, f"Nothing changed: the tenant {live.tenant.replace('_', '-')} is as shop.toml says.\n")

    desk.write(SHOP.replace('"admitted"', '"blocked"').replace("above = 50", "above = 60"))
    changed = await desk.apply("--json")
    assert [(one["kind"], one["change"]) for one in changed.body["changes"]] == [("person", "changed"), ("agent", "changed")]
    assert live.rows("select tier from people where tenant_id = %s and name = 'Ada'") == [{"tier": "blocked"}]
    audited = live.rows("select actor, details from audit where tenant_id = %s and action = 'applied' order by id")
    assert audited[0]["details"]["changes"] == ["person Ada", "agent shop", "account crm", "binding crm → shop"]
    assert audited[1]["details"]["changes"] == ["person Ada", "agent shop"]
    assert {row["actor"] for row in audited} == {live.member.id}


async def test_secrets_are_sealed_and_changed_with_the_environment(live: World, desk: Desk) -> None:
    def row() -> dict[str, object]:
        return live.rows("select sealed, secrets_shown from accounts where tenant_id = %s and name = 'crm'")[0]

    await desk.apply()
    assert live.parts.seal.open(row()["sealed"]) == {"secret": SECRET}
    assert row()["secrets_shown"] == {"secret": "…ODk="}

    changed = await desk.apply(CRM_SECRET=OTHER)
    assert changed.lines[0] == "~ account  crm"
    assert live.parts.seal.open(row()["sealed"]) == {"secret": OTHER}
    assert SECRET not in changed.out + changed.err


async def test_what_is_wrong_is_said_in_one_sentence(live: World, desk: Desk) -> None:
    unset = await desk.apply(CRM_SECRET="")
    assert (unset.code, unset.err) == (1, "shop.toml, line 23: accounts[0].secrets.secret: The environment variable CRM_SECRET is not set.\n")

    desk.write('[[bindings]]\nagent = "nobody"\n')
    nobody = await desk.apply()
    assert (nobody.code, nobody.err) == (1, "shop.toml, line 3: bindings[0].agent: There is no agent named `nobody`.\n")

    key = (await live.api.post("/v1/keys", json={"name": "small", "role": "customer_operator"})).json()["key"]
    away, nowhere, others, small = await asyncio.gather(
        desk.apply(DATABASE_URL="postgresql://a:b@127.0.0.1:9/x"), desk.apply(DATABASE_URL=""), desk.apply("--tenant", "somebody-else"),
        desk.apply(SWITCHBOARD_KEY=key),
    )  # fmt: skip
    assert {ran.code for ran in (away, nowhere, others, small)} == {1}
    assert away.err.startswith("Postgres at 127.0.0.1:9 does not let us in; ")
    assert nowhere.err.startswith("No database is known; ")
    assert others.err.startswith("The key is of the tenant ")
    assert small.err == "The key's role does not allow this; use one of a customer_admin.\n"


async def test_a_new_tenant_is_made_by_the_owner_of_the_database_and_its_admin_signs_in(live: World, desk: Desk, settings: Settings) -> None:
    name, owner = live.tenant.replace("_", "-") + "x", settings.owner_database_url.get_secret_value()
    members = '[[members]]\nname = "boss"\nrole = "customer_admin"\n'

    desk.write("")
    powerless = await desk.apply("--tenant", name, "--new-tenant", SWITCHBOARD_OWNER_DATABASE_URL=owner)
    assert (powerless.code, "needs a member with the role customer_admin" in powerless.err) == (1, True)

    desk.write(members)
    missing = await desk.apply("--tenant", name, SWITCHBOARD_OWNER_DATABASE_URL=owner)
    assert (missing.code, missing.err) == (1, f"There is no tenant named {name}; correct the name, or make it with --new-tenant.\n")

    made = await desk.apply("--tenant", name, "--new-tenant", SWITCHBOARD_OWNER_DATABASE_URL=owner)
    assert made.code == 0
    assert "/console/sign-in#" in made.lines[-1]


async def test_the_folder_of_up_names_the_database(live: World, desk: Desk, settings: Settings) -> None:
    """As `up` leaves it: Postgres's own note of its port, and the keys beside it."""
    keys = {"app_password": "app", "owner_password": "none of ours", "sealing_keys": settings.sealing_keys.get_secret_value(), "signing_key": "x"}
    (desk.shell.data / "keys.json").write_text(json.dumps(keys))
    (desk.shell.data / "postgres").mkdir()
    port = settings.database_url.get_secret_value().rpartition(":")[2].partition("/")[0]
    (desk.shell.data / "postgres" / "postmaster.pid").write_text(f"1\n/somewhere\n0\n{port}\n")

    applied = await desk.apply("--dry-run", DATABASE_URL="", SWITCHBOARD_SEALING_KEYS="")

    assert (applied.code, len(applied.lines)) == (0, 5)


AGENT, ACCOUNT = "[[agents]]\nname = 'x'\n", "[[accounts]]\nname = 'x'\n"
WRONG = {
    "[[groups]]\nname = 'x'": "line 2: groups: A file cannot hold `groups` yet; it holds people, members, agents, accounts, bindings.",
    AGENT + "personna = 'y'": "line 4: agents[0].personna: There is no such word here; `persona` is meant, perhaps.",
    AGENT + "[[agents]]\npersona = 'y'": "line 4: agents[1].name: This is needed and missing.",
    AGENT + AGENT: "`x` is named twice among the agents.",
    AGENT + "[[agents.tools]]\nname = 'wait'\n[[agents.tools]]\nname = 'no'": "line 7: agents[0].tools[1].name: There is no `no`; there are ",
    ACCOUNT + "channel = 'fax'": "line 4: accounts[0].channel: There is no `fax`; there are ",
    ACCOUNT + "channel = 'webchat'\nadmission = 'no'": "line 5: accounts[0].admission: Input should be 'open', 'ask', 'code' or 'closed'.",
    ACCOUNT + "channel = 'webhook'\nsecrets = { secret = 'hunter2' }": "line 5: accounts[0].secrets.secret: Secrets are not written here; ",
    ACCOUNT + "channel = 'webhook'": "line 2: accounts[0].settings.deliver_url: This is needed and missing.",
    "agents = 'x'": "line 2: agents: There may be several, so write it as a list; tables as [[agents]].",
    "agents": "is no TOML: ",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, text: str) -> None:
    file = tmp_path / "x.toml"
    file.write_text(f"tenant = 't'\n{text}\n")

    with pytest.raises(Invalid, match=r"x\.toml") as caught:
        SpecFile(file).spec()

    assert WRONG[text] in caught.value.detail
    assert "\n" not in caught.value.detail


def test_the_line_of_a_place_is_found_through_tables_and_keys() -> None:
    text = "a = 1\n[[b]]\nc = 1\n[[b.d]]\ne = 1\n[[b]]\n[[b.d]]\ne = 2\n[[b.d]]\ne = { f = 3 }\n"

    assert line_of(text, ("b", 1, "d", 1, "e", "f")) == 10
    assert line_of(text, ("b", 0, "c")) == 3
    assert line_of(text, ("b", 1, "c")) == 6
    assert line_of(text, ("a",)) == 1
    assert line_of(text, ()) is None
    assert named(("b", 1, "d", 0, "e")) == "b[1].d[0].e"
