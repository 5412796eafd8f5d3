"""A file of configuration: read, its secrets taken from the environment, and every mistake named with its line."""

import difflib
import os
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr, ValidationError

from agents.registry import BACKENDS, load, load_tools
from channels import Channel
from domain.approvals import Rule, ToolUse, When
from domain.errors import Invalid
from store.apply import AccountSpec, AgentSpec, BindingSpec, MemberSpec, PersonSpec, Spec
from wiring import channels

MODELS: tuple[type[BaseModel], ...] = (Spec, PersonSpec, MemberSpec, AgentSpec, AccountSpec, BindingSpec, ToolUse, Rule, When)
WORDS = sorted({field for model in MODELS for field in model.model_fields})
FROM_ENVIRONMENT = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*)")
Place = Sequence[str | int]


class SpecFile:
    """One file. Every method raises Invalid with one sentence that says where the mistake is."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._text = path.read_text("utf-8")
        except OSError as error:
            raise Invalid(f"{path} cannot be read: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise Invalid(f"{path} is no text in UTF-8.") from error

    def spec(self, tenant: str = "") -> Spec:
        """What the file says, checked against what there is; `tenant` stands in for its own."""
        try:
            raw = tomllib.loads(self._text)
        except tomllib.TOMLDecodeError as error:
            raise Invalid(f"{self.path} is no TOML: {error}.") from error
        if tenant:
            raw["tenant"] = tenant
        for number, account in enumerate(raw["accounts"] if isinstance(raw.get("accounts"), list) else []):
            if isinstance(account, dict) and isinstance(account.get("secrets"), dict):
                account["secrets"] = {name: self._secret(number, name, value) for name, value in account["secrets"].items()}
        try:
            spec = Spec.model_validate(raw)
        except ValidationError as error:
            raise self._first(error) from error
        self._check(spec)
        return spec

    def wrong(self, place: Place, sentence: str) -> Invalid:
        """A mistake at a place such as ("accounts", 0, "channel")."""
        line = line_of(self._text, place)
        where = f"{self.path}, line {line}" if line else str(self.path)
        field = f" {named(place)}:" if place else ""
        return Invalid(f"{where}:{field} {sentence}", field=named(place))

    def _secret(self, number: int, name: str, value: Any) -> SecretStr:
        place = ("accounts", number, "secrets", name)
        found = FROM_ENVIRONMENT.fullmatch(value) if isinstance(value, str) else None
        if not found:
            raise self.wrong(place, 'Secrets are not written here; name the environment variable that holds it, as "env:NAME".')
        if not os.environ.get(found[1]):
            raise self.wrong(place, f"The environment variable {found[1]} is not set.")
        return SecretStr(os.environ[found[1]])

    def _first(self, error: ValidationError, before: Place = ()) -> Invalid:
        fault = error.errors(include_url=False, include_input=False)[0]
        place = [*before, *fault["loc"]]
        word = str(place[-1]) if place else ""
        match fault["type"]:
            case "extra_forbidden" if len(place) == 1:
                held = ", ".join(field for field in Spec.model_fields if field != "tenant")
                return self.wrong(place, f"A file cannot hold `{word}` yet; it holds {held}.")
            case "extra_forbidden":
                return self.wrong(place, f"There is no such word here{_meant(word, WORDS)}.")
            case "missing":
                return self.wrong(place, "This is needed and missing.")
            case "tuple_type":
                return self.wrong(place, f"There may be several, so write it as a list; tables as [[{word}]].")
            case "string_pattern_mismatch" if place == ["tenant"]:
                return self.wrong(place, "A tenant's name has small letters, digits and hyphens, 63 at most.")
            case _:
                said = fault["msg"].removeprefix("Value error, ").rstrip(".")
                return self.wrong(place, f"{said[:1].upper()}{said[1:]}.")

    def _check(self, spec: Spec) -> None:
        """Channels, backends and tools have to be there, and an account has what its channel needs."""
        kinds, thinks, tools = channels(), load(BACKENDS), load_tools()
        for number, account in enumerate(spec.accounts):
            self._known(("accounts", number, "channel"), account.channel, kinds)
            self._fits(number, account, kinds[account.channel])
        for number, agent in enumerate(spec.agents):
            self._known(("agents", number, "backend"), agent.backend, thinks)
            for position, tool in enumerate(agent.tools):
                self._known(("agents", number, "tools", position, "name"), tool.name, tools)

    def _known(self, place: Place, name: str, there: Collection[str]) -> None:
        if name not in there:
            raise self.wrong(place, f"There is no `{name}`; there are {', '.join(sorted(there))}.")

    def _fits(self, number: int, account: AccountSpec, channel: Channel) -> None:
        secrets = {name: secret.get_secret_value() for name, secret in account.secrets.items()}
        both: tuple[tuple[str, type[BaseModel], Mapping[str, Any]], ...] = (
            ("settings", channel.settings, account.settings), ("secrets", channel.secrets, secrets),
        )  # fmt: skip
        for part, model, given in both:
            try:
                model.model_validate(given)
            except ValidationError as error:
                raise self._first(error, ("accounts", number, part)) from error


def named(place: Place) -> str:
    """A place as one writes it: `accounts[0].channel`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")


def _meant(word: str, words: Sequence[str]) -> str:
    near = difflib.get_close_matches(word, words, 1)
    return f"; `{near[0]}` is meant, perhaps" if near else ""


def line_of(text: str, place: Place) -> int | None:
    """The line, from 1, where a place of a TOML file is written, or as near to it as tables and keys lead; None for none."""
    lines, table, found = text.splitlines(), "", None
    begin, end = 0, len(lines)
    for part, after in zip(place, [*place, None][1:], strict=True):
        if isinstance(part, int):
            continue
        table = f"{table}.{part}".lstrip(".")
        heads = [n for n in range(begin, end) if re.match(rf"\s*\[\[?\s*{re.escape(table)}\s*\]", lines[n])]
        head = next(iter(heads[after if isinstance(after, int) else 0 :]), None)
        if head is None:
            return next((n + 1 for n in _own_lines(lines, begin, end) if re.match(rf"\s*{re.escape(part)}\s*[=.]", lines[n])), found)
        begin, found = head + 1, head + 1
        end = next((n for n in heads if n > head), end)
    return found


def _own_lines(lines: Sequence[str], begin: int, end: int) -> Iterator[int]:
    """The lines of a table up to the next one's head."""
    for number in range(begin, end):
        if re.match(r"\s*\[", lines[number]):
            return
        yield number
