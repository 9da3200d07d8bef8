"""Invalid keys: all kinds get the same response, by the same statements."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from sessionary import clock, identity, store
from sessionary.clock import MINUTE
from sessionary.surfaces import SURFACES
from sessionary.web.surface import Surface
from tests import identities
from tests.conftest import App, MakeApp
from tests.processes import COMMAND, running_server

each_surface = pytest.mark.parametrize("surface", SURFACES, ids=lambda surface: surface.name)
AT = {"REMOTE_ADDR": "203.0.113.7"}


@pytest.fixture
def app(make_app: MakeApp) -> App:
    return make_app(auth="strict")


def keys_that_fail(app: App, surface: Surface) -> dict[str, str]:
    """Return an invalid secret of each kind."""
    other = next(each for each in SURFACES if each is not surface)
    with app.namespace.activate(), store.transaction():
        user, now = identity.owner(), clock.now()
        made = {
            kind: identity.create_key(surface.key_prefix, user=user, **given)  # type: ignore[arg-type]
            for kind, given in {
                "revoked": {"surface": surface.name},
                "revoked, of every surface": {"surface": None},
                "expired": {"surface": surface.name, "expires_at": now},
                "expired long ago": {"surface": None, "expires_at": now - MINUTE},
                "of another surface": {"surface": other.name},
                "revoked, of another": {"surface": other.name},
            }.items()
        }
    with app.namespace.activate():
        for kind, key in made.items():
            if kind.startswith("revoked"):
                assert identity.revoke_key(key.id)
    secrets = {kind: key.secret for kind, key in made.items()}
    first = secrets["revoked"]
    return {
        **secrets,
        "unknown": surface.key_prefix + "0" * 43,
        "all but right": first[:-1] + ("a" if first[-1] != "a" else "b"),
        "short": surface.key_prefix + "x",
        "not as the vendor's": "x" * 43,
        "long": surface.key_prefix + "x" * 4000,
    }


def send(app: App, surface: Surface, secret: str, path: str) -> TestResponse:
    headers = {"Authorization": f"Bearer {secret}", "x-api-key": secret, "X-Request-Id": "one"}
    return app.client.get(f"/{surface.name}{path}", headers=headers, environ_base=AT)


@contextmanager
def statements_of(app: App) -> Iterator[list[str]]:
    """Collect the statements that the namespace executes in the block, without values."""
    seen: list[str] = []
    with app.namespace.activate():
        connection = app.namespace.connection()
    connection.set_trace_callback(seen.append)
    yield seen
    connection.set_trace_callback(None)


@each_surface
@pytest.mark.parametrize("path", ["/no/such/path", "/sessions/x", "/v4/sessions/x"])
def test_every_invalid_key_gets_the_same_response(app: App, surface: Surface, path: str) -> None:
    answers = {
        kind: send(app, surface, secret, path)
        for kind, secret in keys_that_fail(app, surface).items()
    }
    distinct = {(each.status, each.data, str(each.headers)) for each in answers.values()}
    assert len(distinct) == 1
    assert distinct.pop()[0].startswith("401")


@each_surface
def test_every_invalid_key_runs_the_same_statements(app: App, surface: Surface) -> None:
    """The first request differs, as it creates the bucket of the address."""
    send(app, surface, "first", "/no/such/path")
    executed = {}
    for kind, secret in keys_that_fail(app, surface).items():
        with statements_of(app) as seen:
            send(app, surface, secret, "/no/such/path")
        executed[kind] = [each.split(" ", 2)[:2] for each in seen]
    kinds = iter(executed.values())
    first = next(kinds)
    assert len(first) > 2
    assert all(each == first for each in kinds), executed


@each_surface
def test_a_key_is_found_by_its_hash_alone(app: App, surface: Surface) -> None:
    """No statement compares a secret, so timing reveals nothing about its text."""
    secret = "mob_an-unknown-secret"
    with statements_of(app) as seen:
        assert send(app, surface, secret, "/no/such/path").status_code == 401
    assert any(identity.hash_of(secret) in each for each in seen)
    assert not any(secret in each for each in seen)


@each_surface
def test_a_valid_key_costs_one_select_and_its_address_another(app: App, surface: Surface) -> None:
    """The second is not made for this machine's addresses; neither case writes."""
    with app.namespace.activate(), store.transaction():
        key = identity.create_key("", user=identity.owner(), surface=surface.name).secret
    send(app, surface, key, "/no/such/path")
    counts = {}
    for address in ("203.0.113.7", "127.0.0.1"):
        with statements_of(app) as seen:
            headers = {"Authorization": f"Bearer {key}", "x-api-key": key}
            at = {"REMOTE_ADDR": address}
            path = f"/{surface.name}/no/such/path"
            assert app.client.get(path, headers=headers, environ_base=at).status_code == 404
        counts[address] = len(seen)
    assert counts == {"203.0.113.7": 2, "127.0.0.1": 1}


def test_an_expired_key_is_refused_at_once_by_every_worker(tmp_path: Path) -> None:
    db = ("--db", str(tmp_path / "test.sqlite3"))
    with running_server(*db, "--workers", "2") as server:
        command("clock", "freeze", "2026-03-01T12:00:00Z", *db)
        made = command("keys", "create", "--expires-at", "2026-03-01T12:00:01Z", "--json", *db)
        headers = {"Authorization": f"Bearer {json.loads(made)['secret']}"}
        path = "/notte/sessions"
        assert {server.request("GET", path, **headers)[0] for _ in range(8)} == {200}
        command("clock", "advance", "1s", *db)
        assert [server.request("GET", path, **headers)[0] for _ in range(8)] == [401] * 8


@pytest.mark.parametrize("by_seed", [True, False], ids=["seed", "members"])
def test_memberships_hold_at_once_in_every_worker(tmp_path: Path, by_seed: bool) -> None:
    db, rob = ("--db", str(tmp_path / "test.sqlite3")), identities.ROB
    seed, later = tmp_path / "seed.toml", tmp_path / "later.toml"
    seed.write_text(identities.seed("notte"))

    def give(role: str | None) -> None:
        if by_seed:
            member = f'{{ organization = "acme", role = "{role}" }}' if role else ""
            user = f'id = "{rob}"\nname = "Rob"\nmemberships = [{member}]\n'
            default = 'default_organization = "acme"\n' if role else ""
            later.write_text(f"[[users]]\n{user}{default}")
            command("seed", str(later), *db)
        elif role:
            command("members", "add", rob, "acme", "--role", role, *db)
        else:
            command("members", "remove", rob, "acme", *db)

    with running_server(*db, "--workers", "2", "--seed", str(seed)) as server:
        headers = {"Authorization": f"Bearer {identities.key('notte', 'rob')}"}

        def statuses() -> set[tuple[int, int]]:
            return {
                (
                    server.request("GET", "/notte/sessions", **headers)[0],
                    server.request("POST", "/notte/session/start", {}, **headers)[0],
                )
                for _ in range(8)
            }

        assert statuses() == {(200, 403)}
        for role, expected in (("readwrite", (200, 200)), (None, (403, 403))):
            give(role)
            assert statuses() == {expected}


def command(*arguments: str) -> bytes:
    """Run `sessionary` with these arguments; return its output."""
    return subprocess.run([COMMAND, *arguments], capture_output=True, check=True).stdout
