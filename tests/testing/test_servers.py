"""Server and RemoteServer without the plugin: listening, or mounted as a WSGI application."""

from datetime import UTC, datetime
from io import BytesIO

import httpx
import pytest
import requests
from werkzeug.test import Client as WSGIClient

from sessionary.client import Client, ControlError
from sessionary.settings import BadSetting
from sessionary.testing import RemoteServer, Server

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TITLE = {"title": "t", "state": {}, "account_id": "a"}


def test_a_server_listens_between_enter_and_exit() -> None:
    from galtea import Galtea

    with Server() as server:
        namespace = server.namespace(now=NOON)
        with Galtea(api_key=namespace.galtea.key, base_url=namespace.galtea.url) as galtea:
            session = galtea.sessions.create(version_id="ver_123")
        namespace.clock.advance(minutes=1)
        assert namespace.explain(session.id)["status"] == "PENDING"
        assert namespace.clock.now().minute == 1
        url = namespace.galtea.url
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=10)


def test_control_calls_have_the_same_results_with_and_without_a_socket() -> None:
    with Server() as server:
        namespace = server.namespace(now=NOON)
        over_http = Client(server.url, namespace.namespace)
        requests.post(
            f"{namespace.notte.url}/session/start",
            json={},
            headers={"Authorization": f"Bearer {namespace.notte.key}"},
            timeout=10,
        )
        assert over_http.sessions() == namespace.sessions()
        assert over_http.timeline() == namespace.timeline()
        assert over_http.journal.find() == namespace.journal.find()
        assert over_http.namespaces.snapshot() == namespace.namespaces.snapshot()
        for client in (over_http, namespace):
            with pytest.raises(ControlError, match="/by must be"):
                client.clock.advance("ärger")
            with pytest.raises(ControlError, match="session 'Ärger 1' not found"):
                client.explain("Ärger 1", "notte")


def test_a_mounted_server_needs_no_socket_for_httpx() -> None:
    from scale_gp import SGPClient

    server = Server()
    namespace = server.namespace(now=NOON)
    with SGPClient(
        api_key=namespace.scale.key,
        account_id="a",
        base_url=namespace.scale.url,
        http_client=httpx.Client(transport=httpx.WSGITransport(server)),
    ) as scale:
        scale.post("/v4/sessions", cast_to=object, body=TITLE)
    (session,) = namespace.sessions()
    assert session["since"] == "2026-03-01T12:00:00.000000Z"
    server.stop()


class _WSGIAdapter(requests.adapters.BaseAdapter):
    """Send requests to a WSGI application in this process."""

    def __init__(self, application: Server) -> None:
        super().__init__()
        self._client = WSGIClient(application)

    def send(  # type: ignore[override]
        self, request: requests.PreparedRequest, **_: object
    ) -> requests.Response:
        assert request.url is not None
        answer = self._client.open(
            request.url, method=request.method, data=request.body, headers=dict(request.headers)
        )
        response = requests.Response()
        response.status_code = answer.status_code
        response.headers.update(answer.headers)
        response.raw = BytesIO(answer.data)
        return response

    def close(self) -> None:
        """Do nothing: no connection is open."""


def test_a_mounted_server_needs_no_socket_for_requests() -> None:
    server = Server()
    namespace = server.namespace()
    with requests.Session() as session:
        session.mount(server.url, _WSGIAdapter(server))
        session.headers["x-api-key"] = namespace.scale.key
        answer = session.post(f"{namespace.scale.url}/v4/sessions", json=TITLE)
    assert answer.headers["Sessionary-Namespace"] == namespace.namespace
    assert len(namespace.sessions()) == 1
    server.stop()


def test_a_namespace_can_be_dropped_twice() -> None:
    server = Server()
    namespace = server.namespace()
    namespace.drop()
    namespace.drop()
    assert server.client.namespaces.list() == ["default"]
    server.stop()


def test_a_stopped_server_says_that_it_was_stopped() -> None:
    with Server() as server:
        namespace = server.namespace()
    with pytest.raises(ConnectionError, match="this server was stopped"):
        namespace.clock.get()


def test_an_unknown_or_invalid_setting_is_refused() -> None:
    with pytest.raises(TypeError, match="gatlea_parents"):
        Server(gatlea_parents="strict")
    with pytest.raises(BadSetting, match="galtea_references must be one of"):
        Server(galtea_references="ajar")


def test_a_double_with_a_token_requires_it() -> None:
    with Server(control_token="hush") as server:
        assert server.namespace(now=NOON).clock.now() == NOON
        assert RemoteServer(server.url, "hush").namespace(now=NOON).clock.now() == NOON
        with pytest.raises(ControlError, match="Not authenticated"):
            RemoteServer(server.url).start()


def test_hundreds_of_dropped_namespaces_leave_nothing_behind() -> None:
    server = Server(max_namespaces=3)
    for _ in range(200):
        server.namespace().drop()
    assert server.client.namespaces.list() == ["default"]
    server.stop()


def test_a_refused_seed_or_fault_leaves_no_namespace() -> None:
    server = Server()
    with pytest.raises(ControlError):
        server.namespace(faults=[{"surface": "notte", "kind": "unknown"}])
    with pytest.raises(ControlError):
        server.namespace(seed="[[nothing]]")
    assert server.client.namespaces.list() == ["default"]
    server.stop()


def test_a_remote_server_drops_its_namespaces_at_the_end(remote_url: str) -> None:
    with RemoteServer(remote_url) as double:
        double.namespace()
        assert len(double.client.namespaces.list()) == 2
    assert Client(remote_url).namespaces.list() == ["default"]
