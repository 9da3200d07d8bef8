"""Devices and Mobile Next sessions of the seed file."""

import tomllib
from contextlib import nullcontext
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from freezegun import freeze_time

from sessionary.seeds import loader
from sessionary.surfaces.mobilenext import devices
from tests.conftest import App, MakeApp
from tests.identities import ANA
from tests.seed_rows import ID, OTHER, row
from tests.surfaces.mobilenext.api_client import (
    IOS,
    Calls,
    contents,
    device,
    error_of,
    filters_by_name,
)

session = partial(row, "mobilenext.sessions")


@pytest.fixture
def ana(strict: App) -> Calls:
    return Calls(strict, "mob_ana")


def serials(app: App, *, retired: bool = False) -> list[str]:
    with app.namespace.activate():
        return [each.serial for each in devices.list_devices() if bool(each.is_retired) is retired]


def test_a_seed_that_names_devices_replaces_the_default_ones(app: App) -> None:
    app.seed(device("A-1") + device("A-2"))
    assert serials(app) == ["A-1", "A-2"]
    assert serials(app, retired=True) == []


def test_a_seed_without_devices_leaves_the_default_ones(strict: App) -> None:
    assert len(serials(strict)) == 12


def test_default_devices_that_were_allocated_are_retired_instead(app: App, calls: Calls) -> None:
    held = calls.hold()
    app.seed(device("A-1"))
    assert serials(app) == ["A-1"]
    assert serials(app, retired=True) == ["emulator-5554"]
    assert calls.session(held["id"]) == held
    assert calls.release(held["id"], "emulator-5554").status_code == 202


def test_a_seeded_device_may_be_one_of_the_default_ones(app: App, calls: Calls) -> None:
    calls.hold()
    app.seed(device("emulator-5554") + device("emulator-5556"))
    assert serials(app) == ["emulator-5554", "emulator-5556"]
    app.seed(device("A-1"))
    assert serials(app) == ["emulator-5554", "emulator-5556", "A-1"]


def test_a_seed_never_removes_what_an_operator_added(app: App) -> None:
    with app.namespace.activate():
        devices.add(serial="B-1", platform="ios", type="real", name="iPhone", version="18")
    for _ in range(2):
        app.seed(device("A-1"))
        assert serials(app) == ["B-1", "A-1"]


def test_a_seeded_device_is_updated_from_the_file(app: App) -> None:
    app.seed(device("A-1"))
    app.seed(device("A-1", version="19") + device("A-2", retired=True))
    assert serials(app) == ["A-1"]
    assert serials(app, retired=True) == ["A-2"]
    with app.namespace.activate():
        assert devices.list_devices()[0].version == "19"


def test_a_seeded_session_is_active_and_can_be_released(strict: App, ana: Calls) -> None:
    strict.seed(session('created_ago = "3h"'))
    shown = ana.session(ID)
    assert shown["user"] == ANA
    assert shown["device"]["id"] == "emulator-5554"
    assert shown["createdAt"] == "2026-03-01T09:00:00.000000Z"
    assert shown["releasedAt"] is None
    assert ana.page()["data"] == [shown]
    assert error_of(ana.allocate(ana.start(), *filters_by_name("Pixel 9"))) == (
        409,
        "no_device_available",
    )
    assert ana.release(ID, "emulator-5554").status_code == 202
    assert ana.session(ID)["releasedAt"] == "2026-03-01T12:00:00.000000Z"


def test_the_device_of_a_released_seeded_session_is_free(strict: App, ana: Calls) -> None:
    strict.seed(session('created_ago = "3h"; released_ago = "2h"'))
    assert ana.hold(*filters_by_name("Pixel 9"))["device"]["id"] == "emulator-5554"


def test_a_seeded_session_may_be_provisioning(strict: App, ana: Calls) -> None:
    strict.seed(device("A-1", provision_seconds=60))
    strict.seed(session('device = "A-1"; created_ago = "20s"'))
    assert ana.session(ID)["devices"][0]["status"] == "provisioning"
    strict.advance(seconds=40)
    assert ana.session(ID)["devices"][0]["status"] == "in_use"


def test_a_seeded_session_may_have_several_devices(strict: App, ana: Calls) -> None:
    further = (
        'further_devices = [{ device = "emulator-5556", created_ago = "2h", released_ago = "1h" },'
        ' { device = "emulator-5558", created_ago = "90m" }]'
    )
    strict.seed(session(f'created_ago = "3h"; released_ago = "2h"; {further}'))
    shown = ana.session(ID)
    assert [each["status"] for each in shown["devices"]] == ["released", "released", "in_use"]
    assert shown["device"]["id"] == "emulator-5554"
    assert shown["releasedAt"] is None
    ana.release(ID, "emulator-5558")
    assert ana.session(ID)["releasedAt"] == "2026-03-01T12:00:00.000000Z"


def test_a_seeded_session_may_be_empty(strict: App, ana: Calls) -> None:
    strict.seed(session('device =; created_ago = "10m"'))
    strict.seed(session(f'id = "{OTHER}"; device =; created_ago = "10m"; empty_minutes = 10'))
    assert ana.get(f"/sessions/{OTHER}/devices").status_code == 404
    assert ana.get(f"/sessions/{ID}/devices").json["data"] == []
    assert ana.allocate(ID).status_code == 201
    strict.seed(session('device =; created_ago = "10m"'))
    assert ana.session(ID)["releasedAt"] is None


def test_seeded_sessions_of_one_instant_are_a_microsecond_apart(strict: App, ana: Calls) -> None:
    over = 'released_ago = "1h"'
    strict.seed(session(over) + session(f'id = "{OTHER}"; {over}'))
    assert ana.listed() == [OTHER, ID]
    assert ana.session(OTHER)["createdAt"] == "2026-03-01T11:00:00.000001Z"
    assert ana.session(OTHER)["releasedAt"] == "2026-03-01T11:00:00.000001Z"


def test_a_new_session_is_listed_before_every_seeded_one(strict: App, ana: Calls) -> None:
    strict.seed(session('created_ago = "0s"'))
    held = ana.hold()
    assert ana.listed() == [held["id"], ID]
    assert held["createdAt"] == "2026-03-01T12:00:00.000001Z"


def test_new_sessions_are_listed_before_seeded_ones_when_the_wall_clock_steps_back(
    strict: App, ana: Calls
) -> None:
    strict.use_real_clock()
    with freeze_time("2026-03-02T12:00:00Z") as wall:
        strict.seed(session('created_ago = "0s"'))
        wall.tick(timedelta(seconds=-90))
        held = ana.hold()
    assert held["createdAt"] == "2026-03-02T12:00:00.000001Z"
    assert ana.listed() == [held["id"], ID]


def test_a_lease_stays_over_when_a_seeded_session_got_the_device_and_the_clock_moves_back(
    strict: App, ana: Calls
) -> None:
    strict.seed(session("lease_minutes = 30"))
    strict.seed(session(f'id = "{OTHER}"; created_ago = "20m"'))
    strict.advance(minutes=-45)
    assert ana.session(ID)["releasedAt"] == "2026-03-01T11:30:00.000000Z"
    assert ana.session(OTHER)["releasedAt"] is None


def test_applying_a_file_again_restores_a_seeded_session(strict: App, ana: Calls) -> None:
    text = session()
    strict.seed(text)
    ana.release(ID, "emulator-5554")
    strict.seed(text)
    assert ana.session(ID)["releasedAt"] is None


def test_a_session_whose_device_is_allocated_elsewhere_is_not_changed(ana: Calls) -> None:
    text = session()
    ana.app.seed(text)
    ana.release(ID, "emulator-5554")
    released = ana.session(ID)
    other = ana.hold(*filters_by_name("Pixel 9"))
    before = contents(ana.app)
    ana.app.seed(text)
    assert ana.session(ID) == released
    assert ana.session(other["id"]) == other
    assert contents(ana.app) == before


def test_the_file_does_not_release_a_session_with_a_further_device(strict: App, ana: Calls) -> None:
    strict.seed(session())
    phone = ana.allocate(ID, IOS).json["device"]["id"]
    strict.seed(session('released_ago = "5m"'))
    assert ana.session(ID)["releasedAt"] is None
    ana.release(ID, phone)
    assert ana.session(ID)["releasedAt"] == "2026-03-01T12:00:00.000000Z"


def test_the_example_seed_has_its_devices_and_session(make_app: MakeApp) -> None:
    example = Path(loader.__file__).with_name("example.toml")
    (shown,) = tomllib.loads(example.read_text())["mobilenext"]["sessions"]
    app = make_app(auth="strict", seed=str(example))
    assert serials(app) == ["emulator-5554", "00008130-000A1C"]
    calls = Calls(app, "mob_ana")
    assert calls.session(shown["id"])["device"]["id"] == "emulator-5554"
    assert calls.listed() == [shown["id"]]
    assert calls.allocate(calls.start(), IOS).status_code == 202


@pytest.mark.parametrize(
    ("first", "second", "is_refused"),
    [
        ('created_ago = "3h"; released_ago = "1h"', 'created_ago = "2h"', True),
        ('created_ago = "3h"; released_ago = "1h"', 'created_ago = "1h"', False),
        ('created_ago = "3h"; lease_minutes = 61', 'created_ago = "2h"', True),
        ('created_ago = "3h"; lease_minutes = 60', 'created_ago = "2h"', False),
        ('created_ago = "1h"', 'created_ago = "3h"; released_ago = "2h"', False),
        (
            'created_ago = "4h"; released_ago = "1h"',
            'created_ago = "3h"; released_ago = "2h"',
            True,
        ),
    ],
)
@pytest.mark.parametrize("is_stored", [False, True])
def test_two_sessions_cannot_hold_a_device_at_one_time_of_the_past(
    strict: App, first: str, second: str, is_refused: bool, is_stored: bool
) -> None:
    texts = [session(f'id = "{ID}"; {first}'), session(f'id = "{OTHER}"; {second}')]
    if is_stored:
        strict.seed(texts.pop(0))
    refused = pytest.raises(loader.BadSeed, match="held by another session in that time")
    with refused if is_refused else nullcontext():
        strict.seed("".join(texts))
