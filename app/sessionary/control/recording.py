"""Records the run of a namespace: what it began with, its changes and its vendor calls, in order.

Each line is a JSON object, written when a change or call is complete, in the namespace's lock. No
line holds a credential: a caller is a number with a user, and a seeded key has a stand-in.
"""

import json
import os
import secrets
import threading
import zlib
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, time
from hashlib import sha256
from itertools import count
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Any, NamedTuple, Self

from sessionary import clock, ids, store
from sessionary.control.faults.matching import LATENCY, TRUNCATED, FaultRow
from sessionary.control.journal.recorder import RecordedExchange, recorded_headers
from sessionary.control.journal.redaction import Redactor, remove_created_keys
from sessionary.control.messages import VendorResponse, answer_to_message
from sessionary.identity import Caller, hash_of
from sessionary.seeds import loader
from sessionary.settings import DOUBLE, BadSetting, Settings, all_settings
from sessionary.web.context import CALLER
from sessionary.web.events import REFUSED
from sessionary.web.instants import to_text
from sessionary.web.spool import Spool
from sessionary.web.surface import Surface, declared_settings

FORMAT = 1
_FIRST = b'{"do": "begin"'
MAX_RESTORED_BYTES = 8 * 1024 * 1024  # of a database that a run keeps, compressed
_MEMORY_BYTES = 256 * 1024  # a longer run without a file of its own goes into a temporary one
_CREDENTIALS = {"authorization": "HTTP_AUTHORIZATION", "x-api-key": "HTTP_X_API_KEY"}
_SHARED_SETTINGS = ("auth", "journal", "max_body_bytes", "vendor_defaults")  # that answers rest on
# Headers of the connection, and those that name the namespace, the request or the wall time.
_UNSTABLE = {
    *("connection", "content-length", "date", "keep-alive", "server", "transfer-encoding"),
    *("sec-websocket-accept", "sessionary-namespace", "sessionary-request-id", "upgrade"),
    *("vary", "access-control-allow-origin", "access-control-expose-headers"),  # of web pages
}


class Recording:
    """The lines of a run, in a file that can be read at any time."""

    def __init__(self, file: IO[bytes] | None = None) -> None:
        self._file = file or SpooledTemporaryFile(_MEMORY_BYTES)  # noqa: SIM115 - see close
        self._lock = threading.Lock()
        self._callers: dict[tuple[str, str], int] = {}
        self._stand_ins: dict[str, str] = {}  # of seeded keys, by their hash
        self._first_faults: dict[int, Any] = {}
        self._faults: dict[int, Any] = {}  # by their ids: their requests
        self._steps = count(1)

    def add(self, do: str, **values: Any) -> None:
        """Append a line and hand it to the operating system."""
        if do == "begin":
            self._first_faults = dict(enumerate(values["faults"], 1))
        if do in ("begin", "reset"):
            self._faults = {**self._first_faults}
        elif do == "fault":
            self._faults[values["id"]] = values["fault"]
        line = json.dumps({"do": do, **values}, default=_date_text).encode() + b"\n"
        with self._lock:
            self._file.seek(0, os.SEEK_END)
            self._file.write(line)
            self._file.flush()

    def next_step(self) -> int:
        """Return the number of a step that begins now. A call may be complete after later steps."""
        return next(self._steps)

    def contents(self) -> bytes:
        """Return all lines."""
        with self._lock:
            self._file.seek(0)
            return self._file.read()

    def fault(self, fault: FaultRow) -> Any:
        """Return the request that armed a fault; None if it changes no answer."""
        return None if fault.kind == LATENCY else self._faults.get(fault.id)

    def close(self) -> None:
        self._file.close()

    def number_of(self, caller: Caller, surface: str) -> int:
        """Return the number of a caller; add the line that describes it before its first call."""
        place = caller.key_hash, surface
        if place not in self._callers:
            self._callers[place] = number = len(self._callers) + 1
            key = self._stand_ins.get(caller.key_hash)
            user, organization = caller.user, caller.organization
            who = {"surface": surface, "user": user, "organization": organization, "key": key}
            self.add("caller", caller=number, **who)
        return self._callers[place]

    def without_secrets(self, seed: Mapping[str, Any]) -> dict[str, Any]:
        """Return a seed with stand-ins for the secrets of its keys."""
        keys = [{**row, "secret": self._stand_in(row["secret"])} for row in seed.get("keys") or ()]
        return {**seed, "keys": keys} if keys else dict(seed)

    def _stand_in(self, secret: str) -> str:
        return self._stand_ins.setdefault(hash_of(secret), f"stand-in-{len(self._stand_ins) + 1}")


def _date_text(value: Any) -> str:
    if isinstance(value, date | time):
        return value.isoformat()
    raise TypeError(f"{value!r} is not JSON")


def random_seed() -> str:
    """Return a new seed of ids for a run: it makes them repeatable, not predictable."""
    return f"{ids.RUN}{secrets.token_hex(8)}"


def begin(
    recording: Recording,
    settings: Settings,
    surfaces: Sequence[Surface],
    *,
    seeds: Iterable[Mapping[str, Any]] = (),
    faults: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Record the active namespace from now on; it holds what `seeds` and `faults` say.

    The seed of the double comes before `seeds`.
    """
    namespace, state = store.current_namespace(), clock.state()
    own = [] if settings.seed is None else [loader.read(Path(settings.seed)).content]
    namespace.recording = recording
    recording.add(
        "begin",
        format=FORMAT,
        namespace=namespace.name,
        settings=_settings_of(settings, surfaces),
        now=to_text(state.began_at),
        ids=ids.seed_text(),
        seeds=[recording.without_secrets(seed) for seed in [*own, *seeds]],
        faults=list(faults),
    )


def open_file(path: Path) -> IO[bytes]:
    """Open the file of a new run, which replaces an older one. Raises BadSetting."""
    try:
        if path.exists() and path.read_bytes()[: len(_FIRST)] not in (b"", _FIRST):
            raise BadSetting(f"record must name a new file or an older run, not {path}")
        return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b")
    except OSError as error:
        raise BadSetting(
            f"record must name a file that can be written, not {path}: {error.strerror}"
        ) from error


def note(do: str, **values: Any) -> None:
    """Record a change of the active namespace, if it is recorded."""
    recording = store.current_namespace().recording
    if recording is not None:
        at = to_text(clock.now())
        recording.add(do, step=recording.next_step(), **{"at": at, **values})


def note_restore() -> None:
    """Record that the active namespace has got the contents of a file, with these contents."""
    namespace = store.current_namespace()
    if namespace.recording is not None:
        if ids.seed_text() is None:
            ids.seed(random_seed())
        contents = zlib.compress(namespace.contents())
        is_kept = len(contents) <= MAX_RESTORED_BYTES
        text = b64encode(contents).decode() if is_kept else None
        note("restore", ids=ids.seed_text(), contents=text)


def _settings_of(settings: Settings, surfaces: Sequence[Surface]) -> dict[str, Any]:
    """The settings that answers depend on and that are not those of every double."""
    found = {name: getattr(settings, name) for name in _SHARED_SETTINGS}
    for surface, own in settings.vendors.items():
        found |= {f"{surface}_{name}": value for name, value in vars(own).items()}
    usual = {each.name: each.default for each in all_settings(declared_settings(surfaces))} | DOUBLE
    return {name: value for name, value in found.items() if value != usual.get(name)}


class CallStep(NamedTuple):
    """The place of a call in a run: its number, its instant, and the ids that had been given."""

    number: int
    at: int
    id_count: int

    @classmethod
    def begin(cls, recording: Recording) -> Self:
        """The step of a call that begins to work on the active namespace."""
        return cls(recording.next_step(), clock.now(), ids.count())


class CallRecorder:
    """Adds vendor calls to the recording of their namespace."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def record(self, recording: Recording, step: CallStep, exchange: RecordedExchange) -> None:
        """Record a call that is complete."""
        request, response, fault = exchange.request, exchange.response, exchange.fault
        environ, caller = request.environ, request.environ.get(CALLER)
        if REFUSED in environ:
            return  # it was not HTTP
        surface = "" if request.surface is None else request.surface.name
        number = None if caller is None else recording.number_of(caller, surface)
        if response is not None:
            response = answer_to_message(request, exchange.body, response)
        texts = {
            "path": environ["PATH_INFO"].encode("latin-1").decode(errors="surrogateescape"),
            "query": environ.get("QUERY_STRING", ""),
            "headers": json.dumps(recorded_headers(request)),
            "body": (exchange.body or b"").decode(errors="surrogateescape"),
        }
        texts = self._redactor.redact(environ, texts)
        recording.add(
            "call",
            step=step.number,
            at=to_text(step.at),
            ids=step.id_count,
            caller=number,
            credentials=[name for name, key in _CREDENTIALS.items() if key in environ],
            method=request.method,
            path=remove_created_keys(texts["path"]),
            query=texts["query"],
            headers=json.loads(texts["headers"]),
            body=None if exchange.body is None else texts["body"],
            body_bytes=exchange.body_bytes,
            fault=None if fault is None else recording.fault(fault),
            **answer_to_json(
                self._redactor,
                environ,
                store.current_namespace().name,
                response,
                is_cut=_is_cut(fault, response),
            ),
        )


def _is_cut(fault: FaultRow | None, response: VendorResponse | None) -> bool:
    """Return whether a fault cuts the body of a response: one without a body is whole."""
    is_truncated = fault is not None and fault.kind == TRUNCATED
    return is_truncated and response is not None and len(response.body) > 0


def answer_to_json(
    redactor: Redactor,
    environ: Mapping[str, Any],
    namespace: str,
    response: VendorResponse | None,
    *,
    is_cut: bool = False,
) -> dict[str, Any]:
    """Return what a run keeps of a response: it has the same bytes in two runs.

    A large body is kept as its hash, as it is with the first part of it. Of a response that is cut
    off only the status and headers are kept.
    """
    if response is None:
        return {"status": None, "answer_headers": {}, "answer": None}
    headers = {
        name: value.replace(f"/~{namespace}/", "/")
        for name, value in response.headers
        if name.lower() not in _UNSTABLE
    }
    found = {"status": response.code, "answer_headers": headers, "answer": None}
    if is_cut:
        return found
    content = response.start().decode(errors="surrogateescape")
    texts = redactor.redact(environ, {"answer": content, "headers": json.dumps(headers)})
    found |= {"answer": texts["answer"], "answer_headers": json.loads(texts["headers"])}
    if isinstance(response.body, Spool):
        found |= {"answer_bytes": len(response.body), "answer_sha256": _hash(response.body)}
    return found


def _hash(body: Spool) -> str:
    found = sha256()
    for part in body:
        found.update(part)
    body.rewind()
    return found.hexdigest()
