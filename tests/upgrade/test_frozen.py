"""A migration that has landed stays as it is."""

from pathlib import Path

from store.migrate import FOLDER
from tests.upgrade.freeze import landed, there, touched, with_new


def test_no_landed_migration_was_touched() -> None:
    assert touched(landed(), there()) == [], "this has been run on somebody's data: take the change back, and put it into a new migration"


def test_every_migration_is_noted_as_landed() -> None:
    assert [name for name in there() if name not in landed()] == [], "when it is ready to land, run .venv/bin/python -m tests.upgrade.freeze"


def test_every_migration_comes_with_its_way_back() -> None:
    names = {file.name for file in FOLDER.glob("*.sql")}
    steps = {name for name in names if not name.endswith(".rollback.sql")}

    assert {name.replace(".sql", ".rollback.sql") for name in steps} == names - steps


def test_an_edited_a_renamed_and_a_removed_file_are_found(tmp_path: Path) -> None:
    for name in ("0001_a.sql", "0002_b.sql", "0003_c.sql", "0004_d.sql"):
        (tmp_path / name).write_text("select 1;\n", "ascii")
    noted = there(tmp_path)

    (tmp_path / "0001_a.sql").write_text("select 1 ;\n", "ascii")
    (tmp_path / "0002_b.sql").rename(tmp_path / "0002_bb.sql")
    (tmp_path / "0003_c.sql").unlink()

    assert touched(noted, there(tmp_path)) == ["0001_a.sql", "0002_b.sql", "0003_c.sql"]
    assert with_new(noted, there(tmp_path)) == noted | {"0002_bb.sql": noted["0002_b.sql"]}
