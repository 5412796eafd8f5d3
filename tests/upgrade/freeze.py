"""Notes the migrations that have landed: `.venv/bin/python -m tests.upgrade.freeze`, once for each new one, with the commit that brings it.

A landed migration has been run somewhere: its file stays as it is, and what it got wrong the next one mends. The list is what
`sha256sum --check` reads; it only ever grows.
"""

import hashlib
import sys
from pathlib import Path

from store.migrate import FOLDER

LIST = Path(__file__).parent / "landed.txt"


def landed() -> dict[str, str]:
    """The hash of each landed file, by name."""
    lines = LIST.read_text("ascii").splitlines() if LIST.exists() else []
    return {name: sha256 for sha256, name in (line.split("  ") for line in lines)}


def there(folder: Path = FOLDER) -> dict[str, str]:
    """The hash of each file that is there, by name."""
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.glob("*.sql"))}


def touched(noted: dict[str, str], found: dict[str, str]) -> list[str]:
    """The landed files that are not what they were."""
    return [name for name, sha256 in noted.items() if found.get(name) != sha256]


def with_new(noted: dict[str, str], found: dict[str, str]) -> dict[str, str]:
    """What is noted, and the files that are new."""
    return dict(sorted((found | noted).items()))


def main() -> None:
    """Adds the files that are new; says nothing of the others."""
    noted = with_new(landed(), there())
    LIST.write_text("".join(f"{sha256}  {name}\n" for name, sha256 in noted.items()), "ascii")
    sys.stdout.write(f"{len(noted)} files have landed.\n")


if __name__ == "__main__":
    main()
