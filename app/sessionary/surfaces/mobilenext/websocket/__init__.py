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
