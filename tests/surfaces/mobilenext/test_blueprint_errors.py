"""Errors: the envelope, their order, and that they write nothing."""

from typing import Any

import peewee as pw
import pytest

from tests.conftest import App
from tests.surfaces.mobilenext.api_client import Calls, error_of, filters_by_name

UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"


def test_errors_are_checked_in_the_documented_order(strict: App) -> None:
    """401, 404 or 405 of the path, 400, 403, 404 of the row, 409."""
    held = Calls(strict, "mob_ana").hold()
    Calls(strict, "mob_ana").release(held["id"], held["device"]["id"])
    unknown = Calls(strict, "mob_unknown", organization="mars")
    stranger = Calls(strict, "mob_ana", organization="mars")
    looker, worker = Calls(strict, "mob_rob"), Calls(strict, "mob_ana")
    bad: dict[str, Any] = {"json": {"filters": []}}
    path, nowhere = f"/sessions/{held['id']}/devices", f"/sessions/{UNKNOWN_ID}/devices"
    assert error_of(unknown.post("/nowhere"))[0] == 401
    assert error_of(unknown.post(path, **bad))[0] == 401
    assert error_of(stranger.post("/nowhere", **bad))[0] == 404
    assert error_of(stranger.post(path, **bad))[0] == 400
    assert error_of(stranger.get("/sessions?limit=0"))[0] == 400
    assert error_of(looker.post(path, **bad))[0] == 400
    assert error_of(looker.allocate(UNKNOWN_ID))[0] == 403
    assert error_of(looker.release(UNKNOWN_ID, "x")) == (403, "forbidden")
    assert error_of(worker.post(nowhere, **bad))[0] == 400
    assert error_of(worker.allocate(UNKNOWN_ID))[0] == 404
    taken = filters_by_name(worker.hold()["device"]["name"])
    assert error_of(worker.allocate(held["id"], *taken)) == (409, "no_device_available")


def test_two_sessions_can_never_have_the_same_created_at(app: App, calls: Calls) -> None:
    calls.hold()
    calls.hold()
    with app.namespace.activate(), pytest.raises(pw.IntegrityError, match="UNIQUE"):
        app.namespace.database.run("UPDATE mobilenext_sessions SET created_at = 1")
