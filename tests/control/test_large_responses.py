"""Large responses: made on another thread, item by item, and kept in files."""

import gc
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, IncompleteRead
from typing import Any
from urllib.parse import urlsplit

import pytest

from sessionary.embedded import EmbeddedServer
from sessionary.web import spool
from sessionary.web.held import LARGE, LOAD, MEDIUM
from tests.conftest import MakeApp
from tests.control.conftest import GALTEA, MOBILENEXT, NOTTE, SCALE, Double
from tests.control.fault_helpers import arm
from tests.processes import TIMEOUT_SECONDS, Process

LISTS = {
    "/scale/v4/sessions?limit=2": SCALE,
    "/galtea/sessions?limit=2": GALTEA,
    "/galtea/sessions?offset=9": GALTEA,
    "/notte/sessions?page_size=2": NOTTE,
    "/notte/sessions?page_size=3": NOTTE,
    "/mobilenext/api/v1/sessions?limit=2": MOBILENEXT,
    "/mobilenext/api/v1/sessions?limit=3": MOBILENEXT,
    "/_control/v1/sessions?limit=4": {},
    "/_control/v1/journal?limit=4": {},
    "/_control/v1/journal?surface=scale": {},
}


@pytest.mark.parametrize("path", LISTS)
def test_a_list_that_is_encoded_item_by_item_is_the_same(double: Double, path: str) -> None:
    android = {"filters": [{"attribute": "platform", "operator": "EQUALS", "value": "android"}]}
    for number in range(3):
        body = {"title": f"\u20ac {number}", "state": {}, "account_id": "a"}
        double.client.post("/scale/v4/sessions", json=body, headers=SCALE)
        double.client.post("/galtea/sessions", json={"versionId": "v"}, headers=GALTEA)
        double.client.post("/notte/sessions/start", json={}, headers=NOTTE)
        made = double.client.post("/mobilenext/api/v1/sessions", headers=MOBILENEXT).json
        devices = f"/mobilenext/api/v1/sessions/{made['id']}/devices"
        assert double.client.post(devices, json=android, headers=MOBILENEXT).status_code == 201

    def get(environ: dict[str, Any]) -> bytes:
        given = double.client.get(path, headers=LISTS[path], environ_overrides=environ)
        assert given.status_code == 200, given.text
        return given.data

    small = get({})
    assert [get({LOAD: load}) for load in (MEDIUM, LARGE)] == [small, small]


def create_large(double: Double, count: int = 2, **state: Any) -> None:
    """Create Scale sessions of 400 KB."""
    for _ in range(count):
        body = {"title": "t", "state": {**state, "text": "x" * 400_000}, "account_id": "a"}
        assert double.client.post("/scale/v4/sessions", json=body, headers=SCALE).status_code == 200


def test_a_large_response_can_be_truncated_and_is_recorded_without_its_items(
    double: Double,
) -> None:
    create_large(double)
    arm(double, "scale", kind="truncated", times=1)
    with EmbeddedServer(double.app) as server:
        connection = HTTPConnection(urlsplit(server.url).netloc, timeout=30)
        found = []
        for _ in range(2):
            connection.request("GET", "/scale/v4/sessions", headers=SCALE)
            try:
                found.append(connection.getresponse().read())
            except IncompleteRead as error:
                found.append(error.partial)
                connection.close()
        connection.close()
    assert found[0] == found[1][: len(found[1]) // 2]
    for call in double.calls()[-2:]:
        assert (call["response_bytes"], call["response_truncated"]) == (len(found[1]), True)
        assert call["response"] == '{"items":'


def test_the_first_whole_items_of_a_large_response_are_recorded_without_secrets(
    double: Double,
) -> None:
    for _ in range(20):
        body = {"title": "t", "state": {"token": "secret" * 5000}, "account_id": "a"}
        double.client.post("/scale/v4/sessions", json=body, headers=SCALE)
    double.client.get("/scale/v4/sessions", headers=SCALE)
    call = double.newest_call()
    assert call["response_bytes"] > spool.MEMORY_BYTES
    assert call["response"].count('"token":"[redacted]"') == 2
    assert "secret" not in call["response"]


@pytest.mark.parametrize(
    ("path", "items"), [("/scale/v4/sessions", "items"), ("/_control/v1/sessions", "sessions")]
)
def test_calls_in_the_namespace_go_on_while_a_large_list_of_its_state_is_made(
    double: Double, monkeypatch: pytest.MonkeyPatch, path: str, items: str
) -> None:
    create_large(double)
    is_begun, may_go_on, collect = threading.Event(), threading.Event(), spool.collect

    def wait_and_collect(*given: Any, **options: Any) -> Any:
        is_begun.set()
        assert may_go_on.wait(TIMEOUT_SECONDS)
        return collect(*given, **options)

    monkeypatch.setattr(spool, "collect", wait_and_collect)
    with EmbeddedServer(double.app) as server, ThreadPoolExecutor(1) as pool:
        process = Process(None, server.url)  # type: ignore[arg-type]
        large = pool.submit(process.request, "GET", path, **SCALE)
        assert is_begun.wait(TIMEOUT_SECONDS)
        body = {"title": "t", "account_id": "a", "state": {}}
        assert process.request("POST", "/scale/v4/sessions", body, **SCALE)[0] == 200
        may_go_on.set()
        assert len(large.result()[1][items]) == 2
        assert len(process.request("GET", path, **SCALE)[1][items]) == 3
    assert {each["status"] for each in double.calls()} == {200}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_space_of_a_large_response_is_free_once_it_is_closed(
    double: Double, method: str
) -> None:
    create_large(double)
    gc.collect()  # a response of an earlier test
    before = spool._add_to_total(0)
    response = double.client.open("/scale/v4/sessions", method=method, headers=SCALE)
    assert response.status_code == 200
    response.close()
    assert spool._add_to_total(0) == before


def test_a_response_that_is_collected_as_garbage_while_others_are_counted_waits_for_nothing() -> (
    None
):
    body: Any = spool.keep(b"x" * 1000)
    assert isinstance(body, spool.Spool)
    before = spool._add_to_total(0)
    collecting = threading.Thread(target=body.__del__, daemon=True)
    with spool._total_lock:
        collecting.start()
        collecting.join(TIMEOUT_SECONDS)
        assert not collecting.is_alive()
    assert spool._add_to_total(0) == before - 1000


@pytest.mark.parametrize(
    ("kind", "name", "value", "why"),
    [
        (spool, "MAX_TOTAL_BYTES", -1, "that clients do not read fill their space"),
        (tempfile, "tempdir", "/missing", "cannot be written: "),
        (spool, "MAX_WAIT_SECONDS", -1, "have waited too long for each other"),
        (spool, "_MAX_SECONDS", -1, "was not made in -1 seconds"),
    ],
    ids=["space", "file", "wait", "time"],
)
def test_a_large_response_is_refused_in_its_own_words_and_is_no_outage(
    double: Double,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    kind: Any,
    name: str,
    value: Any,
    why: str,
) -> None:
    create_large(double)
    monkeypatch.setattr(kind, name, value)
    refused = double.client.get("/scale/v4/sessions", headers=SCALE)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert "too large to be made at the moment" in refused.text
    (record,) = caplog.records
    assert why in record.message
    assert "database" not in record.message


def test_a_response_that_fits_is_answered_while_unread_ones_fill_their_space(
    double: Double, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_large(double)
    monkeypatch.setattr(spool, "MAX_TOTAL_BYTES", spool._add_to_total(0) + 500_000)
    assert double.client.get("/scale/v4/sessions", headers=SCALE).status_code == 503
    assert double.client.get("/scale/v4/sessions?limit=1", headers=SCALE).status_code == 200


def test_a_call_that_is_made_again_counts_once_in_the_rate_limit(make_app: MakeApp) -> None:
    app = make_app(rate_limit=3)
    body = {"title": "t", "state": {"text": "x" * 400_000}, "account_id": "a"}
    assert app.client.post("/scale/v4/sessions", json=body, headers=SCALE).status_code == 200
    statuses = [app.client.get("/scale/v4/sessions", headers=SCALE).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]
