"""The public vocabulary: a name that changes here changes for users.

Settings, headers, commands with their options, the control plane's JSON, and pytest's fixtures.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

import sessionary
from sessionary.cli import main
from sessionary.factory import create_double
from sessionary.settings import all_settings
from sessionary.surfaces import SURFACES
from sessionary.testing import plugin
from sessionary.web.surface import declared_settings

SETTINGS = """
allowed_hosts auth busy_timeout_seconds client_timeout_seconds clock_rate control control_readonly
control_token cors_origins db durability galtea_auto_close_minutes galtea_references host ids_seed
journal log_format log_requests max_body_bytes max_failed_keys_per_minute max_namespaces
max_restore_bytes metrics mobilenext_empty_session_minutes mobilenext_lease_minutes
notte_global_timeout_minutes notte_keep_alive port prune_ended_days rate_limit ready_file record
scale_max_state_bytes seed threads tls_certificate tls_key trusted_proxy vendor_defaults workers
"""
HEADERS = """
Sessionary-At Sessionary-Method Sessionary-Namespace Sessionary-Now Sessionary-Request-Id
"""
# Arguments and options of each command; those of settings are not repeated here.
DATABASE = "--db --json"
PROGRESS = "--progress --no-progress"
CONTROL = "--db --ns --url --json"
COMMANDS = {
    "serve": "",
    "double": "",
    "exec": "command --ns",
    "demo": "--port",
    "init": "folder --force --json",
    "env": "--at --ns --shell --url --json",
    "ready": "url --wait --json",
    "status": CONTROL,
    "console": "--ns --open --url --json",
    "record": "file command",
    "replay": "file --json --url",
    "shrink": "file command --json --output",
    "clock advance": f"by --to-next --until {CONTROL}",
    "clock freeze": f"now {CONTROL}",
    "clock real": CONTROL,
    "clock scale": f"rate {CONTROL}",
    "clock set": f"now {CONTROL}",
    "clock show": CONTROL,
    "lanes": "--surface --status --open --ended --text --from --to --limit --at " + CONTROL,
    "sessions": f"--surface --at {CONTROL}",
    "timeline": f"--from --to --limit --at {CONTROL}",
    "explain": f"session --surface --at {CONTROL}",
    "verify": "file --surface --json",
    "diff": f"--from --to --limit {CONTROL}",
    "journal clear": CONTROL,
    "journal explain": f"call {CONTROL}",
    "journal list": f"--method --path --surface --session --status --limit --follow {CONTROL}",
    "faults add": "surface preset --method --route --kind --phase --status --message "
    f"--retry-after --delay --times --after --probability --seed --from --to {CONTROL}",
    "faults clear": f"fault {CONTROL}",
    "faults list": f"--surface --unmatched {CONTROL}",
    "faults presets": CONTROL,
    "namespaces create": f"name --now --ids-seed --seed {CONTROL}",
    "namespaces drop": f"name {CONTROL}",
    "namespaces fork": f"to {CONTROL}",
    "namespaces list": CONTROL,
    "namespaces restore": f"file {CONTROL}",
    "reset": CONTROL,
    "snapshot": f"file --force {CONTROL}",
    "keys create": f"--surface --user --organization --expires-at {DATABASE}",
    "keys list": DATABASE,
    "keys revoke": f"id {DATABASE}",
    "devices add": f"--serial --platform --type --name --version --provision-seconds {DATABASE}",
    "devices list": DATABASE,
    "devices retire": f"serial {DATABASE}",
    "seed": f"file {PROGRESS} {DATABASE}",
    "prune": f"--ended-before --surface --dry-run {PROGRESS} {DATABASE}",
    "backup": f"file --force {PROGRESS} {DATABASE}",
    "restore": f"file {DATABASE}",
    "check": DATABASE,
    "members add": f"user organization --role {DATABASE}",
    "members list": f"--user --organization {DATABASE}",
    "members remove": f"user organization {DATABASE}",
    "migrate": DATABASE,
    "export": f"file --force {PROGRESS} {DATABASE}",
    "import": f"file --force {PROGRESS} {DATABASE}",
}
PATHS = """
/changes /clock /clock/advance /diff /faults /faults/presets /faults/{fault_id} /ids /journal
/journal/count /journal/{call_id} /journal/{call_id}/explain /lanes /namespaces
/namespaces/{namespace} /namespaces/{namespace}/fork /namespaces/{namespace}/reset
/namespaces/{namespace}/restore /namespaces/{namespace}/seed /namespaces/{namespace}/snapshot
/requests/explain /run /server /sessions /sessions/{session_id}/explain
/sessions/{surface}/{session_id}/explain /sessions/{surface}/{session_id}/force
/sessions/{surface}/{session_id}/test /surfaces /timeline
"""
PARAMETERS = """
after at call_id detail fault_id format from ids limit method namespace open order path q session
session_id short_ids status surface to unmatched with
"""
JSON_KEYS = """
actual after at body body_bytes body_truncated by call caller calls cause changes clock count
created_at database deadline delay detail devices dropped_count environment errors example
expected expires_at fault faults file forced from from_status headers here hint history_begins_at
hit_count id ids ignored inputs keys kind lanes location matched_count max_calls max_namespaces
meaning message method mode name namespaces next next_transition next_transitions note now number
open opened_by operation organization part path phase pointer preset presets probability problem
query rate readonly ready reason record response response_bytes response_truncated retry_after
revoked_at role route routes row_count rule schema_version seed session sessions since size_bytes
source spent state status statuses suggestion surface there times title to to_status transitions
truncated type unless until user version violations wall_time
"""
FIXTURES = (
    "boundary make_sessionary sessionary sessionary_env sessionary_server sessionary_settings"
)
PYTEST_OPTIONS = "--sessionary-leaks --sessionary-url"


def words(text: str) -> list[str]:
    return sorted(text.split())


def commands(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield name, command
        return
    with click.Context(command) as context:
        for each in command.list_commands(context):
            found = command.get_command(context, each)
            assert found is not None
            yield from commands(f"{name} {each}".strip(), found)


@pytest.fixture(scope="module")
def document() -> Any:
    """The OpenAPI document of the control plane."""
    app = create_double()
    document = app.test_client().get("/_control/v1/openapi.json").json
    app.extensions["sessionary"].close()
    return document


def named_settings() -> list[str]:
    return sorted(each.name for each in all_settings(declared_settings(SURFACES)))


def test_settings() -> None:
    assert named_settings() == words(SETTINGS)


def test_a_setting_of_a_vendor_begins_with_the_vendor_s_name() -> None:
    for surface in SURFACES:
        declared = all_settings({surface.name: surface.settings} if surface.settings else {})
        shared = all_settings({})
        assert all(each.name.startswith(f"{surface.name}_") for each in declared[len(shared) :])


def test_headers() -> None:
    source = "".join(path.read_text() for path in Path(*sessionary.__path__).rglob("*.py"))
    assert sorted(set(re.findall("Sessionary-[A-Z][A-Za-z-]+", source))) == words(HEADERS)


def test_commands_and_their_options() -> None:
    flags = {f"--{name.replace('_', '-')}" for name in named_settings()}
    flags |= {flag.replace("--", "--no-", 1) for flag in flags}
    found = {}
    for name, command in commands("", main):
        names = [each for param in command.params for each in (*param.opts, *param.secondary_opts)]
        is_server = name in ("serve", "double", "exec")
        found[name] = sorted(each for each in names if not (is_server and each in flags))
    assert found == {name: words(text) for name, text in COMMANDS.items()}


def test_paths_of_the_control_plane(document: Any) -> None:
    assert sorted(document["paths"]) == words(PATHS)


def test_parameters_of_the_control_plane(document: Any) -> None:
    parameters = {
        parameter["name"]
        for path in document["paths"].values()
        for operation in path.values()
        for parameter in operation["parameters"]
    }
    assert sorted(parameters) == words(PARAMETERS)


def test_json_keys_of_the_control_plane(document: Any) -> None:
    keys = {
        key
        for schema in document["components"]["schemas"].values()
        for key in schema.get("properties", {})
    }
    assert sorted(keys) == words(JSON_KEYS)


def test_fixtures_and_options_of_the_pytest_plugin() -> None:
    fixtures = [
        name for name, value in vars(plugin).items() if type(value) is type(plugin.sessionary)
    ]
    assert sorted(fixtures) == words(FIXTURES)
    source = Path(plugin.__file__ or "").read_text()
    assert sorted(set(re.findall('"(--sessionary-[a-z-]+)"', source))) == words(PYTEST_OPTIONS)
