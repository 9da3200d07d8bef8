"""The control plane of a server: read only, and what it shows of the server."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sessionary import create_app, make_settings
from sessionary.settings import BadSetting
from tests.control.conftest import NOTTE, Double
from tests.processes import running_server

TOKEN = {"Authorization": "Bearer t"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """A factory of clients of servers with a control plane."""
    namespaces = []

    def make(**settings: Any) -> Any:
        given = {"db": str(tmp_path / "a.sqlite3"), "auth": "lenient", **settings}
        app = create_app(make_settings(control=True, control_token="t", **given))
        namespaces.append(app.extensions["sessionary"])
        return app.test_client()

    yield make
    for namespace in namespaces:
        namespace.close()


def test_a_read_only_control_plane_refuses_every_other_method(server: Callable[..., Any]) -> None:
    client = server(control_readonly=True, journal=True)
    for rule in client.application.url_map.iter_rules():
        if not rule.rule.startswith("/_control/v1/"):
            continue
        path = rule.rule.replace("<", "").replace(">", "").replace("id:call_id", "1")
        path = path.replace("id:fault_id", "1")
        for method in (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}:
            answer = client.open(path, method=method, headers=TOKEN)
            assert (answer.status_code, answer.content_type) == (403, "application/problem+json")
            assert "--control-readonly" in answer.json["detail"]
            assert client.open(path, method=method).status_code == 401
    for path in ("sessions", "lanes", "changes", "surfaces", "faults", "journal", "server"):
        assert client.get(f"/_control/v1/{path}", headers=TOKEN).status_code == 200, path
    assert client.get("/_control/v1/changes", headers=TOKEN).json["readonly"] is True
    assert client.post("/notte/session/start", json={}, headers=NOTTE).status_code == 200


def test_read_only_goes_with_a_control_plane_of_a_server() -> None:
    with pytest.raises(BadSetting, match="control_readonly needs control"):
        make_settings(control_readonly=True)


def test_the_flag_makes_a_server_read_only(tmp_path: Path) -> None:
    arguments = ("--db", str(tmp_path / "a.sqlite3"), "--control", "--control-readonly")
    with running_server(*arguments, SESSIONARY_CONTROL_TOKEN="t") as process:
        assert process.request("GET", "/_control/v1/clock", **TOKEN)[0] == 200
        body = {"by": "1h"}
        status, refused = process.request("POST", "/_control/v1/clock/advance", body, **TOKEN)
        assert (status, refused["title"]) == (403, "Forbidden")


def test_a_server_shows_its_database_devices_and_keys_without_secrets(
    server: Callable[..., Any],
) -> None:
    client = server(auth="strict")
    answer = client.get("/_control/v1/server", headers=TOKEN)
    found = answer.json
    database = found["database"]
    assert (database["file"], database["ready"], database["problem"]) == ("a.sqlite3", True, None)
    assert database["size_bytes"] > 4096
    assert found["readonly"] is False
    assert {(each["surface"], each["state"]) for each in found["devices"]} == {
        ("mobilenext", "free")
    }
    assert {each["state"] for each in found["keys"]} == {"open"}
    assert len(found["keys"]) >= 4
    with client.application.extensions["sessionary"].activate():
        hashes = client.application.extensions["sessionary"].database.run('SELECT hash FROM "key"')
        assert not any(each in answer.text for (each,) in hashes)


def test_a_double_has_no_server_to_show(double: Double) -> None:
    assert "double" in double.get("/server", status=409)["detail"]


def test_the_lanes_of_a_server_begin_now_and_its_past_is_refused(
    server: Callable[..., Any],
) -> None:
    client = server()
    client.post("/notte/session/start", json={}, headers=NOTTE)
    found = client.get("/_control/v1/lanes", headers=TOKEN).json
    assert found["history_begins_at"] == found["now"]
    ((_, _, _, ended, segments),) = found["lanes"]
    assert (ended, [status for _, status, _ in segments]) == (False, ["active", "timed_out"])
    early = client.get("/_control/v1/lanes?from=2020-01-01T00:00:00Z", headers=TOKEN).json
    assert early["from"] == "2020-01-01T00:00:00.000000Z"
    assert early["lanes"] == found["lanes"]
    past = client.get("/_control/v1/lanes", headers={**TOKEN, "Sessionary-At": "-1m"})
    assert (past.status_code, "keeps no history" in past.json["detail"]) == (400, True)
