"""The catalogue of devices: default ones, then those of operators and seed files."""

import re
from typing import Any

from marshmallow import ValidationError, validate

from sessionary import clock, store
from sessionary.seeds.schemas import BadRow, SeedRow
from sessionary.surfaces.mobilenext import rules
from sessionary.surfaces.mobilenext.models import DESCRIPTION, DeviceRow
from sessionary.surfaces.mobilenext.queries import devices as queries
from sessionary.web.fields import Bounds, Integer, OneOf, Text, problem, problems

PLATFORMS = ("android", "ios")
TYPES = ("real", "simulator", "emulator")
_SERIAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}", re.ASCII)
_DEFAULT_DEVICES = (
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


class BadDevice(BadRow):
    """A device that cannot be added; the message says why."""


def _check_serial(text: str) -> None:
    """Raise unless the text can be used in paths."""
    if not _SERIAL.fullmatch(text):
        raise problem("value", "must be up to 128 letters, digits and . _ : -")


def _check_version(text: str) -> None:
    if not rules.is_version(text):
        raise problem("value", "must be numbers and dots, such as 18.6.2")


class DeviceFacts(SeedRow):
    """The description of a device. Assumed: two platforms; a version is numbers and dots."""

    serial = Text(required=True, validate=_check_serial)
    platform = Text(required=True, validate=OneOf(PLATFORMS))
    type = Text(required=True, validate=OneOf(TYPES))
    name = Text(required=True, validate=validate.Length(min=1))
    version = Text(required=True, validate=_check_version)
    provision_seconds = Integer(load_default=0, validate=Bounds(0, 86_400))


def insert_defaults() -> None:
    """Insert the default devices: both platforms, several versions, all ready at once."""
    queries.insert_defaults([dict(zip(DESCRIPTION, row, strict=True)) for row in _DEFAULT_DEVICES])


def add(**description: Any) -> None:
    """Add a device by the fields of DeviceFacts, or bring back a retired one. Raises BadDevice."""
    try:
        facts = DeviceFacts().load(description)
    except ValidationError as error:
        first = problems(error, "device")[0]
        raise BadDevice(f"{first.path[0]}: {first.text}") from None
    with store.transaction():
        known = queries.by_serial.one(serial=facts["serial"])
        if known is not None and not known.is_retired:
            raise BadDevice(f"device {known.serial!r} is in the catalogue already")
        queries.upsert(facts)


def list_devices() -> list[DeviceRow]:
    """Return every device in catalogue order, retired ones included."""
    return queries.catalogue.all(now=clock.now())


def state(device: DeviceRow) -> str:
    """Return whether a device is `allocated`, `retired` or `free`."""
    if device.is_allocated:
        return "allocated"
    return "retired" if device.is_retired else "free"


def retire(serial: str) -> bool:
    """Stop allocating a device; a session that holds it keeps it. Return whether there was one."""
    with store.transaction():
        return queries.retire.run(serial=serial) > 0
