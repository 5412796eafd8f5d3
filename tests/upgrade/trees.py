"""Two versions of Switchboard as folders: the one of today, and a next one with a migration and a change of every workflow under a patch."""

import os
import shutil
from pathlib import Path

from tests.architecture.tree import MODULES, PACKAGES, ROOT

MIGRATION = "0999_example"
PATCH = "0999-example"
UP = "alter table messages add column example text not null default 'new';\ncreate index messages_example on messages (tenant_id, example);\n"
DOWN = "drop index messages_example;\nalter table messages drop column example;\n"
LOOP = "            self._poked = False\n"
CHANGE = f'            if workflow.patched("{PATCH}"):\n                await workflow.sleep(timedelta(milliseconds=1))\n'


def today(folder: Path) -> Path:
    """A copy of this version's product."""
    folder.mkdir()
    for name in PACKAGES:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in (*MODULES, "demo.toml", "pyproject.toml"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def tomorrow(folder: Path) -> Path:
    """The version after it: a column more, and every workflow's loop with a command more, for runs that begin with it."""
    today(folder)
    (folder / "store/migrations" / f"{MIGRATION}.sql").write_text(UP, "utf-8")
    (folder / "store/migrations" / f"{MIGRATION}.rollback.sql").write_text(DOWN, "utf-8")
    for file in (folder / "workflows").glob("*.py"):
        text = file.read_text("utf-8")
        if "@workflow.run" in text:
            assert text.count(LOOP) == 1, f"{file.name} has no loop that begins with a poke taken"
            file.write_text(text.replace(LOOP, LOOP + CHANGE), "utf-8")
    return folder


def told(tree: Path, **more: str) -> dict[str, str]:
    """The environment in which the running Python runs the code of this folder, with sessions that soon sleep."""
    return {**os.environ, "PYTHONPATH": str(tree), "SWITCHBOARD_LINGER": "2", **more}
