"""The client of the control plane, against a double on a real socket."""

import tomllib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import requests
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.wrappers import Response

from sessionary.client import Client, ControlError
from sessionary.embedded import EmbeddedServer
from sessionary.factory import create_app, create_double
from sessionary.sdk_env import Environment
from sessionary.settings import Settings
from tests.conftest import double_settings
from tests.processes import run_python
from tests.seed_rows import row

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOON_TEXT = "2026-03-01T12:00:00.000000Z"


def make_expiring_key(at: str) -> dict[str, Any]:
    """A seed with a key that expires then."""
    key = row("keys", f'secret = "sk-notte-brief"; expires_at = {at}')
    return tomllib.loads(row("organizations") + row("users") + key)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with EmbeddedServer(create_double()) as server:
        yield server.url


@pytest.fixture
def client(url: str, request: pytest.FixtureRequest) -> Client:
    """A client of a new namespace that is frozen at noon."""
    client = Client(url, f"t{abs(hash(request.node.name))}")
    client.namespaces.create(client.namespace, now=NOON)
    return client


def start(client: Client) -> str:
    """Start a Notte session with an idle timeout of three minutes."""
    notte = Environment(client.url, client.namespace).notte
    who = {"Authorization": f"Bearer {notte.key}"}
    answer = requests.post(f"{notte.url}/session/start", json={}, headers=who, timeout=10)
    return str(answer.json()["session_id"])


def test_importing_the_client_loads_only_what_it_needs() -> None:
    script = (
        "import sys, sessionary.client, sessionary.sdk_env\n"
        "print(sorted({'flask', 'peewee', 'http.client', 'json', 'tomllib'} & set(sys.modules)))"
    )
    assert run_python(script) == "[]\n"


def test_the_clock_is_set_and_read(client: Client) -> None:
    assert client.clock.now() == NOON
    client.clock.set(NOON + timedelta(microseconds=1))
    assert client.clock.get()["mode"] == "frozen"
    assert client.clock.now() == NOON + timedelta(microseconds=1)
    assert client.clock.freeze("2026-03-01T12:00:00Z")["now"] == NOON_TEXT
    assert client.clock.scale(40, NOON)["rate"] == 40
    client.clock.set(NOON - timedelta(days=1))
    assert client.clock.get()["rate"] == 40
    assert client.clock.real()["mode"] == "real"
    client.clock.set(NOON)
    assert client.clock.get()["mode"] == "offset"


@pytest.mark.parametrize("by", ["90s", "PT90S", timedelta(seconds=90)], ids=str)
def test_the_clock_advances_by_a_duration(client: Client, by: timedelta | str) -> None:
    client.clock.advance(by)
    assert client.clock.now() == NOON + timedelta(seconds=90)


def test_the_clock_advances_by_parts_of_a_duration_also_back(client: Client) -> None:
    client.clock.advance(minutes=-5, microseconds=1)
    assert client.clock.now() == NOON - timedelta(minutes=5) + timedelta(microseconds=1)
    with pytest.raises(TypeError, match="pass one duration"):
        client.clock.advance()


def test_an_instant_can_have_any_time_zone(client: Client) -> None:
    client.clock.freeze((NOON + timedelta(days=1)).astimezone(timezone(timedelta(hours=-5))))
    assert client.clock.now() == NOON + timedelta(days=1)


def test_an_instant_without_a_time_zone_is_refused(client: Client) -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        client.clock.freeze(datetime(2026, 3, 1, 12))  # noqa: DTZ001
    assert client.clock.now() == NOON


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda client: client.clock.advance(5), "a duration is text such as '90s', a .*, not 5"),
        (lambda client: client.clock.advance(minuts=3), "unit minuts: did you mean minutes?"),
        (lambda client: client.clock.freeze(5), "an instant is text such as .*, not 5"),
        (lambda client: client.timeline(to=timedelta(1)), "an instant is text .*, not datetime"),
        (lambda client: client.faults.add("notte", delay=5), "a duration is text .*, not 5"),
        (lambda client: client.explain(5), "an id or a name is text, not 5"),
    ],
)
def test_an_argument_of_a_wrong_type_is_refused_in_a_sentence(
    client: Client, call: Callable[[Client], Any], sentence: str
) -> None:
    with pytest.raises(TypeError, match=sentence):
        call(client)


@pytest.mark.parametrize("name", ["overloadd", "x"])
def test_an_unknown_preset_is_refused_with_the_known_ones(client: Client, name: str) -> None:
    near = "did you mean overloaded?" if name == "overloadd" else "presets are overloaded, "
    with pytest.raises(ControlError, match=f"notte has no preset '{name}'.*{near}"):
        client.faults.add("notte", name)


def test_the_clock_advances_to_the_next_transition(client: Client) -> None:
    session = start(client)
    (transition,) = client.timeline()["transitions"]
    assert (transition["session"], transition["to_status"]) == (session, "timed_out")
    assert client.clock.advance_to_next()["now"] == transition["at"]
    assert client.explain(session)["status"] == "timed_out"
    client.clock.freeze(NOON)
    assert client.clock.advance_until(session, "timed_out")["now"] == transition["at"]


def test_a_timeline_has_a_limit_and_a_window(client: Client) -> None:
    start(client)
    start(client)
    assert client.timeline(limit=1)["truncated"]
    assert client.timeline(to=NOON + timedelta(seconds=1))["transitions"] == []
    assert client.timeline(NOON + timedelta(days=1))["transitions"] == []
    assert len(client.timeline(at="+1s")["transitions"]) == 2


def test_sessions_are_listed_across_pages(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sessionary.client.MAX_PAGE", 2)
    sessions = [start(client) for _ in range(3)]
    assert [each["id"] for each in client.sessions()] == sessions
    assert all(each["open"] for each in client.sessions())
    assert client.sessions("galtea") == []
    (first, *_) = client.sessions("notte", at=NOON + timedelta(days=1))
    assert (first["status"], first["open"], first["next_transition"]) == ("timed_out", False, None)


def test_a_session_is_explained_as_of_now_and_another_instant(client: Client) -> None:
    session = start(client)
    assert client.explain(session)["status"] == "active"
    assert client.explain(session, "notte", NOON + timedelta(hours=1))["status"] == "timed_out"


def test_an_unknown_session_raises_an_error(client: Client) -> None:
    with pytest.raises(ControlError, match="session 'none' not found") as caught:
        client.explain("none")
    assert caught.value.status == 404


def test_a_session_is_forced_into_a_status_of_the_vendor(client: Client) -> None:
    session = start(client)
    assert client.force(session, "error", "the browser crashed")["status"] == "error"
    with pytest.raises(ControlError, match="notte can be forced to error, not 'asleep'"):
        client.force(session, "asleep")


def test_changes_between_two_instants_are_listed(client: Client) -> None:
    session = start(client)
    client.clock.advance(hours=1)
    made, ended = client.diff(NOON - timedelta(seconds=1))["changes"]
    assert (made["session"], made["cause"], made["from_status"]) == (session, "call", None)
    assert (ended["session"], ended["cause"], ended["to_status"]) == (session, "time", "timed_out")
    assert client.diff(NOON, NOON + timedelta(seconds=1))["changes"] == []


def test_a_namespace_is_created_copied_seeded_and_dropped(client: Client) -> None:
    namespaces = client.namespaces
    session = start(client)
    fork = client.for_namespace(namespaces.fork()["name"])
    assert [each["id"] for each in fork.sessions()] == [session]
    assert fork.namespaces.seed('[[organizations]]\nid = "acme"\nname = "Acme"\n') == 1
    assert fork.namespaces.seed({"organizations": [{"id": "acme", "name": "Acme"}]}) == 1
    contents = fork.namespaces.snapshot()
    assert namespaces.reset()["name"] == client.namespace
    assert client.sessions() == []
    namespaces.restore(contents)
    assert [each["id"] for each in client.sessions()] == [session]
    fork.namespaces.drop()
    assert fork.namespace not in namespaces.list()
    assert client.namespace in namespaces.list()
    with pytest.raises(ControlError, match="there is no namespace"):
        fork.namespaces.get()


@pytest.mark.parametrize("is_new", [True, False])
def test_a_key_in_a_seed_mapping_expires_at_its_date_time(client: Client, is_new: bool) -> None:
    document = make_expiring_key("2026-03-01T14:00:00+01:00")
    if is_new:
        client = client.for_namespace(f"{client.namespace}_new")
        client.namespaces.create(client.namespace, now=NOON, seed=document)
    else:
        client.namespaces.seed(document)
    statuses = []
    for at in (NOON + timedelta(minutes=59), NOON + timedelta(minutes=60)):
        client.clock.freeze(at)
        url = f"{client.url}/~{client.namespace}/notte/sessions"
        who = {"Authorization": "Bearer sk-notte-brief"}
        statuses.append(requests.get(url, headers=who, timeout=10).status_code)
    assert statuses == [200, 401]


@pytest.mark.parametrize("at", ["2026-03-01T13:00:00", "2026-03-01", "13:00:00"])
def test_a_date_or_time_without_an_instant_in_a_seed_is_refused(client: Client, at: str) -> None:
    with pytest.raises(
        ControlError, match="number 1: expires_at: must be a date-time with an offset"
    ):
        client.namespaces.seed(make_expiring_key(at))


def test_an_error_is_raised_with_its_detail_and_places(client: Client) -> None:
    with pytest.raises(ControlError, match="/by must be") as caught:
        client.clock.advance("a while")
    assert caught.value.status == 400
    assert [each["pointer"] for each in caught.value.errors] == ["/by"]


def test_the_token_is_sent() -> None:
    settings = double_settings(control_token="hush")
    with EmbeddedServer(create_double(settings)) as server:
        assert Client(server.url, token="hush").clock.get()["mode"] == "real"
        with pytest.raises(ControlError) as caught:
            Client(server.url).clock.get()
    assert caught.value.status == 401


def test_the_url_of_a_server_can_have_a_path() -> None:
    nothing = Response(status=404)
    below = DispatcherMiddleware(nothing, {"/below": create_double()})
    with EmbeddedServer(below) as server:
        assert Client(f"{server.url}/below/").clock.get()["mode"] == "real"


def test_a_server_without_a_control_plane_is_reported() -> None:
    settings = Settings(db=":memory:", auth="lenient", durability="off")
    with (
        EmbeddedServer(create_app(settings)) as server,
        pytest.raises(ControlError, match="the server has no control plane"),
    ):
        Client(server.url).explain("any")


def test_an_unreachable_url_is_reported() -> None:
    with EmbeddedServer(create_double()) as server:
        gone = server.url
    with pytest.raises(ConnectionError, match=f"{gone} does not answer"):
        Client(gone).clock.get()
    with pytest.raises(ValueError, match="must look like http://"):
        Client("localhost:8000")


def test_faults_are_armed_listed_and_disarmed(client: Client) -> None:
    fault = client.faults.add(
        "notte", status=503, method="POST", delay=timedelta(milliseconds=1), from_=NOON, times=1
    )
    assert (fault["status"], fault["delay"], fault["from"]) == (503, "1ms", NOON_TEXT)
    assert client.faults.list("notte", unmatched=True) == [fault]
    assert client.faults.list("galtea") == []
    client.faults.add("notte", "overloaded")
    assert "overloaded" in [each["name"] for each in client.faults.presets()]
    client.faults.clear(fault["id"])
    assert [each["preset"] for each in client.faults.list()] == ["overloaded"]
    client.faults.clear()
    assert client.faults.list() == []


def test_the_journal_is_searched_across_pages_counted_and_cleared(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sessionary.client.journal.MAX_PAGE", 2)
    sessions = [start(client) for _ in range(5)]
    assert [call["session"] for call in client.journal.find("POST")] == sessions
    assert [call["session"] for call in client.journal.find(limit=3)] == sessions[:3]
    assert len(client.journal.find(session=sessions[1], status="2xx")) == 1
    assert client.journal.count("POST", "/session/start", surface="notte", status=200) == 5
    assert client.journal.count(status=404) == client.journal.dropped_count() == 0
    client.journal.clear()
    assert client.journal.find() == []


def test_a_request_is_explained_before_and_after_it_is_made(client: Client) -> None:
    body = {"session_timeout_minutes": "5"}
    who = {"Authorization": "Bearer k"}
    before = client.explain_request("POST", "/session/start", headers=who, body=body)
    (violation,) = before["violations"]
    assert violation["pointer"] == "/session_timeout_minutes"
    notte = Environment(client.url, client.namespace).notte
    who = {"Authorization": f"Bearer {notte.key}"}
    requests.post(f"{notte.url}/session/start", json=body, headers=who, timeout=10)
    (call,) = client.journal.find(status="4xx")
    assert client.journal.explain(call["id"])["violations"] == before["violations"]
