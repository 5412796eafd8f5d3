"""The containers: what they are told exists, what they need is there, and what can be run of them without Docker is run."""

import os
import re
import subprocess

import pytest
from typer.main import get_command

from cli import COMMANDS, app
from docs.tables import variables
from tests.architecture.containers import asked_of_the_environment, compose, dockerfile, example, ours, script, services
from tests.architecture.tree import MODULES, PACKAGES, ROOT

OTHERS_VARIABLES = {
    "postgres": {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD", "TEMPORAL_DB_PASSWORD"},
    "temporal-schema": {"SQL_PASSWORD"},
    "temporal": {
        "DB", "DB_PORT", "POSTGRES_SEEDS", "POSTGRES_USER", "POSTGRES_PWD", "BIND_ON_IP", "NUM_HISTORY_SHARDS", "DYNAMIC_CONFIG_FILE_PATH",
    },
    "temporal-namespace": {"TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE"},
    "temporal-ui": {"TEMPORAL_ADDRESS"},
    "proxy": set(),
}  # fmt: skip
"""What each image that is not ours knows; TEMPORAL_DB_PASSWORD is read by our own script in Postgres's image."""
BESIDES_SETTINGS = {"SWITCHBOARD_ADMIN_TOKEN", "ANTHROPIC_API_KEY", "OPENAI_API_KEY", "FORWARDED_ALLOW_IPS"}
"""What our processes read that is no setting; docs/settings.md says who."""
PINNED = re.compile(r"^[a-z/-]+:\d+\.\d+(?:\.\d+)?(?:-[a-z0-9.-]+)?$")
CONDITIONS = {"service_healthy", "service_completed_successfully"}
MUST_BE_GIVEN = ("POSTGRES_PASSWORD", "SWITCHBOARD_APP_PASSWORD", "TEMPORAL_DB_PASSWORD", "SWITCHBOARD_SEALING_KEYS", "SWITCHBOARD_SIGNING_KEY")
ENDS = {"temporal-schema", "temporal-namespace", "migrate"}


@pytest.mark.parametrize("name", services())
def test_an_image_is_pinned_to_a_version(name: str) -> None:
    assert PINNED.match(services()[name]["image"])


def test_the_image_is_built_on_a_pinned_one() -> None:
    froms = [instruction.rest.split()[0] for instruction in dockerfile() if instruction.word == "FROM"]

    assert len(froms) == 2
    assert [image for image in froms if not PINNED.match(image)] == []


def test_our_image_is_tagged_with_the_version_of_the_package() -> None:
    version = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)

    assert version
    assert {service["image"] for service in ours().values()} == {f"switchboard:{version[1]}"}


@pytest.mark.parametrize("name", ours())
def test_a_command_of_ours_exists(name: str) -> None:
    command, *options = ours()[name]["command"]

    assert command in COMMANDS
    assert options == []


@pytest.mark.parametrize("name", ours())
def test_a_variable_of_ours_is_a_setting_or_documented_beside_them(name: str) -> None:
    assert set(ours()[name]["environment"]) - set(variables()) - BESIDES_SETTINGS == set()


@pytest.mark.parametrize("name", sorted(services().keys() - ours().keys()))
def test_a_variable_of_another_image_is_one_it_knows(name: str) -> None:
    assert set(services()[name].get("environment", {})) == OTHERS_VARIABLES[name]


def test_only_the_job_that_ends_knows_the_owner() -> None:
    knowing = {name for name, service in ours().items() if "POSTGRES_PASSWORD" in str(service["environment"])}

    assert knowing == {"migrate"}


def test_everything_it_waits_for_exists_and_can_be_waited_for() -> None:
    for service in services().values():
        for target, how in service.get("depends_on", {}).items():
            assert how["condition"] in CONDITIONS
            assert how["condition"] == "service_completed_successfully" if target in ENDS else "service_healthy"
            assert target in services()


def test_what_is_waited_for_as_healthy_has_a_check_of_its_health() -> None:
    healthy = {t for s in services().values() for t, how in s.get("depends_on", {}).items() if how["condition"] == "service_healthy"}

    assert {name for name in healthy if "healthcheck" not in services()[name]} == {"api"}, "the API's check is its image's"
    assert any(instruction.word == "HEALTHCHECK" and "/readyz" in instruction.rest for instruction in dockerfile())


def test_there_are_two_of_the_api_and_of_the_worker_and_the_proxy_spreads_over_them() -> None:
    assert {name: service["deploy"]["replicas"] for name, service in services().items() if "deploy" in service} == {"api": 2, "worker": 2}
    assert "dynamic a api 8080" in compose()["configs"]["caddyfile"]["content"]


def test_published_ports_are_on_this_machine_only_unless_somebody_says_otherwise() -> None:
    published = {name: service["ports"] for name, service in services().items() if "ports" in service}

    assert published == {"temporal-ui": ["127.0.0.1:8233:8080"], "proxy": ["${SWITCHBOARD_PUBLISH:-127.0.0.1:8080}:8080"]}
    assert all("network_mode" not in service and "privileged" not in service for service in services().values())


def test_the_port_of_the_api_is_the_one_that_is_exposed_and_checked() -> None:
    told = " ".join(instruction.rest for instruction in dockerfile() if instruction.word == "ENV")

    assert "SWITCHBOARD_PORT=8080" in told
    assert next(i.rest for i in dockerfile() if i.word == "EXPOSE") == "8080"
    assert services()["api"]["expose"] == ["8080"]


def test_ours_run_as_nobody_in_particular_and_may_change_nothing() -> None:
    users = [instruction.rest for instruction in dockerfile() if instruction.word == "USER"]

    assert users == ["10001"]
    for service in ours().values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_every_package_is_installed_by_its_hash() -> None:
    install = next(instruction.rest for instruction in dockerfile() if "pip install" in instruction.rest)

    assert "--require-hashes" in install
    assert "requirements.lock" in install


def test_what_is_copied_exists_and_is_let_through_and_is_all_of_the_product() -> None:
    copies = [i.rest.split()[:-1] for i in dockerfile() if i.word == "COPY" and "--from" not in i.rest]
    copied = {source for sources in copies for source in sources}
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")}

    assert {source for source in copied if not (ROOT / source).exists() and source != "LICENSE"} == set()
    assert copied == let_through
    assert {*PACKAGES, *MODULES, "pyproject.toml", "requirements.lock", "demo.toml"} <= copied


def test_no_secret_is_written_down() -> None:
    secrets = re.compile(r"PASSWORD|KEY|TOKEN|SECRET|PWD|DATABASE_URL")
    written = [
        f"{name}.{variable}"
        for name, service in services().items()
        for variable, value in service.get("environment", {}).items()
        if secrets.search(variable) and not re.search(r"\$\{\w+", str(value))
    ]

    assert written == []
    assert [instruction.rest for instruction in dockerfile() if instruction.word in ("ENV", "ARG") and secrets.search(instruction.rest)] == []
    assert {name for name, value in example().items() if secrets.search(name) and value} == set()


def test_the_example_of_the_environment_names_what_compose_asks_for_and_nothing_else() -> None:
    assert set(example()) == set(asked_of_the_environment())


def test_what_cannot_be_guessed_has_to_be_given() -> None:
    required = {name for name, rest in asked_of_the_environment().items() if "?" in rest}

    assert required == set(MUST_BE_GIVEN)


def test_volumes_and_configs_that_are_named_are_there_and_used() -> None:
    volumes = {mount.partition(":")[0] for service in services().values() for mount in service.get("volumes", [])}
    configs = {config["source"] for service in services().values() for config in service.get("configs", [])}

    assert volumes == set(compose()["volumes"])
    assert configs == set(compose()["configs"])


def test_temporal_gets_the_values_that_were_measured_for_the_laptop() -> None:
    from embedded.temporal import DYNAMIC, SEARCH_ATTRIBUTES  # noqa: PLC0415 - only this test compares the two

    said = dict(re.findall(r"^([\w.]+): \[\{value: (.+?)\}\]$", compose()["configs"]["temporal_dynamic"]["content"], re.MULTILINE))

    assert said == {key: value.strip('"') for key, value in DYNAMIC.items()}
    assert all(attribute in script("temporal-namespace") for attribute in SEARCH_ATTRIBUTES)


def test_the_command_line_of_the_image_is_ours() -> None:
    entrypoint = next(instruction.rest for instruction in dockerfile() if instruction.word == "ENTRYPOINT")

    assert entrypoint == '["python", "-m", "cli"]'
    assert next(instruction.rest for instruction in dockerfile() if instruction.word == "CMD") == '["api"]'
    assert get_command(app)
    assert os.access(ROOT / "switchboard", os.X_OK)


@pytest.mark.parametrize("name", ["temporal-schema", "temporal-namespace"])
def test_a_script_is_one_that_a_shell_understands(name: str) -> None:
    assert services()[name]["entrypoint"] == ["/bin/sh", "-euc"]
    assert subprocess.run(["/bin/sh", "-n", "-c", script(name)], capture_output=True, text=True).stderr == ""
