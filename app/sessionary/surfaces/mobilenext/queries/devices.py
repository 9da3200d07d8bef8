"""Statements over the catalogue of devices."""

from collections.abc import Sequence
from typing import Any

import peewee as pw

from sessionary import store
from sessionary.store import Statement, param
from sessionary.surfaces.mobilenext import queries
from sessionary.surfaces.mobilenext.models import Allocation, Device, DeviceRow

_COLUMNS = [getattr(Device, name) for name in DeviceRow._fields[:-1]]


def _is_allocated() -> Any:
    of_device = Allocation.serial == Device.serial
    is_open = queries.is_open(Allocation, param("now"))
    return pw.fn.EXISTS(Allocation.select(pw.SQL("1")).where(of_device, is_open))


catalogue = Statement(
    DeviceRow._make, lambda: Device.select(*_COLUMNS, _is_allocated()).order_by(Device.seq)
)
# Ready before on-demand, then the catalogue's order.
candidates = Statement(
    DeviceRow._make,
    lambda: (
        Device.select(*_COLUMNS, _is_allocated())
        .where(Device.is_retired == 0)
        .order_by(Device.provision_seconds > 0, Device.seq)
    ),
)
by_serial = Statement(
    DeviceRow._make,
    lambda: Device.select(*_COLUMNS, pw.SQL("0")).where(Device.serial == param("serial")),
)
retire = Statement(
    tuple,
    lambda: Device.update(is_retired=1).where(
        Device.serial == param("serial"), Device.is_retired == 0
    ),
)


def upsert(facts: dict[str, Any]) -> None:
    """Insert a device or replace the one with its serial; it no longer counts as a default one."""
    store.upsert(Device, "serial", **facts, is_default=0, is_retired=0)


def insert_defaults(rows: Sequence[dict[str, Any]]) -> None:
    defaults = {"provision_seconds": 0, "is_default": 1, "is_retired": 0}
    Device.insert_many([{**row, **defaults} for row in rows]).execute()


def _is_unused_default() -> Any:
    used = Allocation.select(pw.SQL("1")).where(Allocation.serial == Device.serial)
    return (Device.is_default == 1) & ~pw.fn.EXISTS(used)


unused_defaults = Statement(
    lambda row: str(row[0]), lambda: Device.select(Device.serial).where(_is_unused_default())
)


def remove_defaults() -> None:
    """Delete the default devices; retire those that have been allocated."""
    Device.delete().where(_is_unused_default()).execute()
    Device.update(is_retired=1).where(Device.is_default == 1).execute()
