"""The vendor's own SDK, unmodified, against a server on a real socket.

It has no typed sessions resource: its users reach one with the generic verbs, as here.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Literal

import peewee as pw
import pytest
import scale_gp
from scale_gp import BaseModel, SGPClient
from scale_gp.pagination import SyncPageResponse

from tests.conftest import App, MakeApp, Serve
from tests.identities import BOT
from tests.surfaces.scale.conftest import SEED, UNKNOWN_ID

BODY = {"title": "t", "state": {}, "account_id": "acme"}
Connect = Callable[..., SGPClient]


class Session(BaseModel):
    id: str
    title: str
    state: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    created_by_user_id: str
    created_by_identity_type: Literal["user", "service_account"]
    account_id: str
    start_date: datetime | None = None
    end_date: datetime | None = None
    archived_at: datetime | None = None


class Deleted(BaseModel):
    count: int
    success: bool


class Page(SyncPageResponse[Session]):
    total_item_count: int
    items_per_page: int


@pytest.fixture
def connect(serve: Serve) -> Iterator[Connect]:
    """Make clients of a served app that validate responses strictly and never retry."""
    opened: list[SGPClient] = []

    def connected(app: App, **options: Any) -> SGPClient:
        client = SGPClient(
            **{
                "base_url": serve(app) + "/scale",
                "api_key": "anything",
                "max_retries": 0,
                "_strict_response_validation": True,
                **options,
            }
        )
        opened.append(client)
        return client

    yield connected
    for client in opened:
        client.close()


def create(client: SGPClient, account_id: str = "acme", **fields: Any) -> Session:
    body = {**BODY, "account_id": account_id, **fields}
    return client.post("/v4/sessions", body=body, cast_to=Session)


def pages(client: SGPClient, **query: Any) -> Page:
    return client.get_api_list("/v4/sessions", model=Session, page=Page, options={"params": query})


def test_create_get_list_update_archive(app: App, connect: Connect) -> None:
    client = connect(app)
    made = create(client, title="Review", state={"step": 1}, start_date="2026-03-01T09:00:00Z")
    assert made.start_date == datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert (made.end_date, made.archived_at) == (None, None)
    path = f"/v4/sessions/{made.id}"
    assert client.get(path, cast_to=Session) == made
    app.advance(minutes=1)
    after = client.patch(path, body={"state": {"step": 2}, "start_date": None}, cast_to=Session)
    assert (after.state, after.title, after.start_date) == ({"step": 2}, "Review", None)
    assert (after.updated_at - made.updated_at).total_seconds() == 60
    assert client.delete(path, cast_to=Deleted) == Deleted(count=1, success=True)
    assert client.delete(path, cast_to=Deleted) == Deleted(count=0, success=True)
    assert client.get(path, cast_to=Session).archived_at is not None
    assert list(pages(client)) == []
    restored = client.patch(path, body={"restore": True}, cast_to=Session)
    assert restored.archived_at is None
    assert list(pages(client)) == [restored]


def test_a_walk_over_all_pages_ends_and_has_every_session_once(app: App, connect: Connect) -> None:
    client = connect(app)
    made = [create(client, f"account-{number % 2}").id for number in range(7)]
    assert [each.id for each in pages(client, limit=3)] == made
    assert [each.id for each in pages(client, limit=7)] == made
    assert [each.id for each in pages(client, account_id="account-1")] == made[1::2]
    walked = [page.current_page for page in pages(client, limit=3).iter_pages()]
    assert walked == [1, 2, 3, 4]
    assert pages(client, limit=3).total_item_count == 7


def test_booleans_in_its_queries_are_accepted(app: App, connect: Connect) -> None:
    client = connect(app)
    made = create(client)
    client.delete(f"/v4/sessions/{made.id}", cast_to=Deleted)
    assert [each.id for each in pages(client, include_archived=True)] == [made.id]
    assert list(pages(client, include_archived=False)) == []


def test_environment_variables_alone_configure_the_client(
    app: App, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.seed(SEED)
    monkeypatch.setenv("SGP_CLIENT_BASE_URL", serve(app))
    monkeypatch.setenv("SGP_API_KEY", "bot")
    monkeypatch.setenv("SGP_ACCOUNT_ID", "acme")
    with SGPClient(_strict_response_validation=True) as client:
        made = create(client, client.account_id or "")
    assert (made.created_by_user_id, made.created_by_identity_type) == (BOT, "service_account")
    assert made.account_id == "acme"


def test_the_header_of_the_client_selects_an_account(app: App, connect: Connect) -> None:
    client = connect(app)
    create(client, "one")
    made = create(client, "two")
    headers = {"x-selected-account-id": "two"}
    page = client.get_api_list(
        "/v4/sessions", model=Session, page=Page, options={"headers": headers}
    )
    assert list(page) == [made]


def test_a_state_of_any_shape_comes_back_equal(app: App, connect: Connect) -> None:
    state = {"b": [None, {"": {}}], "a": 2**60, "$set": {"__proto__": "\u2028"}, "f": 0.1}
    made = create(connect(app), state=state)
    assert made.state == state
    assert list(made.state) == list(state)


@pytest.mark.parametrize(
    ("key", "method", "path", "body", "error"),
    [
        ("unknown", "get", "/v4/sessions", None, scale_gp.AuthenticationError),
        ("rob", "post", "/v4/sessions", {}, scale_gp.UnprocessableEntityError),
        ("rob", "post", "/v4/sessions", BODY, scale_gp.PermissionDeniedError),
        ("ana", "get", f"/v4/sessions/{UNKNOWN_ID}", None, scale_gp.NotFoundError),
        ("ana", "get", "/v4/nothing", None, scale_gp.NotFoundError),
        ("ana", "delete", f"/v4/sessions/{UNKNOWN_ID}", None, scale_gp.NotFoundError),
    ],
)
def test_an_error_status_raises_the_client_s_error_class(
    strict: App,
    connect: Connect,
    key: str,
    method: str,
    path: str,
    body: Any,
    error: type[scale_gp.APIStatusError],
) -> None:
    client = connect(strict, api_key=key)
    with pytest.raises(error) as refused:
        getattr(client, method)(path, cast_to=Session, **({} if body is None else {"body": body}))
    assert isinstance(refused.value.body, dict)
    assert set(refused.value.body) == {"detail"}


def test_a_patch_of_an_archived_session_is_a_bad_request(app: App, connect: Connect) -> None:
    client = connect(app)
    path = f"/v4/sessions/{create(client).id}"
    client.delete(path, cast_to=Deleted)
    with pytest.raises(scale_gp.BadRequestError, match="archived"):
        client.patch(path, body={"title": "new"}, cast_to=Session)


def test_the_client_shows_each_violation(app: App, connect: Connect) -> None:
    with pytest.raises(scale_gp.UnprocessableEntityError) as refused:
        connect(app).post("/v4/sessions", body={"title": 5, "state": {}}, cast_to=Session)
    assert [each["loc"] for each in refused.value.body["detail"]] == [
        ["body", "title"],
        ["body", "account_id"],
    ]


def test_a_state_over_its_limit_is_413(make_app: MakeApp, connect: Connect) -> None:
    client = connect(make_app(scale_max_state_bytes=100))
    with pytest.raises(scale_gp.APIStatusError) as refused:
        create(client, state={"x": "y" * 100})
    assert refused.value.status_code == 413


def test_a_busy_database_is_a_server_error_and_nothing_is_written(
    make_file_app: MakeApp, connect: Connect
) -> None:
    app = make_file_app(busy_timeout_seconds=0.01)
    other = pw.SqliteDatabase(app.namespace.database.database)
    other.execute_sql("BEGIN IMMEDIATE")
    with pytest.raises(scale_gp.InternalServerError) as refused:
        create(connect(app))
    assert refused.value.status_code == 503
    assert refused.value.response.headers["retry-after-ms"] == "1000"
    other.rollback()
    other.close()
    assert list(pages(connect(app))) == []


def test_strict_validation_finds_a_missing_field(app: App, connect: Connect) -> None:
    class Wider(Session):
        something_else: str

    client = connect(app)
    made = create(client)
    with pytest.raises(scale_gp.APIResponseValidationError):
        client.get(f"/v4/sessions/{made.id}", cast_to=Wider)
