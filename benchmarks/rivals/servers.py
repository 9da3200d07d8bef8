"""The servers that ours are compared with, started as their documentation says."""

import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from benchmarks.requests import Request
from benchmarks.rivals.programs import Program, RivalUnavailable, running, send
from benchmarks.vendors import notte
from sessionary import create_app
from sessionary.settings import Settings
from sessionary.surfaces import SURFACES
from sessionary.web import openapi

SECRET = "bench-key"


class Call(NamedTuple):
    """A request, and the headers that it is sent with."""

    request: Request
    headers: dict[str, str]


class Server(NamedTuple):
    """A running server, and the calls that are sent to it one after the other, by operation."""

    name: str
    pid: int
    url: str
    calls: dict[str, list[Call]]


@contextmanager
def hello_on_gthread() -> Iterator[Server]:
    """Bare Flask under stock gunicorn, with one worker of four threads."""
    options = "--worker-class gthread --workers 1 --threads 4 --no-control-socket"
    command = [sys.executable, "-m", "gunicorn", "benchmarks.rivals.hello:app"]
    command += ["--bind", "127.0.0.1:{port}", *options.split()]
    with running(Program(command)) as started:
        yield Server("hello, gunicorn gthread 1x4", *started, _HELLO)


@contextmanager
def hello_on_ours(folder: Path, arguments: Sequence[str] = ()) -> Iterator[Server]:
    """Bare Flask under our own server."""
    command = [sys.executable, "-m", "benchmarks.rivals.hello_served"]
    database = str(folder / "hello.sqlite3")
    with running(Program([*command, "--port", "{port}", "--db", database, *arguments])) as started:
        yield Server("hello, our server", *started, _HELLO)


_HELLO = {"get": [Call(Request("GET", "/"), {})]}


def fastapi(
    folder: Path, name: str, options: str, durability: str
) -> AbstractContextManager[Server]:
    """FastAPI and uvicorn, one process, on raw sqlite3."""
    command = [sys.executable, "-m", "uvicorn", "benchmarks.rivals.fastapi_sessions:app"]
    command += ["--port", "{port}", *options.split()]
    needed = ["uvloop", "httptools"] if "uvloop" in options else []
    return _raw(folder, name, command, durability, "fastapi", "uvicorn", *needed)


def granian(folder: Path, name: str, durability: str) -> AbstractContextManager[Server]:
    """Raw sqlite3 under granian, one worker with one thread for the application."""
    command = [str(Path(sys.executable).with_name("granian")), "benchmarks.rivals.raw_wsgi:app"]
    command += ["--interface", "wsgi", "--blocking-threads", "1", "--port", "{port}"]
    return _raw(folder, name, command, durability, "granian")


def bjoern(folder: Path, name: str, durability: str) -> AbstractContextManager[Server]:
    """Raw sqlite3 under bjoern."""
    command = [sys.executable, "-m", "benchmarks.rivals.raw_wsgi", "{port}"]
    return _raw(folder, name, command, durability, "bjoern")


@contextmanager
def _raw(
    folder: Path, name: str, command: Sequence[str], durability: str, *packages: str
) -> Iterator[Server]:
    """A server of `raw_sessions`."""
    _ensure_installed(*packages)
    variables = {
        "BENCH_DATABASE": str(folder / f"{name}.sqlite3"),
        "BENCH_KEY": SECRET,
        "BENCH_DURABILITY": durability,
    }
    headers = {"Authorization": f"Bearer {SECRET}"}
    with running(Program(command, variables)) as (pid, url):
        create = Request("POST", "/sessions", {"session_timeout_minutes": 5})
        made = send(url, create, headers)
        get = Request("GET", f"/sessions/{made['session_id']}")
        calls = {"create": [Call(create, headers)], "get": [Call(get, headers)]}
        yield Server(name, pid, url, calls)


@contextmanager
def moto() -> Iterator[Server]:
    """moto_server: put and get of one DynamoDB item, the closest to a session."""
    _ensure_installed("moto", "flask_cors")
    command = [str(Path(sys.executable).with_name("moto_server")), "-p", "{port}"]
    with running(Program(command)) as (pid, url):
        send(url, Request("POST", "/", _TABLE), _amazon("CreateTable"))
        key = {"id": {"S": "0b8f7a52-6f0e-4f0a-9d5c-0f6f5b6c0001"}}
        item = {**key, "status": {"S": "active"}, "timeout": {"N": "5"}, "url": {"S": "/"}}
        create = Request("POST", "/", {"TableName": "sessions", "Item": item})
        get = Request("POST", "/", {"TableName": "sessions", "Key": key})
        calls = {
            "create": [Call(create, _amazon("PutItem"))],
            "get": [Call(get, _amazon("GetItem"))],
        }
        send(url, *calls["create"][0])
        yield Server("moto_server", pid, url, calls)


_TABLE = {
    "TableName": "sessions",
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "BillingMode": "PAY_PER_REQUEST",
}


def _amazon(action: str) -> dict[str, str]:
    credential = "bench/20260101/us-east-1/dynamodb/aws4_request"
    signed = f"Credential={credential}, SignedHeaders=host, Signature=0"
    return {
        "X-Amz-Target": f"DynamoDB_20120810.{action}",
        "Content-Type": "application/x-amz-json-1.0",
        "Authorization": f"AWS4-HMAC-SHA256 {signed}",
    }


@contextmanager
def json_server(folder: Path) -> Iterator[Server]:
    """json-server from npm."""
    data = folder / "json-server.json"
    data.write_text(json.dumps({"sessions": [{"id": 1, "status": "active", "timeout": 5}]}))
    with running(_npx("json-server@0.17.4", "--quiet", "--port", "{port}", str(data))) as started:
        calls = {
            "create": [Call(Request("POST", "/sessions", {"status": "active", "timeout": 5}), {})],
            "get": [Call(Request("GET", "/sessions/1"), {})],
        }
        yield Server("json-server", *started, calls)


@contextmanager
def emulate() -> Iterator[Server]:
    """emulate from npm: a customer of its Stripe.

    It refuses a token after 5,000 requests within an hour, so each call has another token.
    """
    with running(_npx("emulate@0.8.0", "--service", "stripe", "--port", "{port}")) as (pid, url):
        tokens = [{"Authorization": f"Bearer bench-{number}"} for number in range(200)]
        create = Request("POST", "/v1/customers", {"name": "Ana", "email": "ana@acme.example"})
        get = Request("GET", f"/v1/customers/{send(url, create, tokens[0])['id']}")
        calls = {
            "create": [Call(create, token) for token in tokens],
            "get": [Call(get, token) for token in tokens],
        }
        yield Server("emulate", pid, url, calls)


@contextmanager
def prism(folder: Path) -> Iterator[Server]:
    """Prism from npm: answers made from our own OpenAPI document."""
    surface = next(each for each in SURFACES if each.name == notte.NAME)
    app = create_app(Settings(db=":memory:", auth="lenient"), surfaces=(surface,))
    document = folder / "openapi.json"
    document.write_text(json.dumps(openapi.describe(app, surface)))
    options = ["mock", "--verboseLevel", "error", "--port", "{port}", str(document)]
    with running(_npx("@stoplight/prism-cli@5.16.0", *options)) as started:
        headers = notte.headers(SECRET)
        paths = [each.path.removeprefix("/notte") for each in (notte.CREATION, notte.reading("1"))]
        create, get = notte.CREATION._replace(path=paths[0]), Request("GET", paths[1])
        yield Server(
            "prism", *started, {"create": [Call(create, headers)], "get": [Call(get, headers)]}
        )


def _npx(package: str, *arguments: str) -> Program:
    if shutil.which("npx") is None:
        raise RivalUnavailable("npm is not installed")
    return Program(["npx", "--yes", package, *arguments])


def _ensure_installed(*packages: str) -> None:
    missing = [each for each in packages if find_spec(each) is None]
    if missing:
        raise RivalUnavailable(f"{' and '.join(missing)} not installed: install {_source(missing)}")


def _source(packages: Sequence[str]) -> str:
    return "libev and bjoern" if "bjoern" in packages else "the extra `bench`"
