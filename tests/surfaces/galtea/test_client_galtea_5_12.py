"""The vendor's newest SDK, unmodified, against a server on a real socket."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from galtea import EntityNotFoundException, EntityNotFoundHTTPError, Galtea, Session, SessionStatus
from galtea.utils.tracing import clear_run_context, set_run_context
from requests import HTTPError

from tests.conftest import App, MakeApp, Serve
from tests.identities import ANA
from tests.surfaces.galtea.conftest import NOWHERE, SEED


@pytest.fixture
def connect(serve: Serve) -> Iterator[Callable[..., Galtea]]:
    """Clients of a served app, by key."""
    opened: list[Galtea] = []

    def connected(app: App, key: str = "gsk_anyone", base: str = "/galtea") -> Galtea:
        opened.append(Galtea(api_key=key, base_url=serve(app) + base))
        return opened[-1]

    yield connected
    for client in opened:
        client.shutdown()


@pytest.fixture
def galtea(app: App, connect: Callable[..., Galtea]) -> Galtea:
    return connect(app)


@pytest.fixture
def seeded(strict: App, connect: Callable[..., Galtea]) -> Galtea:
    """Ana's client of the strict namespace with seeded references."""
    return connect(strict, "gsk_ana")


def status_of(error: pytest.ExceptionInfo[HTTPError]) -> int:
    return error.value.response.status_code


def test_the_client_is_up_to_date(galtea: Galtea, capsys: pytest.CaptureFixture[str]) -> None:
    assert isinstance(galtea, Galtea)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("base", ["", "/", "/galtea", "/galtea/"])
def test_the_client_works_at_the_root_and_under_the_prefix(
    app: App, connect: Callable[..., Galtea], base: str
) -> None:
    client = connect(app, base=base)
    created = client.sessions.create(version_id="ver_123")
    assert client.sessions.get(created.id) == created


def test_the_address_may_come_from_the_environment(
    app: App, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GALTEA_API_URL", serve(app) + "/galtea")
    with Galtea(api_key="gsk_anyone") as client:
        assert client.sessions.create(version_id="ver_123").version_id == "ver_123"


def test_a_session_from_creation_to_deletion(galtea: Galtea) -> None:
    created = galtea.sessions.create(
        version_id="ver_123", custom_id="mine", context="words", metadata={"turn": 0}
    )
    assert created.status is SessionStatus.PENDING
    assert created.context == "words"
    assert created.context_data == {"value": "words"}
    assert created.is_monitoring()
    assert galtea.sessions.get(created.id) == created

    changed = galtea.sessions.update(created.id, metadata={"turn": 1}, status="completed")
    assert changed.status is SessionStatus.COMPLETED
    assert changed.metadata == {"turn": 1}

    finished = galtea.sessions.finish(created.id, "GOAL_ACHIEVED")
    assert (finished.status, finished.stopping_reason) == (SessionStatus.COMPLETED, "GOAL_ACHIEVED")

    assert galtea.sessions.delete(created.id) is None
    with pytest.raises(EntityNotFoundHTTPError):
        galtea.sessions.get(created.id)


def test_a_test_driven_session(seeded: Galtea) -> None:
    created = seeded.sessions.create(version_id="version_v1", test_case_id="testCase_t1")
    assert created.is_test_based()
    assert not created.is_monitoring()
    assert created.user_id == ANA
    assert created.context is None
    assert created.context_data == {"persona": "impatient"}


@pytest.mark.parametrize("is_production", [None, True, False])
def test_the_flag_that_the_client_always_sends(galtea: Galtea, is_production: bool | None) -> None:
    created = galtea.sessions.create(version_id="v", is_production=is_production)
    assert created.is_production is (is_production is not False)


@pytest.mark.parametrize("reason", [None, "", "  "])
def test_finishing_without_a_reason(galtea: Galtea, reason: str | None) -> None:
    created = galtea.sessions.create(version_id="v")
    assert galtea.sessions.finish(created.id, reason).stopping_reason == "FINISHED"


@pytest.mark.parametrize("name", ["custom_id", "context", "stopping_reason", "metadata", "error"])
def test_an_update_to_none_clears(galtea: Galtea, name: str) -> None:
    created = galtea.sessions.create(version_id="v")
    value: Any = {"a": 1} if name == "metadata" else "text"
    assert getattr(galtea.sessions.update(created.id, **{name: value}), name) == value
    assert getattr(galtea.sessions.update(created.id, **{name: None}), name) is None


def test_an_update_of_nothing(galtea: Galtea) -> None:
    created = galtea.sessions.create(version_id="v")
    assert galtea.sessions.update(created.id) == created


def test_a_product_alone_gets_its_latest_version(seeded: Galtea) -> None:
    assert seeded.sessions.create(product_id="product_p1").version_id == "version_v2"
    made = seeded.sessions.create(product_id="product_new").version_id
    assert seeded.sessions.create(product_id="product_new").version_id == made
    assert seeded.versions.get(made).product_id == "product_new"


def test_a_session_by_its_custom_id_in_a_version_and_across_a_product(seeded: Galtea) -> None:
    first = seeded.sessions.create(version_id="version_v1", custom_id="c")
    second = seeded.sessions.create(version_id="version_v2", custom_id="c")
    find = seeded.sessions.get_by_custom_id
    assert find("c", version_id="version_v1") == first
    assert find("c", product_id="product_p1").id in (first.id, second.id)
    for anchor in ({"version_id": "elsewhere"}, {"product_id": "product_p2"}):
        with pytest.raises(EntityNotFoundException, match="c does not exist"):
            find("c", **anchor)


def test_the_latest_of_a_product_s_sessions_with_a_custom_id(strict: App, seeded: Galtea) -> None:
    seeded.sessions.create(version_id="version_v2", custom_id="c")
    strict.advance(milliseconds=1)
    latest = seeded.sessions.create(version_id="version_v1", custom_id="c")
    assert seeded.sessions.get_by_custom_id("c", product_id="product_p1") == latest


def test_get_or_create_makes_a_session_once(galtea: Galtea) -> None:
    made = galtea.sessions.get_or_create("c", version_id="v", metadata={"a": 1})
    assert not made.is_production
    assert galtea.sessions.get_or_create("c", version_id="v", metadata={"b": 2}) == made
    anchored = galtea.sessions.get_or_create("c", product_id="p")
    assert galtea.sessions.get_or_create("c", product_id="p") == anchored != made


def test_sessions_join_the_run_around_them_unless_they_are_production(galtea: Galtea) -> None:
    token = set_run_context("run_1")
    try:
        joined = galtea.sessions.create(version_id="v", is_production=False)
        driven = galtea.sessions.create(version_id="v", test_case_id="tc")
        outside = galtea.sessions.create(version_id="v")
    finally:
        clear_run_context(token)
    assert (joined.run_id, driven.run_id, outside.run_id) == ("run_1", "run_1", None)
    with pytest.raises(HTTPError) as error:
        galtea.sessions.create(version_id="v", run_id="run_1")
    assert status_of(error) == 400


def walk(client: Galtea, size: int, **filters: Any) -> Iterator[list[Session]]:
    """Each page of a list, until an empty one."""
    offset = 0
    while page := client.sessions.list(offset=offset, limit=size, **filters):
        yield page
        offset += size


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_the_pages_of_a_list_have_every_session(app: App, galtea: Galtea, order: str) -> None:
    ids = []
    for _ in range(5):
        ids.append(galtea.sessions.create(version_id="v").id)
        app.advance(seconds=1)
    pages = list(walk(galtea, 2, version_id="v", sort_by_created_at=order))
    assert [len(page) for page in pages] == [2, 2, 1]
    walked = [session.id for page in pages for session in page]
    assert walked == (ids if order == "asc" else ids[::-1])


def test_every_filter_of_a_list(seeded: Galtea) -> None:
    mine = seeded.sessions.create(
        version_id="version_v1", custom_id="c d", test_case_id="testCase_t1"
    )
    seeded.sessions.create(version_id="version_v2")
    find = seeded.sessions.list
    for filters in (
        {"id": mine.id},
        {"version_id": ["version_v1", "version_v3"]},
        {"test_case_id": "testCase_t1"},
        {"dataset_id": "test_s1"},
        {"custom_id": ["c d", "e"]},
        {"version_id": ["version_v1", "version_v2"], "user_id": ANA},
        {"version_id": "version_v1", "status": ["pending", SessionStatus.FAILED]},
        {"version_id": "version_v1", "from_created_at": "2026-03-01T12:00:00Z"},
        {"version_id": "version_v1", "to_created_at": "2026-03-01T12:00:00"},
        {"version_id": "version_v1", "from_created_at": 1_772_366_400},
    ):
        assert find(**filters) == [mine], filters
    assert find(version_id="version_v1", status="failed") == []
    assert find(version_id="version_v1", to_created_at="2026-03-01T11:59:59Z") == []


@pytest.mark.parametrize(
    "filters",
    [
        {"version_id": "nothing"},
        {"test_case_id": ["nothing", "neither"]},
        {"dataset_id": "nothing"},
        {"custom_id": "nothing"},
        {"version_id": "a", "test_case_id": "b", "dataset_id": "c"},
    ],
)
def test_an_empty_list_stays_an_empty_list(galtea: Galtea, filters: dict[str, Any]) -> None:
    assert galtea.sessions.list(**filters) == []


def test_a_list_by_ids_is_strict(galtea: Galtea) -> None:
    created = galtea.sessions.create(version_id="v")
    with pytest.raises(EntityNotFoundHTTPError, match=f"Sessions not found: {NOWHERE}"):
        galtea.sessions.list(id=[created.id, NOWHERE])


def test_the_client_reads_references(galtea: Galtea) -> None:
    assert galtea.versions.get("version_x").name == "version_x"
    assert galtea.test_cases.get("testCase_x").dataset_id == f"test_{'0' * 24}"
    assert galtea.datasets.get("test_x").name == "test_x"
    assert [each.id for each in galtea.versions.list(id=["a", "b"])] == ["a", "b"]


@pytest.mark.parametrize(
    "call",
    [
        lambda sessions: sessions.get(NOWHERE),
        lambda sessions: sessions.update(NOWHERE, error="x"),
        lambda sessions: sessions.finish(NOWHERE),
        lambda sessions: sessions.delete(NOWHERE),
    ],
)
def test_an_unknown_session_is_entity_not_found(galtea: Galtea, call: Callable[[Any], Any]) -> None:
    with pytest.raises(EntityNotFoundHTTPError, match=f"not found: {NOWHERE}") as error:
        call(galtea.sessions)
    assert status_of(error) == 404


@pytest.mark.parametrize(
    ("fields", "saying"),
    [
        ({"test_case_id": "tc", "is_production": True}, "isProduction"),
        ({"test_case_id": "tc", "context": "x"}, "context"),
        ({"custom_id": "taken"}, "A Session with the same customId: 'taken' already exists"),
        ({"custom_id": ""}, "customId"),
    ],
)
def test_a_call_against_the_rules_is_an_http_error_with_the_reason(
    galtea: Galtea, fields: dict[str, Any], saying: str
) -> None:
    galtea.sessions.create(version_id="v", custom_id="taken")
    with pytest.raises(HTTPError) as error:
        galtea.sessions.create(version_id="v", **fields)
    assert status_of(error) == 400
    assert saying in error.value.response.json()["message"]
    assert not isinstance(error.value, EntityNotFoundException)


def test_an_unknown_status_is_an_http_error(galtea: Galtea) -> None:
    created = galtea.sessions.create(version_id="v")
    with pytest.raises(HTTPError) as error:
        galtea.sessions.update(created.id, status="ARCHIVED")
    assert status_of(error) == 400
    with pytest.raises(HTTPError) as error:
        galtea.sessions.list(version_id="v", status="ARCHIVED")
    assert status_of(error) == 400


@pytest.mark.parametrize("key", ["gsk_unknown", "gsk_expired", "key"])
def test_an_unknown_key_is_refused(strict: App, connect: Callable[..., Galtea], key: str) -> None:
    with pytest.raises(HTTPError) as error:
        connect(strict, key).sessions.create(version_id="v")
    assert status_of(error) == 401


def test_an_unknown_reference_raises_entity_not_found_in_strict_mode(
    make_app: MakeApp, connect: Callable[..., Galtea]
) -> None:
    app = make_app(galtea_references="strict")
    app.seed(SEED)
    client = connect(app)
    with pytest.raises(EntityNotFoundHTTPError, match="Version not found: elsewhere"):
        client.sessions.create(version_id="elsewhere")
    assert client.sessions.create(version_id="version_v1").version_id == "version_v1"


def test_a_session_that_closed_by_itself(make_app: MakeApp, connect: Callable[..., Galtea]) -> None:
    app = make_app(galtea_auto_close_minutes=30)
    client = connect(app)
    created = client.sessions.create(version_id="v")
    app.advance(minutes=30)
    closed = client.sessions.get(created.id)
    assert closed.status is SessionStatus.COMPLETED
    assert closed.stopping_reason == "Automatically closed after 30 minutes of inactivity"
    assert client.sessions.list(version_id="v", status="completed") == [closed]


def test_the_simulator_reopens_a_finished_session(galtea: Galtea) -> None:
    created = galtea.sessions.create(version_id="v", test_case_id="tc")
    galtea.sessions.finish(created.id)
    # The server simulates no conversation: its first turn fails, after the session's own calls.
    with pytest.raises(Exception, match="Simulation failed"):
        galtea.simulator.simulate(created.id, agent=lambda text: text, max_turns=1)
    assert galtea.sessions.get(created.id).status is SessionStatus.PENDING
