"""Does a run again in a new namespace of a double."""

import json
import zlib
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.client import responses
from typing import Any

from sessionary import control
from sessionary.client import Client, ControlError
from sessionary.control.journal.redaction import Redactor
from sessionary.control.messages import VendorResponse
from sessionary.control.recording import MAX_RESTORED_BYTES, answer_to_json
from sessionary.embedded import EmbeddedServer
from sessionary.factory import create_double, make_settings
from sessionary.replay.connection import HANDSHAKE, Connection, Received, make_target
from sessionary.replay.run_file import Run, Step
from sessionary.settings import DOUBLE
from sessionary.surfaces import SURFACES
from sessionary.web import messages

_ANSWER = ("status", "answer_headers", "answer", "answer_bytes", "answer_sha256")
_PREFIXES = {surface.name: surface.key_prefix for surface in SURFACES}
_redactor = Redactor.of(SURFACES)


class NotPlayed(Exception):
    """A run that cannot be done again; the message says why."""


@contextmanager
def running_double(run: Run) -> Iterator[Client]:
    """Serve a double with the settings of a run; yield a client of its control plane."""
    settings = make_settings(**{**DOUBLE, **run.begin["settings"]})
    app = create_double(settings)
    try:
        with EmbeddedServer(
            app, threads=settings.threads, max_body_bytes=settings.max_body_bytes
        ) as server:
            yield Client(server.url)
    finally:
        control.close_namespaces(app)


def play(run: Run, client: Client, inspect: Callable[[Client, Run], Any] | None = None) -> Run:
    """Do a run again in a new namespace of a double; return the run with the answers of now.

    `inspect` is called at the end with a client of the namespace, which is dropped then. The clock
    is frozen at the instant of each step. Raises NotPlayed and ConnectionError.
    """
    player = _Player(run, client)
    try:
        played = run.with_steps([player.do(step) for step in run.steps])
        if inspect is not None:
            inspect(player.client, played)
        return played
    except ControlError as error:
        raise NotPlayed(f"the double refuses a step of the run: {error}") from error
    finally:
        player.drop()


def other_settings(run: Run, client: Client) -> list[str]:
    """Say which settings, of those that answers rest on, a double has other than the run's."""
    name = client.namespaces.create(record=True)["name"]
    namespace = client.for_namespace(name)
    try:
        there = json.loads(namespace.run().splitlines()[0])["settings"]
    finally:
        namespace.namespaces.drop()
    here, usual = run.begin["settings"], "the default"
    return [
        f"{each} is {there.get(each, usual)} there, {here.get(each, usual)} in the run"
        for each in sorted({*here, *there})
        if there.get(each, usual) != here.get(each, usual)
    ]


class _Player:
    """A run that goes on step by step in its own namespace."""

    def __init__(self, run: Run, client: Client) -> None:
        self._run = run
        self._root = client
        self._connection = Connection(client.url)
        self._begin(run.begin["now"])

    def _begin(self, at: str) -> None:
        begin = self._run.begin
        name = self._root.namespaces.create(now=at, ids=begin["ids"])["name"]
        self.client = self._root.for_namespace(name)
        self._ids: str = begin["ids"]
        self._now: str | None = at
        for seed in begin["seeds"]:
            self.client.namespaces.seed(seed)

    def drop(self) -> None:
        self.client.namespaces.drop()

    def do(self, step: Step) -> Step:
        """Do a step; return it with its answer of now."""
        if step["do"] == "reset":
            self.drop()
            self._begin(step["at"])
            return step
        if step["at"] != self._now:
            self.client.clock.freeze(step["at"])
            self._now = step["at"]
        match step["do"]:
            case "call":
                return self._call(step)
            case "seed":
                self.client.namespaces.seed(step["seed"])
            case "force":
                self.client.force(step["session"], step["status"], step["reason"], step["surface"])
            case "restore":
                self._restore(step)
        return step

    def _restore(self, step: Step) -> None:
        if step["contents"] is None:
            raise NotPlayed(
                f"the run restores a database of more than {MAX_RESTORED_BYTES} bytes, which it "
                "does not hold: record one that begins after it"
            )
        self.client.namespaces.restore(zlib.decompress(b64decode(step["contents"])))
        self._ids, self._now = step["ids"], None

    def _call(self, step: Step) -> Step:
        """Make a call with the ids, and in the fault, that it had: others may have been left out.

        A fault that the call waited for takes no time now.
        """
        self.client.api.request(dict, "PUT", "ids", {"seed": self._ids, "count": step["ids"]})
        if step["fault"] is not None:
            self._arm(step["fault"])
        headers, environ = self._headers(step)
        target, body = make_target(step["path"], step["query"]), step["body"]
        content = b"" if body is None else body.encode(errors="surrogateescape")
        length = step["body_bytes"] if body is None else len(content)  # None was refused unread
        headers["content-length"] = str(length)
        method = step["method"]
        if method == messages.METHOD:
            method, headers["sessionary-method"] = "POST", method
        elif step["status"] == HTTPStatus.SWITCHING_PROTOCOLS:
            headers |= HANDSHAKE
        received = self._connection.call(method, target, headers, content)
        if step["fault"] is not None:
            self.client.faults.clear()
        answer = _to_json(received, environ, self.client.namespace)
        if "answer_sha256" in step and received is not None:
            answer |= _hash_of(received.body, step["answer"])
        return {name: value for name, value in step.items() if name not in _ANSWER} | answer

    def _arm(self, fault: dict[str, Any]) -> None:
        limits = ("times", "after", "probability", "seed", "from", "to")
        kept = {name: value for name, value in fault.items() if name not in limits}
        if kept.get("delay"):
            kept["delay"] = "1us"
        self.client.api.request(dict, "POST", "faults", kept | {"times": 1})

    def _headers(self, step: Step) -> tuple[dict[str, str], dict[str, str]]:
        """Return the headers of a call, and its credentials as an environment has them."""
        headers = {**step["headers"], "sessionary-namespace": self.client.namespace}
        environ = {}
        if step["caller"] is not None:
            key = self._key(self._run.callers[step["caller"]])
            for name in step["credentials"]:
                headers[name] = f"Bearer {key}" if name == "authorization" else key
                environ[f"HTTP_{name.upper().replace('-', '_')}"] = headers[name]
        return headers, environ

    @staticmethod
    def _key(caller: Step) -> str:
        prefix = _PREFIXES.get(caller["surface"], "")
        return caller["key"] or f"{prefix}user-{caller['user']}"


def _to_json(received: Received | None, environ: dict[str, str], namespace: str) -> dict[str, Any]:
    if received is None:
        return answer_to_json(_redactor, environ, namespace, None)
    status, headers, body, is_cut = received
    response = VendorResponse(f"{status} {responses.get(status, '')}", headers, body)
    return answer_to_json(_redactor, environ, namespace, response, is_cut=is_cut)


def _hash_of(body: bytes, start: str) -> dict[str, Any]:
    from hashlib import sha256

    first = body[: len(start.encode(errors="surrogateescape"))].decode(errors="surrogateescape")
    found = {"answer_bytes": len(body), "answer_sha256": sha256(body).hexdigest()}
    return {"answer": first, **found}
