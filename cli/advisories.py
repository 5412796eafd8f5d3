"""What is publicly known against the packages that are locked: asked of pip-audit, for `test`."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

SOURCES = ("pypi", "osv")
"""Who is asked, in this order: a registry knows advisories where it is no plain mirror."""
WITHIN = 90
"""Seconds that a service has for all packages together."""
WAIT = 5
"""Seconds that a service has for one answer."""


@dataclass(frozen=True)
class Known:
    """What came of it: `findings`, one line each, and how many packages nobody could be asked about."""

    findings: tuple[str, ...]
    audited: int
    unknown: int

    def words(self) -> str:
        """One sentence for a person."""
        if not self.audited:
            return "could not be reached, not audited"
        left = f"; {self.unknown} that no service knows were not audited" if self.unknown else ""
        return f"{self.audited} packages, {len(self.findings)} known against them{left}"


def ask(lock: Path) -> Known:
    """Asks the services until one knows the packages; where none answers, nothing was audited, which is no failure."""
    answers = (read(_said(lock, source)) for source in SOURCES)
    return next((known for known in answers if known.audited), Known((), 0, 0))


def read(said: str) -> Known:
    """What a report of pip-audit comes to. A package that was skipped was not audited, though pip-audit itself calls that no finding."""
    try:
        packages = json.loads(said)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return Known((), 0, 0)
    seen = [package for package in packages if "skip_reason" not in package]
    findings = tuple(
        f"{package['name']} {package['version']}: {found['id']}, mended in {', '.join(found['fix_versions']) or 'no version yet'}"
        for package in seen
        for found in package["vulns"]
    )
    return Known(findings, len(seen), len(packages) - len(seen))


def _said(lock: Path, source: str) -> str:
    """pip-audit's report; empty where the service does not answer in time."""
    command = [
        sys.executable, "-m", "pip_audit", "--requirement", str(lock), "--require-hashes", "--disable-pip", "--vulnerability-service", source,
        "--timeout", str(WAIT), "--progress-spinner", "off", "--format", "json",
    ]  # fmt: skip
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=WITHIN, check=False).stdout
    except subprocess.TimeoutExpired:
        return ""
