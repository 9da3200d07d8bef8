"""`fleet.*`, `devices.list` and `server.info`: the catalogue, and the caller's own devices."""

from typing import Any

from sessionary import __version__, clock
from sessionary.surfaces.mobilenext import allocation, rules, schemas, serializers
from sessionary.surfaces.mobilenext.blueprint import (
    organization_and_role,
    start_session,
    writable_organization,
)
from sessionary.surfaces.mobilenext.models import AllocationRow
from sessionary.surfaces.mobilenext.queries import allocations, devices
from sessionary.surfaces.mobilenext.websocket.protocol import Method
from sessionary.web import json_codec
from sessionary.web.context import caller, now, settings
from sessionary.web.fields import Request, Text

_Answer = tuple[Any, str | None]
OK = {"status": "ok"}


class DeviceParams(Request):
    """The device of a call, by its serial."""

    deviceId = Text(required=True)  # noqa: N815 - the name of the parameter


def list_models(_: dict[str, Any]) -> _Answer:
    """List the models, one for each name and version."""
    rows = devices.catalogue.all(now=now())
    shown = [serializers.model(each) for each in rows if not each.is_retired]
    unique = {tuple(each.values()): each for each in reversed(shown)}
    return {"devices": list(unique.values())[::-1]}, None


def list_devices(_: dict[str, Any]) -> _Answer:
    organization, _role = organization_and_role()
    at = now()
    return {"devices": [serializers.device(each, at) for each in _own(organization, at)]}, None


def list_devices_for_driver(_: dict[str, Any]) -> _Answer:
    return {"data": list_devices({})[0]}, None


def allocate(params: dict[str, Any]) -> _Answer:
    """Allocate a device in a session of its own."""
    organization = writable_organization()
    lease_minutes = settings().vendors["mobilenext"].lease_minutes
    with clock.transaction() as at:
        device = allocation.choose_device(params["filters"], at)
        session = start_session(organization, at)
        row = allocation.allocate(device, session, at, lease_minutes)
    shown = serializers.device(row, at)
    result = {"sessionId": row.session, "allocationId": row.id}
    if row.in_use_at is not None:
        return {"state": "allocating", **result}, row.session
    return {**result, "device": shown}, row.session


def release(params: dict[str, Any]) -> _Answer:
    """Release the newest of the caller's own allocations of a device."""
    organization, device = writable_organization(), params["deviceId"]
    with clock.transaction() as at:
        found = rules.find_allocation(_own(organization, at), device)
        of_session = allocations.of_sessions.all(sessions=json_codec.encode([found.session]))
        same = next(each for each in of_session if each.id == found.id)
        allocation.release(same, of_session, at)
    return OK, found.session


def describe_server(_: dict[str, Any]) -> _Answer:
    return {"name": "sessionary", "version": __version__}, None


def _own(organization: str, at: int) -> list[AllocationRow]:
    return allocations.own_open.all(user=caller().user, organization=organization, now=at)


METHODS = {
    "fleet.listDevices": Method(list_models),
    "fleet.allocate": Method(allocate, schemas.AllocateRequest()),
    "fleet.release": Method(release, DeviceParams()),
    "devices.list": Method(list_devices),
    "device.list": Method(list_devices_for_driver),
    "server.info": Method(describe_server),
}
