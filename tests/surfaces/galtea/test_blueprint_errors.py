"""Error bodies, keys and organizations, the prefix and the root."""

from typing import Any

import pytest

from sessionary.web.instants import to_text
from tests.conftest import App
from tests.surfaces.galtea.conftest import NOWHERE, Api, assert_error


@pytest.mark.parametrize("key", ["gsk_ana", "gsk-ana", "gsk_zoe"])
def test_a_strict_server_accepts_its_own_keys(strict: App, key: str) -> None:
    assert Api(strict, key).list_ids() == []


def test_a_batch_with_a_foreign_session_deletes_nothing(ana: Api, zoe: Api) -> None:
    foreign, own = ana.create()["id"], zoe.create()["id"]
    before = ana.rows()
    assert_error(zoe.delete_batch([own, foreign]), 404, f"Sessions not found: {foreign}")
    assert ana.rows() == before


def test_the_error_is_the_name_of_the_status(api: Api) -> None:
    assert api.get(NOWHERE).json["error"] == "Not Found"
    assert api.post().json["error"] == "Bad Request"


def test_the_message_names_every_invalid_field(api: Api) -> None:
    message = api.post(versionId=5, status="x", metadata=[]).json["message"]
    assert all(f"{name}: " in message for name in ("versionId", "status", "metadata"))


def test_the_root_serves_galteas_sessions_except_nottes_calls(api: Api) -> None:
    assert api.call("DELETE", f"/sessions/{NOWHERE}").json["error"] == "Not Found"
    assert_error(api.call("GET", "/sessions/stop"), 404, "Session not found: stop")


@pytest.mark.parametrize("prefix", ["", "/galtea"])
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer gsk_x"}])
def test_the_sdk_version_needs_no_key(strict: App, prefix: str, headers: dict[str, str]) -> None:
    response = strict.client.get(f"{prefix}/minimum-sdk-version", headers=headers)
    assert response.status_code == 200
    assert response.json.keys() == {"latestSdkVersionPublished", "minimumSdkVersionSupported"}
    assert response.json["minimumSdkVersionSupported"] < "4"


def test_the_first_instant_of_the_namespace_has_milliseconds_like_every_other(api: Api) -> None:
    created_at: Any = api.call("GET", "/versions/v").json["createdAt"]
    with api.app.namespace.activate():
        ((began_at,),) = api.app.namespace.database.run("SELECT began_at FROM clock")
    assert created_at == f"{to_text(began_at)[:-4]}Z"
