"""The devices of an installation: a dozen from the start, then what operators and seeds say."""

import re
from typing import Any

import peewee as pw
from marshmallow import ValidationError, validate

from sessionary import clock, store
from sessionary.seeds.schemas import SeedRow
from sessionary.surfaces.mobilenext import queries, rules
from sessionary.surfaces.mobilenext.models import Allocation, Device, DeviceRow
from sessionary.web.fields import Bounds, Integer, OneOf, Text, problem, problems

PLATFORMS = ("android", "ios")
TYPES = ("real", "simulator", "emulator")
_SERIAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}", re.ASCII)
_DEFAULT = (
    ("emulator-5554", "android", "emulator", "Pixel 9", "16"),
    ("emulator-5556", "android", "emulator", "Pixel 8", "15"),
    ("emulator-5558", "android", "emulator", "Pixel 7a", "14"),
    ("emulator-5560", "android", "emulator", "Pixel 5", "13"),
    ("57121FDCH000A1", "android", "real", "Pixel 10 Pro", "16"),
    ("R5CY40A1B2C", "android", "real", "Galaxy S25", "15"),
    ("RFCX70D4E5F", "android", "real", "Galaxy A55", "14"),
    ("8F7A52E1", "android", "real", "OnePlus 11", "13"),
    ("00008150-000A4D2E3C78401C", "ios", "real", "iPhone 17 Pro", "26.1"),
    ("00008140-001C51D80E33001C", "ios", "real", "iPhone 16", "18.6.2"),
    ("00008110-000E28D43A62801E", "ios", "real", "iPhone 13", "17.7.2"),
    ("6D0F3F0E-5B1A-4C55-9A43-0F6F5B6C0D12", "ios", "simulator", "iPhone 16e", "18.5"),
)


class BadDevice(ValueError):
    """A device that the catalogue cannot take; says why."""


class Serial(Text):
    """What a device is called by, also in a path: letters, digits and `. _ : -`."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, *args, **kwargs)
        if not _SERIAL.fullmatch(text):
            raise problem("value", "must be up to 128 letters, digits and . _ : -")
        return text


class Version(Text):
    """An OS version that others can be compared with."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, *args, **kwargs)
        if not rules.is_version(text):
            raise problem("value", "must be numbers and dots, such as 18.6.2")
        return text


class DeviceFacts(SeedRow):
    """What is known of a device. Assumed: two platforms, and a version that is numbers."""

    serial = Serial(required=True)
    platform = Text(required=True, validate=OneOf(PLATFORMS))
    type = Text(required=True, validate=OneOf(TYPES))
    name = Text(required=True, validate=validate.Length(min=1))
    version = Version(required=True)
    provision_seconds = Integer(load_default=0, validate=Bounds(0, 86_400))


def first_rows() -> None:
    """The dozen of a new namespace: both platforms, several versions, all ready."""
    names = ("serial", "platform", "type", "name", "version")
    rows = [dict(zip(names, row, strict=True)) for row in _DEFAULT]
    added = {"provision_seconds": 0, "is_default": 1, "is_retired": 0}
    Device.insert_many([{**row, **added} for row in rows]).execute()


def add(
    *, serial: str, platform: str, type: str, name: str, version: str, provision_seconds: int = 0
) -> None:
    """Add a device, or bring a retired one back as it is now. Raises BadDevice."""
    given = {
        "serial": serial,
        "platform": platform,
        "type": type,
        "name": name,
        "version": version,
        "provision_seconds": provision_seconds,
    }
    try:
        facts = DeviceFacts().load(given)
    except ValidationError as error:
        first = problems(error, "device")[0]
        raise BadDevice(f"{first.path[0]}: {first.text}") from None
    with store.transaction():
        known = Device.serial == facts["serial"]
        if Device.select().where(known, Device.is_retired == 0).exists():
            raise BadDevice(f"device {serial!r} is in the catalogue already")
        put(facts)


def put(facts: dict[str, Any], *, is_retired: bool = False) -> None:
    """Write a device by its serial. From then on it is the operator's, not a default one."""
    store.upsert(Device, "serial", **facts, is_default=0, is_retired=int(is_retired))


def listed() -> list[DeviceRow]:
    """Every device in the catalogue's order, retired ones too, and whether it is held now."""
    return queries.catalogue.all(now=clock.now())


def retire(serial: str) -> bool:
    """Take a device out of allocation; who holds it keeps it. False where there is none to retire.

    Assumed: a retired device does not exist for allocation.
    """
    with store.transaction():
        known = (Device.serial == serial) & (Device.is_retired == 0)
        return bool(Device.update(is_retired=1).where(known).execute())


def leave_defaults() -> None:
    """A seed that names devices replaces the default ones; those once used are retired instead."""
    used = Allocation.select(pw.SQL("1")).where(Allocation.serial == Device.serial)
    Device.delete().where(Device.is_default == 1, ~pw.fn.EXISTS(used)).execute()
    Device.update(is_retired=1).where(Device.is_default == 1).execute()
