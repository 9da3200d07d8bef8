"""Applications on some surfaces only: what they serve and store, and their settings."""

from contextlib import closing
from dataclasses import replace

import pytest

from sessionary import Settings, create_app, make_settings
from sessionary.factory.startup import make_schema
from sessionary.store import Database
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


def test_a_version_whose_surface_is_left_out_has_an_empty_migration() -> None:
    def migrate(_: Database) -> None: ...

    assert make_schema(SURFACES).version == 2
    assert make_schema((BY_NAME["notte"],)).version == 1
    later = replace(BY_NAME["notte"], migrations={3: migrate})
    schema = make_schema((later,))
    assert (schema.version, len(schema.migrations), schema.migrations[1]) == (3, 2, migrate)
