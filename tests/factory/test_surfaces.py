"""Applications on some surfaces only: what they serve and store, and their settings."""

from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from sessionary import Settings, create_app, make_settings
from sessionary.factory.startup import make_schema
from sessionary.surfaces import SURFACES
from tests.conftest import App

BY_NAME = {surface.name: surface for surface in SURFACES}
LENIENT = Settings(db=":memory:", auth="lenient", durability="off")


def test_an_application_serves_its_own_surfaces_only() -> None:
    app = App(create_app(LENIENT, surfaces=(BY_NAME["notte"],)))
    key = {"Authorization": "Bearer anyone"}
    with closing(app.namespace):
        for path in ("/notte/session/start", "/session/start", "/sessions/start"):
            assert app.client.post(path, json={}, headers=key).status_code == 200, path
        for path in ("/galtea/sessions", "/sessions", "/scale/user-info", "/api/v1/sessions"):
            response = app.client.get(path, headers=key)
            assert (response.status_code, response.json["error"]) == (404, "not_found"), path


def test_an_application_has_the_default_settings_of_its_surfaces() -> None:
    app = App(create_app(LENIENT, surfaces=(BY_NAME["notte"],)))
    with closing(app.namespace):
        assert app.settings.vendors.keys() == {"notte"}
        assert app.settings.vendors["notte"].global_timeout_minutes == 30


def test_settings_of_a_vendor_are_unknown_without_its_surface() -> None:
    with pytest.raises(TypeError, match="galtea_references"):
        make_settings(surfaces=(BY_NAME["notte"],), galtea_references="strict")


def test_the_first_keys_are_those_of_the_surfaces(capsys: pytest.CaptureFixture[str]) -> None:
    app = App(create_app(Settings(db=":memory:"), surfaces=(BY_NAME["scale"],)))
    with closing(app.namespace):
        printed = capsys.readouterr().out
    assert printed.count("scale-") == 2
    assert "galtea" not in printed


def test_a_version_runs_the_migrations_of_all_surfaces_and_none_of_one_that_is_left_out() -> None:
    ran: list[str] = []

    def migrate(name: str, _: Any) -> None:
        ran.append(name)

    later = [
        replace(BY_NAME[name], migrations={4: partial(migrate, name)})
        for name in ("notte", "scale")
    ]
    assert make_schema(SURFACES).version == 4
    assert make_schema((replace(BY_NAME["notte"], migrations={}),)).version == 1
    schema = make_schema(later)
    assert (schema.version, len(schema.migrations)) == (4, 3)
    database: Any = None  # which these do not use
    schema.migrations[0](database)
    assert ran == []
    schema.migrations[2](database)
    assert ran == ["notte", "scale"]
