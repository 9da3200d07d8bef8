"""Mobile Next's `/ws`: each message is a call of JSON-RPC 2.0. Nothing is sent unasked."""

from collections.abc import Mapping

from flask import request
from marshmallow import ValidationError
from werkzeug.wrappers import Response

from sessionary.surfaces.mobilenext import errors
from sessionary.surfaces.mobilenext.blueprint import routes, to_sentence
from sessionary.surfaces.mobilenext.websocket import driving, fleet, protocol
from sessionary.surfaces.mobilenext.websocket.protocol import Call, Method, RpcError
from sessionary.web import messages
from sessionary.web.fields import problems
from sessionary.web.operations import answer
from sessionary.web.route_table import MATCH
from sessionary.web.surface import MessageFormat

METHODS: Mapping[str, Method] = {**fleet.METHODS, **driving.METHODS}
# Where each method comes from, with its parameters.
SOURCES = {
    "Source: client.": "device.screenshot device.io.tap device.io.longpress device.io.swipe "
    "device.io.gesture device.io.text device.io.keys device.io.button device.io.orientation.get "
    "device.io.orientation.set device.clipboard.get device.clipboard.set device.location.set "
    "device.location.clear device.apps.terminate device.apps.clear device.apps.uninstall "
    "device.apps.foreground device.url device.settings.apply device.crashes.list "
    "device.crashes.get device.screenrecord device.screenrecord.stop fleet.release",
    "Source: client. Assumed: held models too, retired ones not.": "fleet.listDevices",
    "Source: client. Assumed: the caller's own, since mobilecli takes the only one online.": (
        "devices.list"
    ),
    "Source: client (the driver reads `data`).": "device.list",
    "Source: client. Assumed: the session is listed like any other.": "fleet.allocate",
    "Source: client (the device at the top for mobilecli, and as `device` for the driver).": (
        "device.info"
    ),
    "Source: client (never without elements).": "device.dump.ui",
    "Source: client. Assumed: a launched app counts as installed.": "device.apps.launch",
    "Source: client (an array, which mobilecli needs).": "device.apps.list",
    "Source: client. Assumed: the device stays online.": (
        "device.boot device.reboot device.shutdown"
    ),
    "Source: docs.": "server.info",
}
MESSAGES = MessageFormat(
    routes=frozenset(METHODS), read=protocol.read, error=protocol.error_of_response
)


@routes.get("/ws", websocket=True)  # for werkzeug, a handshake has routes of its own
@routes.get("/ws")
def open_websocket() -> Response:
    """Accept a handshake. Assumed: 426 for a request that is none."""
    if messages.UPGRADE in request.environ:
        accepted = Response(status=101)
        del accepted.headers["Content-Type"]
        return accepted
    body = errors.body("upgrade_required", "This path takes WebSocket connections only")
    refusal = answer(body, 426)
    refusal.headers.update({"Upgrade": "websocket", "Sec-WebSocket-Version": "13"})
    return refusal


@routes.route("/ws", methods=[messages.METHOD])
def answer_message() -> Response:
    """Answer every message that can be read, in the form of JSON-RPC."""
    call = Call(None, "", {})
    try:
        call = protocol.parse(request.get_data(), is_text=request.mimetype == messages.TEXT)
        return answer({"jsonrpc": "2.0", "id": call.id, "result": _result(call)})
    except RpcError as error:
        return answer(error.body(call.id if error.id is None else error.id))
    except errors.MobileNextError as error:
        return answer(protocol.error_of_status(error.status, str(error)).body(call.id))


def _result(call: Call) -> object:
    method = METHODS.get(call.method)
    if method is None:
        raise RpcError(-32601, f"{call.method} not found")
    _note(route=call.method)
    try:
        params = {} if method.params is None else method.params.load(call.params)
    except ValidationError as error:
        text = "; ".join(map(to_sentence, problems(error, "params")))
        raise RpcError(-32602, text) from None
    result, session = method.answer(params)
    _note(values={} if session is None else {"session_id": session})
    return result


def _note(**facts: object) -> None:
    """Say to the journal which method a message calls, and on which session."""
    match = request.environ.get(MATCH)
    if match is not None:
        request.environ[MATCH] = match._replace(**facts)
