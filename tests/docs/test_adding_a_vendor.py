"""A fifth vendor, built from the text of docs/adding-a-vendor.md, without a shared module."""

import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import requests

import sessionary.surfaces
from sessionary import make_settings
from sessionary.settings import BadSetting
from sessionary.surfaces import SURFACES
from sessionary.testing import Server
from sessionary.testing.namespace import Namespace
from sessionary.web.surface import Surface
from tests.docs.documents import ROOT, blocks
from tests.docs.test_compatibility import ensure_calls_have_sources, ensure_fields_have_sources
from tests.test_conformity import MODULES

BLOCKS = blocks("python new-vendor", "docs/adding-a-vendor.md")
MAX_LINES = 500
START = "2030-01-01T00:00:00Z"
SEED = """
[[organizations]]
id = "acme-org"
name = "Acme"

[[acme.sessions]]
id = "5b0d3b0e-4c39-4a5e-9d53-0f6f5b6c0a01"
organization = "acme-org"
created_ago = "20m"
"""
READER = """
[[users]]
id = "5b0d3b0e-4c39-4a5e-9d53-0f6f5b6c0a02"
name = "Rob"
default_organization = "acme-org"
memberships = [{ organization = "acme-org", role = "readonly" }]

[[keys]]
secret = "acme_reader"
user = "5b0d3b0e-4c39-4a5e-9d53-0f6f5b6c0a02"
"""


def files() -> dict[str, str]:
    """The text of each module by its path, which is the first line of its block."""
    return {text.partition("\n")[0].removeprefix("# "): text for text in BLOCKS}


@pytest.fixture(scope="module")
def surface(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Surface]:
    """The Surface of the vendor, imported from a temporary folder."""
    folder = tmp_path_factory.mktemp("vendor")
    for path, text in files().items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        folders = [*sessionary.surfaces.__path__, str(folder / "surfaces")]
        patch.setattr(sessionary.surfaces, "__path__", folders)
        yield import_module("sessionary.surfaces.acme").make_surface()
    for name in [each for each in sys.modules if each.startswith("sessionary.surfaces.acme")]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def server(surface: Surface) -> Iterator[Server]:
    with Server(surfaces=(*SURFACES, surface), acme_timeout_minutes=10) as server:
        yield server


@pytest.fixture
def namespace(server: Server) -> Iterator[Namespace]:
    namespace = server.namespace(now=START)
    yield namespace
    namespace.drop()


def call(namespace: Namespace, method: str, path: str, **given: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {namespace.acme.key}", **given.pop("headers", {})}
    url = f"{namespace.acme.url}{path}"
    return requests.request(method, url, headers=headers, timeout=30, **given)


def start(namespace: Namespace) -> str:
    response = call(namespace, "POST", "/v1/sessions", json={"name": "first"})
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


def status(namespace: Namespace, session: str, at: str | None = None) -> str:
    headers = {} if at is None else {"Sessionary-At": at}
    response = call(namespace, "GET", f"/v1/sessions/{session}", headers=headers)
    return str(response.json()["status"])


def test_the_page_has_each_module_once_in_at_most_500_lines() -> None:
    names = sorted(f"surfaces/acme/{name}.py" for name in {"__init__", *MODULES})
    assert sorted(files()) == names
    assert len(BLOCKS) == len(names)
    assert sum(len(text.splitlines()) - 1 for text in BLOCKS) <= MAX_LINES


def test_the_page_keeps_the_rules_of_the_linter(tmp_path: Path) -> None:
    for path, text in files().items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.partition("\n")[2])
    options = ["--config", str(ROOT / "pyproject.toml")]
    first_party = ["--config", 'lint.isort.known-first-party = ["sessionary"]']
    for check in (["check", *first_party], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *check, *options, str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_each_call_and_field_has_a_source(surface: Surface) -> None:
    ensure_calls_have_sources(surface)
    ensure_fields_have_sources(surface)


def test_roles_hold(namespace: Namespace) -> None:
    namespace.seed(SEED + READER)
    headers = {"Authorization": "Bearer acme_reader"}
    listed = call(namespace, "GET", "/v1/sessions", headers=headers)
    assert len(listed.json()["items"]) == 1
    refused = call(namespace, "POST", "/v1/sessions", json={"name": "first"}, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, 403)


def test_a_session_expires_by_the_clock_and_stops_by_a_call(namespace: Namespace) -> None:
    session, other = start(namespace), start(namespace)
    assert call(namespace, "POST", f"/v1/sessions/{other}/stop").json()["status"] == "stopped"
    assert status(namespace, session) == "running"
    namespace.clock.advance(minutes=9, seconds=59, microseconds=999_999)
    assert status(namespace, session) == "running"
    namespace.clock.advance(microseconds=1)
    assert (status(namespace, session), status(namespace, other)) == ("expired", "stopped")
    late = call(namespace, "POST", f"/v1/sessions/{session}/stop")
    assert (late.status_code, late.json()["code"]) == (409, 409)
    listed = call(namespace, "GET", "/v1/sessions").json()["items"]
    assert [each["status"] for each in listed] == ["stopped", "expired"]


def test_a_read_is_answered_as_of_another_instant(namespace: Namespace) -> None:
    session = start(namespace)
    assert status(namespace, session, "+10m") == "expired"
    namespace.clock.advance("1h")
    assert status(namespace, session, "-1h") == "running"
    before = call(namespace, "GET", f"/v1/sessions/{session}", headers={"Sessionary-At": "-2h"})
    assert before.status_code == 404


def test_a_session_is_explained_and_its_transition_foreseen(namespace: Namespace) -> None:
    namespace.clock.advance("1m")
    session = start(namespace)
    explained = namespace.explain(session)
    assert (explained["status"], explained["surface"]) == ("running", "acme")
    assert explained["reason"] == "it ends at 2030-01-01T00:11:00.000000Z"
    assert explained["source"].startswith("Source: page")
    (transition,) = namespace.timeline()["transitions"]
    assert (transition["session"], transition["to_status"]) == (session, "expired")
    assert namespace.clock.advance_to_next()["now"] == "2030-01-01T00:11:00.000000Z"
    assert namespace.explain(session)["status"] == "expired"
    assert [each["status"] for each in namespace.sessions("acme")] == ["expired"]
    changed = namespace.diff(START)["changes"]
    assert [each["cause"] for each in changed] == ["call", "time"]


def test_its_lanes_and_the_meanings_of_its_statuses_are_in_the_control_plane(
    namespace: Namespace,
) -> None:
    session = start(namespace)
    control = f"{namespace.url}/~{namespace.namespace}/_control/v1"
    found = requests.get(f"{control}/lanes?surface=acme", timeout=30).json()["lanes"]
    ((surface, id, title, has_ended, segments),) = found
    assert (surface, id, title, has_ended) == ("acme", session, "first", False)
    assert [(status, by) for _, status, by in segments] == [
        ("running", "call"),
        ("expired", "timeout"),
    ]
    acme = requests.get(f"{control}/surfaces", timeout=30).json()[-1]
    meanings = {each["name"]: each["meaning"] for each in acme["statuses"]}
    assert meanings == {"running": "open", "stopped": "closed", "expired": "timed_out"}


def test_a_fault_is_injected_and_its_call_recorded(namespace: Namespace) -> None:
    namespace.faults.add(surface="acme", preset="rate_limited", times=1)
    refused = call(namespace, "GET", "/v1/sessions")
    assert (refused.status_code, refused.json()) == (429, {"code": 429, "message": "Slow down"})
    assert call(namespace, "GET", "/v1/sessions").status_code == 200
    recorded = namespace.journal.find(surface="acme")
    assert [each["status"] for each in recorded] == [429, 200]
    assert {each["route"] for each in recorded} == {"/v1/sessions"}


def test_a_key_is_left_out_of_the_journal(namespace: Namespace) -> None:
    secret = "acme_" + "k" * 30
    call(namespace, "POST", "/v1/sessions", json={"name": secret})
    (recorded,) = namespace.journal.find(surface="acme")
    assert secret not in str(recorded)


def test_its_rows_are_seeded(namespace: Namespace) -> None:
    assert namespace.seed(SEED) == 2
    (found,) = namespace.sessions("acme")
    assert found["status"] == "running"
    namespace.clock.advance("10m")
    assert namespace.explain(found["id"])["status"] == "expired"


def test_its_settings_are_flat_and_checked(surface: Surface) -> None:
    surfaces = (*SURFACES, surface)
    assert make_settings(surfaces=surfaces).vendors["acme"].timeout_minutes == 30
    with pytest.raises(BadSetting, match="acme_timeout_minutes must be from 1"):
        make_settings(surfaces=surfaces, acme_timeout_minutes=0)


def test_it_has_an_openapi_document(namespace: Namespace) -> None:
    document = call(namespace, "GET", "/openapi.json").json()
    assert document["info"]["title"] == "Acme sessions"
    assert {"/v1/sessions", "/v1/sessions/{session_id}"} <= document["paths"].keys()


def test_its_sdk_finds_the_namespace_by_its_environment(namespace: Namespace) -> None:
    variables = namespace.variables()
    assert variables["ACME_URL"] == namespace.acme.url
    assert variables["ACME_API_KEY"].startswith("acme_ns-")
    response = requests.get(
        f"{namespace.url}/acme/v1/sessions",
        headers={"Authorization": f"Bearer {variables['ACME_API_KEY']}"},
        timeout=30,
    )
    assert response.headers["Sessionary-Namespace"] == namespace.namespace
