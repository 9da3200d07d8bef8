"""The servers that are compared, started as their documentation says."""

import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from benchmarks.requests import Request
from benchmarks.rivals.programs import Program, RivalUnavailable, running, send

SECRET = "bench-key"


class Server(NamedTuple):
    """A running server, and the requests to it."""

    name: str
    pid: int
    url: str
    requests: dict[str, Request]  # by operation
    headers: dict[str, dict[str, str]]  # by operation


@contextmanager
def hello_on_gthread() -> Iterator[Server]:
    """Bare Flask under stock gunicorn, with one worker of four threads."""
    options = "--worker-class gthread --workers 1 --threads 4 --no-control-socket"
    program = _gunicorn("benchmarks.rivals.hello:app", options)
    with running(program) as (pid, url):
        yield Server("hello, gunicorn gthread 1x4", pid, url, {"get": Request("GET", "/")}, _open())


@contextmanager
def hello_on_ours(folder: Path, arguments: Sequence[str]) -> Iterator[Server]:
    """Bare Flask under our own server."""
    command = [sys.executable, "-m", "benchmarks.rivals.hello_served"]
    database = str(folder / "hello.sqlite3")
    with running(Program([*command, "--port", "{port}", "--db", database, *arguments])) as started:
        yield Server("hello, our server", *started, {"get": Request("GET", "/")}, _open())


@contextmanager
def fastapi(folder: Path, name: str, options: str, durability: str) -> Iterator[Server]:
    """FastAPI and uvicorn, one process, on raw sqlite3."""
    _ensure_installed(
        "fastapi", "uvicorn", *(["uvloop", "httptools"] if "uvloop" in options else [])
    )
    app = "benchmarks.rivals.fastapi_sessions:app"
    command = [sys.executable, "-m", "uvicorn", app, "--port", "{port}", *options.split()]
    variables = {
        "BENCH_DATABASE": str(folder / f"{name}.sqlite3"),
        "BENCH_KEY": SECRET,
        "BENCH_DURABILITY": durability,
    }
    headers = {"Authorization": f"Bearer {SECRET}"}
    with running(Program(command, variables)) as (pid, url):
        create = Request("POST", "/sessions", {"session_timeout_minutes": 5})
        made = send(url, create, headers)
        requests = {"create": create, "get": Request("GET", f"/sessions/{made['session_id']}")}
        yield Server(name, pid, url, requests, dict.fromkeys(requests, headers))


@contextmanager
def moto() -> Iterator[Server]:
    """moto_server: put and get of one DynamoDB item, the closest to a session."""
    _ensure_installed("moto", "flask_cors")
    command = [str(Path(sys.executable).with_name("moto_server")), "-p", "{port}"]
    with running(Program(command)) as (pid, url):
        send(url, Request("POST", "/", _TABLE), _amazon("CreateTable"))
        key = {"id": {"S": "0b8f7a52-6f0e-4f0a-9d5c-0f6f5b6c0001"}}
        item = {**key, "status": {"S": "active"}, "timeout": {"N": "5"}, "url": {"S": "/"}}
        requests = {
            "create": Request("POST", "/", {"TableName": "sessions", "Item": item}),
            "get": Request("POST", "/", {"TableName": "sessions", "Key": key}),
        }
        headers = {"create": _amazon("PutItem"), "get": _amazon("GetItem")}
        send(url, requests["create"], headers["create"])
        yield Server("moto_server", pid, url, requests, headers)


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
    if shutil.which("npx") is None:
        raise RivalUnavailable("npm is not installed")
    data = folder / "json-server.json"
    data.write_text(json.dumps({"sessions": [{"id": 1, "status": "active", "timeout": 5}]}))
    command = ["npx", "--yes", "json-server@0.17.4", "--quiet", "--port", "{port}", str(data)]
    with running(Program(command)) as (pid, url):
        requests = {
            "create": Request("POST", "/sessions", {"status": "active", "timeout": 5}),
            "get": Request("GET", "/sessions/1"),
        }
        yield Server("json-server", pid, url, requests, {"create": {}, "get": {}})


def _gunicorn(app: str, options: str) -> Program:
    command = [sys.executable, "-m", "gunicorn", app, "--bind", "127.0.0.1:{port}"]
    return Program([*command, *options.split()])


def _open() -> dict[str, dict[str, str]]:
    return {"get": {}}


def _ensure_installed(*packages: str) -> None:
    missing = [each for each in packages if find_spec(each) is None]
    if missing:
        raise RivalUnavailable(f"{' and '.join(missing)} not installed: install the extra `bench`")
