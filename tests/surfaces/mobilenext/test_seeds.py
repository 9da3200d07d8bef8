"""Devices and Mobile Next sessions of the seed file."""

import tomllib
from datetime import timedelta
from pathlib import Path

import pytest
from freezegun import freeze_time

from sessionary.seeds.loader import BadSeed
from sessionary.surfaces.mobilenext import devices
from tests.conftest import App, MakeApp
from tests.identities import ANA
from tests.surfaces.mobilenext.api_client import (
    IOS,
    Calls,
    contents,
    device,
    error_of,
    filters_by_name,
)

ONE = "0b8f7a52-6f0e-4f0a-9d5c-0f6f5b6c0b01"
TWO = "0b8f7a52-6f0e-4f0a-9d5c-0f6f5b6c0b02"


def session(id: str = ONE, *lines: str, ago: str = "1h", on: str | None = "emulator-5554") -> str:
    given = [f'id = "{id}"', 'organization = "acme"', f'user = "{ANA}"', *lines]
    facts = {"created_ago": ago, "device": on}
    given += [f'{name} = "{value}"' for name, value in facts.items() if value]
    return "\n".join(["[[mobilenext.sessions]]", *given, ""])


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


def test_applying_a_seed_twice_changes_nothing(strict: App) -> None:
    text = device("A-1", provision_seconds=5) + device("A-2", retired=True)
    text += session(ONE, on="A-1")
    text += session(TWO, 'released_ago = "30m"', on="A-1")
    text += session(ONE.replace("b01", "b03"), on=None, ago="1m")
    strict.seed(text)
    before = contents(strict)
    for _ in range(2):
        strict.advance(minutes=7)
        strict.seed(text)
        assert contents(strict) == before


def test_a_seeded_device_is_updated_from_the_file(app: App) -> None:
    app.seed(device("A-1"))
    app.seed(device("A-1", version="19") + device("A-2", retired=True))
    assert serials(app) == ["A-1"]
    assert serials(app, retired=True) == ["A-2"]
    with app.namespace.activate():
        assert devices.list_devices()[0].version == "19"


def test_a_seeded_session_is_active_and_can_be_released(strict: App, ana: Calls) -> None:
    strict.seed(session(ONE, ago="3h"))
    shown = ana.session(ONE)
    assert shown["user"] == ANA
    assert shown["device"]["id"] == "emulator-5554"
    assert shown["createdAt"] == "2026-03-01T09:00:00.000000Z"
    assert shown["releasedAt"] is None
    assert ana.page()["data"] == [shown]
    assert error_of(ana.allocate(ana.start(), *filters_by_name("Pixel 9"))) == (
        409,
        "no_device_available",
    )
    assert ana.release(ONE, "emulator-5554").status_code == 202
    assert ana.session(ONE)["releasedAt"] == "2026-03-01T12:00:00.000000Z"


def test_a_seeded_session_may_be_released_long_ago(strict: App, ana: Calls) -> None:
    strict.seed(session(ONE, 'released_ago = "2h"', ago="3h"))
    shown = ana.session(ONE)
    assert shown["releasedAt"] == "2026-03-01T10:00:00.000000Z"
    assert shown["devices"][0]["status"] == "released"
    assert ana.hold(*filters_by_name("Pixel 9"))["device"]["id"] == "emulator-5554"


def test_a_seeded_session_may_be_provisioning(strict: App, ana: Calls) -> None:
    strict.seed(device("A-1", provision_seconds=60))
    strict.seed(session(ONE, on="A-1", ago="20s"))
    assert ana.session(ONE)["devices"][0]["status"] == "provisioning"
    strict.advance(seconds=40)
    assert ana.session(ONE)["devices"][0]["status"] == "in_use"


def test_a_seeded_session_may_have_a_lease(strict: App, ana: Calls) -> None:
    strict.seed(session(ONE, "lease_minutes = 30", ago="20m"))
    strict.seed(session(TWO, "lease_minutes = 30", on="emulator-5556", ago="2h"))
    assert ana.session(TWO)["releasedAt"] == "2026-03-01T10:30:00.000000Z"
    assert ana.session(ONE)["releasedAt"] is None
    strict.advance(minutes=10)
    assert ana.session(ONE)["releasedAt"] == "2026-03-01T12:10:00.000000Z"


def test_a_seeded_session_may_have_several_devices(strict: App, ana: Calls) -> None:
    further = (
        'further_devices = [{ device = "emulator-5556", created_ago = "2h", released_ago = "1h" },'
        ' { device = "emulator-5558", created_ago = "90m" }]'
    )
    strict.seed(session(ONE, 'released_ago = "2h"', further, ago="3h"))
    shown = ana.session(ONE)
    assert [each["status"] for each in shown["devices"]] == ["released", "released", "in_use"]
    assert shown["device"]["id"] == "emulator-5554"
    assert shown["releasedAt"] is None
    ana.release(ONE, "emulator-5558")
    assert ana.session(ONE)["releasedAt"] == "2026-03-01T12:00:00.000000Z"


def test_a_seeded_session_may_be_empty(strict: App, ana: Calls) -> None:
    strict.seed(session(ONE, on=None, ago="10m"))
    strict.seed(session(TWO, "empty_minutes = 10", on=None, ago="10m"))
    assert ana.get(f"/sessions/{TWO}/devices").status_code == 404
    assert ana.get(f"/sessions/{ONE}/devices").json["data"] == []
    assert ana.allocate(ONE).status_code == 201
    strict.seed(session(ONE, on=None, ago="10m"))
    assert ana.session(ONE)["releasedAt"] is None


def test_seeded_sessions_of_one_instant_are_a_microsecond_apart(strict: App, ana: Calls) -> None:
    over = 'released_ago = "1h"'
    strict.seed(session(ONE, over) + session(TWO, over))
    assert ana.listed() == [TWO, ONE]
    assert ana.session(TWO)["createdAt"] == "2026-03-01T11:00:00.000001Z"
    assert ana.session(TWO)["releasedAt"] == "2026-03-01T11:00:00.000001Z"


def test_a_new_session_is_listed_before_every_seeded_one(strict: App, ana: Calls) -> None:
    strict.seed(session(ONE, ago="0s"))
    held = ana.hold()
    assert ana.listed() == [held["id"], ONE]
    assert held["createdAt"] == "2026-03-01T12:00:00.000001Z"


def test_new_sessions_are_listed_before_seeded_ones_when_the_wall_clock_steps_back(
    strict: App, ana: Calls
) -> None:
    strict.use_real_clock()
    with freeze_time("2026-03-02T12:00:00Z") as wall:
        strict.seed(session(ONE, ago="0s"))
        wall.tick(timedelta(seconds=-90))
        held = ana.hold()
    assert held["createdAt"] == "2026-03-02T12:00:00.000001Z"
    assert ana.listed() == [held["id"], ONE]


def test_a_lease_stays_over_when_a_seeded_session_got_the_device_and_the_clock_moves_back(
    strict: App, ana: Calls
) -> None:
    strict.seed(session(ONE, "lease_minutes = 30"))
    strict.seed(session(TWO, ago="20m"))
    strict.advance(minutes=-45)
    assert ana.session(ONE)["releasedAt"] == "2026-03-01T11:30:00.000000Z"
    assert ana.session(TWO)["releasedAt"] is None


def test_applying_a_file_again_restores_a_seeded_session(strict: App, ana: Calls) -> None:
    text = session(ONE)
    strict.seed(text)
    ana.release(ONE, "emulator-5554")
    strict.seed(text)
    assert ana.session(ONE)["releasedAt"] is None


def test_a_session_whose_device_is_allocated_elsewhere_is_not_changed(ana: Calls) -> None:
    text = session(ONE)
    ana.app.seed(text)
    ana.release(ONE, "emulator-5554")
    released = ana.session(ONE)
    other = ana.hold(*filters_by_name("Pixel 9"))
    before = contents(ana.app)
    ana.app.seed(text)
    assert ana.session(ONE) == released
    assert ana.session(other["id"]) == other
    assert contents(ana.app) == before


def test_the_file_does_not_release_a_session_with_a_further_device(strict: App, ana: Calls) -> None:
    strict.seed(session(ONE))
    phone = ana.allocate(ONE, IOS).json["device"]["id"]
    strict.seed(session(ONE, 'released_ago = "5m"'))
    assert ana.session(ONE)["releasedAt"] is None
    ana.release(ONE, phone)
    assert ana.session(ONE)["releasedAt"] == "2026-03-01T12:00:00.000000Z"


WRONG = [
    (session(ONE, on="nope"), "device 'nope' does not exist"),
    (session(ONE).replace("acme", "nowhere"), "organization 'nowhere' does not exist"),
    (session(ONE).replace(ANA, TWO), f"user '{TWO}' does not exist"),
    (session("nope"), "id"),
    (session(ONE, ago=""), "created_ago: is required"),
    (session(ONE, ago="soon"), "created_ago: must be a duration"),
    (session(ONE, "colour = 1"), "colour: is not a known field"),
    (session(ONE, 'released_ago = "2h"'), "released_ago is before"),
    (session(ONE, "lease_minutes = 0"), "lease_minutes"),
    (session(ONE, 'released_ago = "29m"', "lease_minutes = 30"), "the lease ends before"),
    (session(ONE, 'released_ago = "1m"', on=None), "needs a device"),
    (session(ONE, "lease_minutes = 5", on=None), "needs a device"),
    (
        session(ONE, 'further_devices = [{ device = "emulator-5556", created_ago = "2h" }]'),
        "further device's created_ago is before",
    ),
    (
        session(ONE, 'further_devices = [{ device = "emulator-5554", created_ago = "5m" }]'),
        "held twice",
    ),
    (session(ONE) + session(TWO), "device 'emulator-5554' is held by another session"),
    (device("a/b"), "serial"),
    (device("A-1", provision_seconds=-1), "provision_seconds"),
    (device("A-1").replace("ios", "windows"), "platform"),
    (device("A-1").replace('"18"', "18"), "version"),
]


def test_an_invalid_seed_is_rejected_with_a_reason_and_nothing_is_applied(
    strict: App, subtests: pytest.Subtests
) -> None:
    before = contents(strict)
    for text, said in WRONG:
        with subtests.test(said=said):
            with pytest.raises(BadSeed, match=said):
                strict.seed(device("A-9") + text if text.startswith("[[devices") else text)
            assert contents(strict) == before


def test_the_example_seed_has_its_devices_and_session(make_app: MakeApp) -> None:
    example = Path(__file__).parents[2] / "seed.example.toml"
    (shown,) = tomllib.loads(example.read_text())["mobilenext"]["sessions"]
    app = make_app(auth="strict", seed=str(example))
    assert serials(app) == ["emulator-5554", "00008130-000A1C"]
    calls = Calls(app, "mob_ana")
    assert calls.session(shown["id"])["device"]["id"] == "emulator-5554"
    assert calls.listed() == [shown["id"]]
    assert calls.allocate(calls.start(), IOS).status_code == 202
