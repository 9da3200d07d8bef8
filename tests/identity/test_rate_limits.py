"""Rate limits of keys, and of addresses that send invalid ones."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from freezegun import freeze_time
from werkzeug.test import TestResponse

from sessionary import identity, store
from sessionary.factory import create_double
from sessionary.identity import rate_limits
from sessionary.surfaces import SURFACES
from sessionary.web.surface import Surface
from tests.conftest import NOON, App, MakeApp, double_settings

Make = MakeApp
HERE, THERE = "203.0.113.7", "203.0.113.8"
each_surface = pytest.mark.parametrize("surface", SURFACES, ids=lambda surface: surface.name)


def send(client: FlaskClient, surface: Surface, key: str, address: str = HERE) -> TestResponse:
    """Send a request that is 404 for every valid key."""
    headers = {"Authorization": f"Bearer {key}", "x-api-key": key, "X-Request-Id": "1"}
    at = {"REMOTE_ADDR": address}
    return client.get(f"/{surface.name}/no/such/path", headers=headers, environ_base=at)


def key_of(app: App, surface: Surface) -> str:
    with app.namespace.activate(), store.transaction():
        return identity.create_key(
            surface.key_prefix, user=identity.owner(), surface=surface.name
        ).secret


def changes_count(app: App) -> int:
    with app.namespace.activate():
        return app.namespace.connection().total_changes


@each_surface
def test_a_key_over_its_limit_gets_the_vendors_429_until_its_retry_after(
    make_app: Make, surface: Surface
) -> None:
    client = make_app(rate_limit=3).client
    key = f"{surface.key_prefix}anyone"
    with freeze_time(NOON) as wall:
        assert [send(client, surface, key).status_code for _ in range(4)] == [404, 404, 404, 429]
        wall.tick(timedelta(seconds=5))
        refused = send(client, surface, key)
        assert refused.json == surface.fault_presets["rate_limited"].body
        assert surface.retry_headers(15_000).items() <= dict(refused.headers).items()
        wall.tick(timedelta(seconds=15, microseconds=-1))
        assert send(client, surface, key).status_code == 429
        wall.tick(timedelta(microseconds=1))
        assert [send(client, surface, key).status_code for _ in range(2)] == [404, 429]
        wall.tick(timedelta(minutes=1))
        assert [send(client, surface, key).status_code for _ in range(4)] == [404, 404, 404, 429]


def test_each_key_has_its_own_limit(make_app: Make) -> None:
    client, surface = make_app(rate_limit=1).client, SURFACES[0]
    statuses = [send(client, surface, key).status_code for key in ("a", "b", "a", "b", "c")]
    assert statuses == [404, 404, 429, 429, 404]


def test_the_clock_of_a_namespace_does_not_affect_a_limit(make_app: Make) -> None:
    app, surface = make_app(rate_limit=1), SURFACES[0]
    with freeze_time(NOON) as wall:
        assert send(app.client, surface, "a").status_code == 404
        app.advance(hours=1)
        assert send(app.client, surface, "a").status_code == 429
        app.advance(hours=-2)
        wall.tick(timedelta(minutes=1))
        assert send(app.client, surface, "a").status_code == 404


def test_wall_time_that_is_set_back_locks_no_key_out(make_app: Make) -> None:
    client, surface = make_app(rate_limit=2).client, SURFACES[0]
    with freeze_time(NOON):
        assert send(client, surface, "a").status_code == 404
    with freeze_time(NOON - timedelta(hours=1)) as wall:
        assert [send(client, surface, "a").status_code for _ in range(2)] == [404, 429]
        wall.tick(timedelta(seconds=30))
        assert send(client, surface, "a").status_code == 404


def test_a_refused_call_changes_nothing(make_app: Make) -> None:
    app = make_app(rate_limit=1)
    headers = {"Authorization": "Bearer a"}
    answers = [app.client.post("/session/start", json={}, headers=headers) for _ in range(3)]
    assert [each.status_code for each in answers] == [200, 429, 429]
    assert len(app.rows("notte_sessions")) == 1


def test_expired_rows_do_not_pile_up(make_app: Make) -> None:
    app = make_app(rate_limit=5)
    with freeze_time(NOON) as wall:
        for number in range(50):
            send(app.client, SURFACES[0], f"key-{number}")
            wall.tick(timedelta(seconds=12))
    assert len(app.rows("pace")) == 1


def test_without_a_limit_a_key_is_not_counted(make_app: Make) -> None:
    app = make_app()
    before = changes_count(app)
    assert {send(app.client, SURFACES[0], "a").status_code for _ in range(50)} == {404}
    assert changes_count(app) == before


def test_a_request_that_cannot_be_counted_is_accepted(make_file_app: Make) -> None:
    """Reads must not fail because the disk is full or another process holds the lock."""
    app = make_file_app(rate_limit=1, max_failed_keys_per_minute=1, busy_timeout_seconds=0.01)
    with closing(sqlite3.connect(app.namespace.database.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert [send(app.client, SURFACES[0], "a").status_code for _ in range(3)] == [404] * 3
        assert send(app.client, mobilenext(), "no").status_code == 401
        other.execute("ROLLBACK")
    assert [send(app.client, SURFACES[0], "a").status_code for _ in range(2)] == [404, 429]


def test_counting_does_not_change_the_durability_of_other_writes(make_file_app: Make) -> None:
    app = make_file_app(rate_limit=1, durability="full")
    for _ in range(2):
        send(app.client, SURFACES[0], "a")
        with app.namespace.activate():
            assert app.namespace.database.run("PRAGMA synchronous").fetchone() == (2,)


def mobilenext() -> Surface:
    """Return a surface with keys that are malformed even in lenient mode."""
    return next(surface for surface in SURFACES if surface.name == "mobilenext")


@each_surface
def test_invalid_keys_are_limited_per_address(make_app: Make, surface: Surface) -> None:
    app = make_app(auth="strict", max_failed_keys_per_minute=3)
    client, key = app.client, key_of(app, surface)
    with freeze_time(NOON) as wall:
        tried = [send(client, surface, f"guess-{number}") for number in range(5)]
        assert [each.status_code for each in tried] == [401, 401, 401, 429, 429]
        assert tried[4].json == surface.fault_presets["rate_limited"].body
        assert surface.retry_headers(20_000).items() <= dict(tried[4].headers).items()
        assert send(client, surface, "guess", THERE).status_code == 401
        assert send(client, surface, key, THERE).status_code == 404
        wall.tick(timedelta(seconds=20))
        assert [send(client, surface, "guess").status_code for _ in range(2)] == [401, 429]


def test_a_valid_key_from_a_limited_address_still_works(make_app: Make) -> None:
    """Many clients may share an address, and one of them may have an old key."""
    app, surface = make_app(auth="strict", max_failed_keys_per_minute=3), SURFACES[0]
    client, neighbour, late = app.client, *(key_of(app, surface) for _ in range(2))
    with freeze_time(NOON) as wall:
        assert send(client, surface, "old").status_code == 401
        assert send(client, surface, neighbour).status_code == 404
        assert [send(client, surface, "old").status_code for _ in range(3)] == [401, 401, 429]
        assert send(client, surface, neighbour).status_code == 404
        assert send(client, surface, late).status_code == 429
        wall.tick(timedelta(seconds=20))
        assert send(client, surface, late).status_code == 404


def test_a_limited_guesser_learns_nothing_about_a_key(make_app: Make) -> None:
    app, surface = make_app(auth="strict", max_failed_keys_per_minute=1), SURFACES[0]
    key = key_of(app, surface)
    with freeze_time(NOON):
        assert send(app.client, surface, "guess").status_code == 401
        wrong, right = (send(app.client, surface, each) for each in ("guess", key))
    assert (wrong.status_code, wrong.data, wrong.headers) == (429, right.data, right.headers)


def test_a_revoked_key_is_refused_where_it_was_trusted(make_app: Make) -> None:
    app, surface = make_app(auth="strict", max_failed_keys_per_minute=2), SURFACES[0]
    with app.namespace.activate(), store.transaction():
        key = identity.create_key("", user=identity.owner(), surface=None)
    send(app.client, surface, "guess")
    assert send(app.client, surface, key.secret).status_code == 404
    with app.namespace.activate():
        identity.revoke_key(key.id)
    assert send(app.client, surface, key.secret).status_code == 401


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("127.0.0.1", None),
        ("127.8.8.8", None),
        ("::1", None),
        ("::ffff:127.0.0.1", None),
        ("", None),
        ("a name", None),
        (rate_limits.UNKNOWN, rate_limits.UNKNOWN),
    ],
)
def test_an_address_is_counted_with_the_network_of_its_holder(
    address: str, counted: str | None
) -> None:
    assert rate_limits.counted_address(address) == counted


@pytest.mark.parametrize(
    ("settings", "call"),
    [
        ({}, {"address": "127.0.0.1", "key": "guess"}),
        ({}, {"address": HERE, "key": ""}),
        ({"max_failed_keys_per_minute": 0}, {"address": HERE, "key": "guess"}),
    ],
    ids=["from this machine", "without a key", "with any number allowed"],
)
def test_other_failures_are_not_counted(
    make_app: Make, settings: dict[str, Any], call: dict[str, str]
) -> None:
    app = make_app(auth="strict", **{"max_failed_keys_per_minute": 1, **settings})
    before = changes_count(app)
    statuses = {send(app.client, SURFACES[0], **call).status_code for _ in range(5)}
    assert statuses == {401}
    assert changes_count(app) == before


def read_clock(client: FlaskClient, token: str, address: str = HERE) -> int:
    """Send a request to the control plane; return the status."""
    headers = {"Authorization": f"Bearer {token}"}
    at = {"REMOTE_ADDR": address}
    return client.get("/_control/v1/clock", headers=headers, environ_base=at).status_code


def test_guesses_of_the_control_token_are_limited_like_keys(make_app: Make) -> None:
    app = make_app(control=True, control_token="right", max_failed_keys_per_minute=3)
    client = app.client
    with freeze_time(NOON) as wall:
        assert [read_clock(client, "") for _ in range(5)] == [401] * 5
        statuses = [read_clock(client, f"guess-{number}") for number in range(5)]
        assert statuses == [401, 401, 401, 429, 429]
        assert read_clock(client, "right") == 429
        assert read_clock(client, "guess", THERE) == 401
        assert read_clock(client, "right", THERE) == 200
        wall.tick(timedelta(seconds=20))
        assert [read_clock(client, "right"), read_clock(client, "guess")] == [200, 401]
        assert [read_clock(client, "right"), read_clock(client, "guess")] == [200, 429]


def test_a_refused_guess_of_the_token_is_a_problem_document(make_app: Make) -> None:
    app = make_app(control=True, control_token="right", max_failed_keys_per_minute=1)
    read_clock(app.client, "guess")
    refused = app.client.get(
        "/_control/v1/clock",
        headers={"Authorization": "Bearer guess"},
        environ_base={"REMOTE_ADDR": HERE},
    )
    assert (refused.status_code, refused.content_type) == (429, "application/problem+json")
    assert int(refused.headers["Retry-After"]) in range(1, 61)


def test_guesses_of_keys_and_of_the_token_are_counted_together(make_app: Make) -> None:
    app = make_app(auth="strict", control=True, control_token="right", max_failed_keys_per_minute=2)
    with freeze_time(NOON):
        assert send(app.client, SURFACES[0], "guess").status_code == 401
        assert [read_clock(app.client, "guess") for _ in range(2)] == [401, 429]


def test_a_token_guessed_in_a_double_counts_in_all_its_namespaces_at_once() -> None:
    flask_app = create_double(double_settings(control_token="right", max_failed_keys_per_minute=2))
    client, at = flask_app.test_client(), {"REMOTE_ADDR": HERE}
    paths = ("/~a/_control/v1/clock", "/~b/_control/v1/clock", "/_control/v1/namespaces/c")
    right = {"Authorization": "Bearer right"}
    for name in ("a", "b", "c"):
        made = client.post("/_control/v1/namespaces", headers=right, json={"name": name})
        assert made.status_code == 201, made.text
    guess = {"Authorization": "Bearer guess"}
    with freeze_time(NOON):
        tried = [client.get(path, headers=guess, environ_base=at).status_code for path in paths]
    assert tried == [401, 401, 429]
