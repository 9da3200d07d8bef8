"""`device.*`: calls to an allocated device. None runs here; what can be read back is remembered."""

from typing import Any, NamedTuple

from marshmallow import Schema, fields

from sessionary import clock
from sessionary.surfaces.mobilenext import rules, serializers
from sessionary.surfaces.mobilenext.blueprint import organization_and_role
from sessionary.surfaces.mobilenext.models import AllocationRow, FactRow
from sessionary.surfaces.mobilenext.queries import allocations, facts
from sessionary.surfaces.mobilenext.websocket.fleet import OK, DeviceParams
from sessionary.surfaces.mobilenext.websocket.protocol import Method, RpcError
from sessionary.surfaces.mobilenext.websocket.screen import Area, data_url, fit
from sessionary.web import json_codec
from sessionary.web.context import now
from sessionary.web.fields import Bounds, Field, Integer, List, OneOf, Text, problem

_SECOND = 1_000_000
_HOME = {"android": "com.android.launcher", "ios": "com.apple.springboard"}
_SCREENS = {"android": (1080, 2400, 1), "ios": (390, 844, 3)}
_Answer = tuple[Any, str | None]


class _Number(Field, fields.Float):
    """A JSON number."""

    expects = "number"

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise problem("number", "must be a number")
        return value


class Device(NamedTuple):
    """An allocated device, and what is remembered of it."""

    row: AllocationRow
    at: int
    memory: dict[str, Any]

    @property
    def orientation(self) -> str:
        return str(self.memory.get("orientation", "portrait"))

    @property
    def foreground(self) -> str:
        return str(self.memory.get("foreground", _HOME[self.row.platform]))

    @property
    def screen(self) -> Area:
        width, height, _ = _SCREENS[self.row.platform]
        return Area(
            0, 0, *((height, width) if self.orientation == "landscape" else (width, height))
        )

    def remember(self, call: str, **values: Any) -> None:
        """Keep values; None forgets one."""
        for name, value in values.items():
            if value is None:
                facts.delete.run(allocation=self.row.id, name=name)
                continue
            text = json_codec.encode(value)
            row = FactRow(self.row.session, self.row.id, name, text, call, self.at)
            facts.put.run(**row._asdict())


def _find(params: dict[str, Any], organization: str, at: int) -> Device:
    serial = params["deviceId"]
    row = allocations.held.one(serial=serial, organization=organization, now=at)
    if row is None:
        raise RpcError(-32000, f"Device {serial} is not allocated")
    if rules.allocation_status(row, at) == rules.PROVISIONING:
        raise RpcError(-32000, f"Device {serial} is still allocating")
    found = facts.of_allocations.all(allocations=json_codec.encode([row.id]))
    return Device(row, at, {each.name: json_codec.decode(each.value) for each in found})


def _read(show: Any, **params: Any) -> Method:
    """A method that shows something of a device: `show(device, params)`."""

    def answer(given: dict[str, Any]) -> _Answer:
        organization, _ = organization_and_role()
        device = _find(given, organization, now())
        return show(device, given), device.row.session

    return Method(answer, _schema(params))


def _act(**params: Any) -> Method:
    """A method whose effect cannot be read back."""

    def answer(given: dict[str, Any]) -> _Answer:
        organization, role = organization_and_role()
        rules.ensure_can_write(role)
        return OK, _find(given, organization, now()).row.session

    return Method(answer, _schema(params))


def _change(name: str, change: Any, **params: Any) -> Method:
    """A method that is remembered: `change(device, params)` returns values and an answer."""

    def answer(given: dict[str, Any]) -> _Answer:
        organization, role = organization_and_role()
        rules.ensure_can_write(role)
        with clock.transaction() as at:
            device = _find(given, organization, at)
            values, shown = change(device, given)
            device.remember(name, **values)
        return shown, device.row.session

    return Method(answer, _schema(params))


def _schema(params: dict[str, Any]) -> Schema:
    return DeviceParams.from_dict(params)()


def _info(device: Device, _: Any) -> Any:
    screen, scale = device.screen, _SCREENS[device.row.platform][2]
    size = {"width": screen.width, "height": screen.height, "scale": scale}
    shown = {**serializers.device(device.row, device.at), "screenSize": size}
    return {**shown, "device": shown}


def _screenshot(device: Device, params: dict[str, Any]) -> Any:
    row, clip = device.row, params["clip"]
    lines = (row.name, f"{row.platform} {row.version}", row.serial, device.orientation)
    area = clip and fit(Area(*(int(clip[name]) for name in Area._fields)), device.screen)
    return {
        "format": "png",
        "data": data_url(
            (*lines, device.foreground), row.serial, device.screen, area, params["maxSize"]
        ),
    }


def _elements(device: Device, _: Any) -> Any:
    root = {
        "type": "Window",
        "identifier": device.foreground,
        "label": "",
        "text": "",
        "rect": device.screen._asdict(),
        "visible": True,
        "enabled": True,
        "children": [],
    }
    return {"elements": [root], "rawData": {}}


def _app(bundle_id: str) -> dict[str, str]:
    name = bundle_id.rpartition(".")[2]
    return {"packageName": bundle_id, "bundleId": bundle_id, "appName": name, "version": "1.0"}


def _launch(device: Device, params: dict[str, Any]) -> Any:
    app = params["bundleId"]
    apps = [each for each in device.memory.get("apps", []) if each != app]
    return {"foreground": app, "apps": [*apps, app]}, OK


def _leave(device: Device, params: dict[str, Any]) -> Any:
    return ({"foreground": None} if device.foreground == params["bundleId"] else {}), OK


def _uninstall(device: Device, params: dict[str, Any]) -> Any:
    apps = [each for each in device.memory.get("apps", []) if each != params["bundleId"]]
    return {**_leave(device, params)[0], "apps": apps}, OK


def _record(device: Device, params: dict[str, Any]) -> Any:
    output = params["output"]
    return {"recording": device.at}, {"status": "recording", "output": output}


def _stop_recording(device: Device, _: Any) -> Any:
    if "recording" not in device.memory:
        raise RpcError(-32000, f"Device {device.row.serial} is not recording")
    seconds = max(0, device.at - device.memory["recording"]) // _SECOND
    return {"recording": None}, {"status": "ok", "duration": seconds, "url": ""}


def _no_crash(device: Device, params: dict[str, Any]) -> Any:
    raise RpcError(-32000, f"Device {device.row.serial} has no crash {params['id']}")


def _needs(field: type[Any], *names: str, **options: Any) -> dict[str, Any]:
    return {name: field(required=True, **options) for name in names}


_OPTIONAL: dict[str, Any] = {"load_default": None, "allow_none": True}
_APP = _needs(Text, "bundleId")
_POINT = _needs(_Number, "x", "y")
_CLIP = Schema.from_dict(_POINT | _needs(_Number, "width", "height", validate=Bounds(1)))
METHODS = {
    "device.info": _read(_info),
    "device.screenshot": _read(
        _screenshot,
        clip=fields.Nested(_CLIP, **_OPTIONAL),
        maxSize=Integer(validate=Bounds(0), **_OPTIONAL),
    ),
    "device.dump.ui": _read(_elements),
    "device.io.tap": _act(**_POINT),
    "device.io.longpress": _act(**_POINT),
    "device.io.swipe": _act(**_needs(_Number, "x1", "y1", "x2", "y2")),
    "device.io.gesture": _act(actions=List(fields.Raw(), required=True)),
    "device.io.text": _act(**_needs(Text, "text")),
    "device.io.keys": _act(keys=List(Text(), required=True)),
    "device.io.button": _act(**_needs(Text, "button")),
    "device.io.orientation.get": _read(lambda device, _: {"orientation": device.orientation}),
    "device.io.orientation.set": _change(
        "device.io.orientation.set",
        lambda _, params: ({"orientation": params["orientation"]}, OK),
        **_needs(Text, "orientation", validate=OneOf(("portrait", "landscape"))),
    ),
    "device.clipboard.get": _read(lambda device, _: {"text": device.memory.get("clipboard", "")}),
    "device.clipboard.set": _change(
        "device.clipboard.set",
        lambda _, params: ({"clipboard": params["text"]}, OK),
        **_needs(Text, "text"),
    ),
    "device.location.set": _act(**_needs(_Number, "latitude", "longitude")),
    "device.location.clear": _act(),
    "device.apps.launch": _change("device.apps.launch", _launch, **_APP),
    "device.apps.terminate": _change("device.apps.terminate", _leave, **_APP),
    "device.apps.clear": _act(**_APP),
    "device.apps.uninstall": _change("device.apps.uninstall", _uninstall, **_APP),
    "device.apps.foreground": _read(lambda device, _: _app(device.foreground)),
    "device.apps.list": _read(
        lambda device, _: [_app(each) for each in device.memory.get("apps", [])]
    ),
    "device.url": _act(**_needs(Text, "url")),
    "device.settings.apply": _act(),
    "device.boot": _act(),
    "device.reboot": _act(),
    "device.shutdown": _act(),
    "device.crashes.list": _read(lambda *_: []),
    "device.crashes.get": _read(_no_crash, **_needs(Text, "id")),
    "device.screenrecord": _change("device.screenrecord", _record, output=Text(load_default="")),
    "device.screenrecord.stop": _change("device.screenrecord.stop", _stop_recording),
}
