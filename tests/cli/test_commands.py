"""Every command: its help, and the commands that work on a database file."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from sessionary import Settings, __version__, create_app
from sessionary.cli import main
from sessionary.cli.control import DEFAULT_URL
from sessionary.settings import all_settings
from sessionary.surfaces import SURFACES
from sessionary.web.surface import declared_settings
from tests import identities
from tests.identities import ROB

Command = Callable[..., Result]
SEED = '[[organizations]]\nid = "acme"\nname = "Acme"\n'


@pytest.fixture
def sessionary(db: str) -> Command:
    """Run the command on a database of this test, which is empty at first."""
    create_app(Settings(db=db, auth="lenient")).extensions["sessionary"].close()
    return lambda *args: CliRunner().invoke(main, args, env={"SESSIONARY_DB": db})


def commands(group: click.Group = main, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    context = click.Context(group)
    for name in group.list_commands(context):
        command, here = group.get_command(context, name), (*path, name)
        found += commands(command, here) if isinstance(command, click.Group) else [here]
    return found


def test_version_prints_the_version(sessionary: Command) -> None:
    assert sessionary("--version").output == f"sessionary, version {__version__}\n"


def test_the_help_says_which_data_a_command_is_about_and_the_exit_codes(
    sessionary: Command, tmp_path: Path
) -> None:
    text = re.sub(r"\s+", " ", sessionary("--help").output)
    assert (
        "A command is about what --url or --db names, else SESSIONARY_URL, else SESSIONARY_DB, "
        f"else the server at {DEFAULT_URL}; the commands that keep a database take a file only, by "
        f"default {Settings.db}."
    ) in text
    assert "Exit codes: 0 for success, 1 for an error, with one sentence that explains it" in text
    success, error, usage = ("keys", "list"), ("seed", str(tmp_path / "none")), ("keys", "--none")
    assert [sessionary(*call).exit_code for call in (success, error, usage)] == [0, 1, 2]


@pytest.mark.parametrize("path", [(), *commands()], ids=" ".join)
def test_every_command_has_help_and_an_example(sessionary: Command, path: tuple[str, ...]) -> None:
    result = sessionary(*path, "--help")
    assert result.exit_code == 0
    assert "Usage:" in result.output
    assert "Example" in result.output


SERVER_SETTINGS = {
    "workers",
    "client_timeout_seconds",
    "prune_ended_days",
    "tls_certificate",
    "tls_key",
}
CONTROL_SETTINGS = {"control", "control_readonly"}
LISTENER_SETTINGS = {"host", "port", "ready_file", "log_format", "log_requests", "metrics"}


@pytest.mark.parametrize(
    ("command", "missing"),
    [
        (
            "serve",
            {
                "max_namespaces",
                "max_restore_bytes",
                "allowed_hosts",
                "cors_origins",
                "ids_seed",
                "record",
            },
        ),
        ("double", SERVER_SETTINGS | CONTROL_SETTINGS),
        ("exec", SERVER_SETTINGS | LISTENER_SETTINGS | CONTROL_SETTINGS),
    ],
)
def test_a_serving_command_has_a_flag_and_a_variable_for_every_setting_but_secrets(
    sessionary: Command, command: str, missing: set[str]
) -> None:
    text = re.sub(r"\s+", " ", sessionary(command, "--help").output)
    for each in all_settings(declared_settings(SURFACES)):
        is_there = not (each.is_secret or each.name in missing)
        assert (f"--{each.name.replace('_', '-')} " in text) == is_there, each.name
        assert (f"[env var: {each.variable};" in text) == is_there


def test_a_key_is_created_listed_and_revoked(sessionary: Command, db: str) -> None:
    created = json.loads(sessionary("keys", "create", "--surface", "notte", "--json").output)
    assert created["secret"].startswith("sk-notte-")
    app = create_app(Settings(db=db))
    who = {"Authorization": f"Bearer {created['secret']}"}
    assert app.test_client().post("/session/start", json={}, headers=who).status_code == 200

    (listed,) = json.loads(sessionary("keys", "list", "--json").output)
    assert (listed["id"], listed["surface"], listed["state"]) == (created["id"], "notte", "open")
    assert created["secret"] not in sessionary("keys", "list").output

    assert sessionary("keys", "revoke", created["id"]).output == f"Revoked {created['id']}\n"
    assert app.test_client().post("/session/start", json={}, headers=who).status_code == 401
    assert "revoked" in sessionary("keys", "list").output
    app.extensions["sessionary"].close()


def test_a_created_key_is_printed_with_a_hint_to_store_it(sessionary: Command) -> None:
    lines = sessionary("keys", "create").output.splitlines()
    assert lines[0].startswith("key_")
    assert lines[2:] == ["Store the secret now: only its hash is kept."]


def test_a_key_says_that_it_made_a_database(sessionary: Command, tmp_path: Path) -> None:
    other = str(tmp_path / "nope" / "none.sqlite3")
    missing = f"Error: there is no database at {other}.\n"
    assert sessionary("prune", "--ended-before", "1d", "--db", other).output == missing
    assert not list(tmp_path.glob("nope"))
    made = sessionary("keys", "create", "--db", other)
    assert made.output.endswith(f"\nThe database is new: there was none at {other}.\n")
    assert "new" not in sessionary("keys", "create", "--db", other).output.split()


def test_an_expired_key_is_listed_as_expired(sessionary: Command) -> None:
    sessionary("keys", "create", "--expires-at", "2001-01-01T00:00:00Z")
    (listed,) = json.loads(sessionary("keys", "list", "--json").output)
    assert listed["state"] == "expired"
    assert listed["expires_at"] == "2001-01-01T00:00:00.000000Z"


def test_an_expiry_may_be_relative_and_ids_may_be_short(sessionary: Command) -> None:
    sessionary("clock", "freeze", "2026-03-01T12:00:00Z")
    made = json.loads(sessionary("keys", "create", "--expires-at", "+1d", "--json").output)
    (listed,) = json.loads(sessionary("keys", "list", "--json").output)
    assert listed["expires_at"] == "2026-03-02T12:00:00.000000Z"
    other = json.loads(sessionary("keys", "create", "--user", listed["user"][:8], "--json").output)
    assert sessionary("keys", "revoke", made["id"][:-1]).output == f"Revoked {made['id']}\n"
    for short in ("k", "key_", other["id"][:7]):
        refused = sessionary("keys", "revoke", short)
        assert refused.exit_code == 1
        assert refused.output.startswith(
            f"Error: key {short!r} not found: the beginning of an id n"
        )
    assert sessionary("keys", "revoke", other["id"][:8]).output == f"Revoked {other['id']}\n"


def test_a_beginning_of_several_ids_is_refused(sessionary: Command, tmp_path: Path) -> None:
    file = tmp_path / "seed.toml"
    file.write_text(SEED.replace("acme", "acme-north") + SEED.replace("acme", "acme-south"))
    sessionary("seed", str(file))
    several = sessionary("members", "list", "--organization", "acme")
    assert several.exit_code == 1
    assert several.output == (
        "Error: organization 'acme' is one of several: acme-north, acme-south\n"
    )


def test_a_list_without_keys_says_so(sessionary: Command) -> None:
    assert sessionary("keys", "list").output == "No keys found\n"


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (
            ("keys", "revoke", "key_nothing"),
            "no open key has the id key_nothing: see `sessionary keys list`",
        ),
        (("keys", "create", "--user", "none"), "--user none does not exist"),
        (
            ("keys", "create", "--organization", "none"),
            "is not a member of --organization none: add one with `sessionary members add`",
        ),
        (("devices", "retire", "nothing"), "no active device has the serial nothing"),
        (("seed", "nothing.toml"), "cannot read the seed nothing.toml"),
        (("clock", "freeze", "1900-01-01T00:00:00Z"), "between the years 1970 and 9000"),
        (("serve", "--host", "203.0.113.1"), "cannot listen on 203.0.113.1:8000"),
        (("serve", "--seed", "nothing.toml", "--port", "0"), "cannot read the seed nothing.toml"),
    ],
)
def test_errors_are_one_sentence_and_exit_code_1(
    sessionary: Command, command: tuple[str, ...], why: str
) -> None:
    result = sessionary(*command)
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert why in result.output
    assert result.output.count("\n") == 1


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (("clock", "scale", "nan"), "'RATE': must be a finite number, not nan"),
        (("clock", "scale", "inf"), "'RATE': must be a finite number, not inf"),
        (("clock", "scale", "0"), "'RATE': 0.0 is not in the range 0<x<=1000000"),
        (("clock", "scale", "-1"), "'RATE': -1.0 is not in the range 0<x<=1000000"),
        (("clock", "advance", "soon"), "'[DURATION]': 'soon' must be a duration such as"),
        (("clock", "freeze", "noon"), "'[AT]': 'noon' must be a date and time"),
        (("clock", "set", "noon"), "'AT': 'noon' must be a date and time"),
        (("timeline", "--from", "noon"), "'--from': 'noon' must be a date and time"),
        (("timeline", "--to", "1h"), "'--to': '1h' must be a date and time such as 2026-01-31T"),
        (
            ("sessions", "--at", "soon"),
            "'--at': 'soon' must be a date and time such as 2026-01-31T",
        ),
        (("diff", "--from", "-1x"), "'--from': '-1x' must be a duration such as"),
        (("namespaces", "create", "--now", "noon"), "'--now': 'noon' must be a date and time"),
        (("faults", "add", "notte", "--from", "noon"), "'--from': 'noon' must be a date and time"),
        (
            ("faults", "add", "notte", "--delay", "-1s"),
            "'--delay': '-1s' must be a duration",
        ),
        (("faults", "add", "notte", "--times", "0"), "'--times': 0 is not in the range x>=1"),
        (("faults", "add", "notte", "--status", "200"), "'--status': 200 is not in the range"),
        (("env", "--at", "soon"), "'--at': 'soon' must be a date and time"),
        (("ready", "--wait", "soon"), "'--wait': 'soon' must be a duration such as"),
        (("clok",), "no command 'clok': did you mean clock?"),
        (("clock", "frezee"), "no command 'frezee': did you mean freeze?"),
        (("faults", "add", "notte", "--probability", "nan"), "must be a finite number, not nan"),
        (
            ("keys", "create", "--expires-at", "soon"),
            "'--expires-at': 'soon' must be a date",
        ),
        (("prune", "--ended-before", "-5d"), "'--ended-before': '-5d' must be a duration such as"),
        (("sessions", "--db", ""), "--db must not be empty"),
        (("serve", "--port", "70000"), "--port must be from 0 to 65535"),
        (("serve", "--port", "-1"), "--port must be from 0 to 65535"),
        (("double", "--clock-rate", "nan"), "--clock-rate must be from 0 to "),
        (("double", "--clock-rate", "0", "--port", "0"), "a scaled clock needs a rate above 0"),
        (("serve", "--busy-timeout-seconds", "-1s"), "--busy-timeout-seconds must be a number or"),
        (("backup", "-"), "FILE: a backup is a file, not standard output"),
        (("record", "-"), "record must name a file, not standard output"),
        (("serve", "--ready-file", ""), "--ready-file must not be empty"),
        (("serve", "--seed", ""), "--seed must not be empty"),
        (("serve", "--db", ":memory:"), "name a file"),
        (("clock", "--url", "http://127.0.0.1:8000/~t1"), "; --ns names a namespace"),
        (("ready", "http://127.0.0.1:99999"), "URL: http://127.0.0.1:99999: Port out of range"),
        (("ready", "http://127.0.0.1:http"), "URL: http://127.0.0.1:http: Port could not be"),
        (("ready", "127.0.0.1:8000"), "URL: must begin with http://"),
        *(
            ((*command, url), why)
            for command in (("clock", "--url"), ("env", "--url"), ("status", "--url"), ("ready",))
            for url, why in (
                ("http://[::1", "http://[::1: Invalid IPv6 URL"),
                ("http://a..b", "http://a..b: a part of its host name is empty or too long"),
                ("http://127.0.0.1:http", "http://127.0.0.1:http: Port could not be cast"),
            )
        ),
        (("journal", "explain", "9" * 23), f"'CALL': {'9' * 23} is not in the range 1<=x<=9999"),
        (("faults", "clear", "9" * 23), f"'[FAULT]': {'9' * 23} is not in the range 1<=x<=9999"),
    ],
)
def test_invalid_values_are_usage_errors(
    sessionary: Command, command: tuple[str, ...], why: str
) -> None:
    result = sessionary(*command)
    assert result.exit_code == 2
    message = result.output.rpartition("Error: ")[2]
    assert why in message
    assert message.count("\n") == 1


def test_a_member_is_listed_changed_and_removed(sessionary: Command, tmp_path: Path) -> None:
    file = tmp_path / "seed.toml"
    file.write_text(identities.seed("scale"))
    sessionary("seed", str(file))

    def roles(*options: str) -> dict[str, str]:
        rows = json.loads(sessionary("members", "list", "--json", *options).output)
        return {f"{row['name']} in {row['organization']}": row["role"] for row in rows}

    assert roles("--user", ROB) == {"Rob in acme": "readonly", "Rob in mars": "readwrite"}
    assert roles("--organization", "mars", "--user", ROB) == {"Rob in mars": "readwrite"}
    before = roles()
    added = sessionary("members", "add", ROB, "acme", "--role", "admin")
    assert added.output == f"User {ROB} has the role admin in acme\n"
    assert roles() == before | {"Rob in acme": "admin"}
    assert sessionary("members", "remove", ROB, "acme").exit_code == 0
    assert roles("--user", ROB) == {"Rob in mars": "readwrite"}
    for call, why in {
        ("remove", ROB, "acme"): f"user {ROB} is not a member of organization acme",
        ("remove", "Robb", "acme"): f"user Robb does not exist: did you mean {ROB}?",
        ("add", ROB, "marz", "--role", "admin"): "organization marz does not exist: did you mean m",
        ("list", "--user", "x"): "user x does not exist: add it with a seed file",
    }.items():
        refused = sessionary("members", *call)
        assert (refused.exit_code, refused.output.count("\n")) == (1, 1)
        assert refused.output.startswith(f"Error: {why}")


def test_a_seed_file_is_applied(sessionary: Command, tmp_path: Path, db: str) -> None:
    file = tmp_path / "seed.toml"
    file.write_text(SEED)
    assert sessionary("seed", str(file)).output == f"Applied 1 rows of {file} to {db}\n"


def test_a_refused_seed_is_named_with_table_and_line(sessionary: Command, tmp_path: Path) -> None:
    file = tmp_path / "seed.toml"
    file.write_text(SEED + "colour = 5\n")
    result = sessionary("seed", str(file))
    assert result.exit_code == 1
    assert f"{file}, [[organizations]] number 1, line 4: colour" in result.output


def test_a_device_is_added_listed_and_retired(sessionary: Command) -> None:
    pixel = ("--serial", "pixel-1", "--platform", "android", "--type", "real")
    about = ("--name", "Pixel 9", "--version", "16", "--provision-seconds", "20")
    assert sessionary("devices", "add", *pixel, *about).output == "Added device pixel-1\n"
    again = sessionary("devices", "add", *pixel, *about)
    assert again.exit_code == 1
    assert again.output == "Error: device 'pixel-1' is in the catalogue already\n"
    listed = json.loads(sessionary("devices", "list", "--json").output)
    assert len(listed) == 13
    assert listed[-1] == {
        "serial": "pixel-1",
        "platform": "android",
        "type": "real",
        "name": "Pixel 9",
        "version": "16",
        "provision_seconds": 20,
        "state": "free",
    }
    assert sessionary("devices", "retire", "pixel-1").output == "Retired device pixel-1\n"
    assert "retired" in sessionary("devices", "list").output


def clock(sessionary: Command) -> tuple[str, str, float]:
    """Return mode, time and rate of the clock of the database file."""
    shown = json.loads(sessionary("clock", "--json").output)
    return shown["mode"], shown["now"], shown["rate"]


def test_the_clock_of_a_file_is_frozen_moved_scaled_and_real_again(
    sessionary: Command,
) -> None:
    assert clock(sessionary)[0] == "real"
    sessionary("clock", "freeze", "2026-03-01T12:00:00Z")
    assert clock(sessionary) == ("frozen", "2026-03-01T12:00:00.000000Z", 0.0)
    sessionary("clock", "advance", "1h30m")
    assert clock(sessionary)[1] == "2026-03-01T13:30:00.000000Z"
    sessionary("clock", "advance", "-2d")
    assert clock(sessionary)[1] == "2026-02-27T13:30:00.000000Z"
    assert "scaled" in sessionary("clock", "scale", "40").output
    assert clock(sessionary)[2] == 40.0
    sessionary("clock", "real")
    assert clock(sessionary)[0] == "real"
