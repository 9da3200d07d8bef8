"""Web pages of the origins that a setting names may call a double's vendor routes."""

import json
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from typing import Any

import pytest

from sessionary.factory import create_double
from sessionary.settings import BadSetting
from tests.conftest import double_settings
from tests.processes import Process, running_double

PAGE = "http://localhost:5173"
OTHER = "https://evil.example"
ROUTES = (
    ("POST", "/notte/session/start", "authorization,content-type,x-notte-sdk-version"),
    ("DELETE", "/v4/sessions/1", "x-api-key,x-selected-account-id"),
    ("POST", "/api/v1/sessions", "authorization"),
    ("PATCH", "/galtea/sessions/1", "authorization"),
    ("GET", "/~t42@+5m/notte/sessions", "authorization"),
)


@pytest.fixture(scope="module")
def double() -> Iterator[Process]:
    with running_double("--cors-origins", f"{PAGE}, HTTPS://App.Example") as process:
        yield process


def send(
    double: Process, method: str, path: str, body: str | None = None, **headers: str
) -> HTTPResponse:
    connection: HTTPConnection = double.connect()
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    try:
        connection.request(method, path, body, named)
        response = connection.getresponse()
        response.text = response.read().decode()  # type: ignore[attr-defined]
        return response
    finally:
        connection.close()


def preflight(double: Process, method: str, path: str, origin: str, names: str) -> HTTPResponse:
    asked: dict[str, Any] = {
        "Access_Control_Request_Method": method,
        "Access_Control_Request_Headers": names,
    }
    return send(double, "OPTIONS", path, Origin=origin, Sec_Fetch_Site="cross-site", **asked)


@pytest.mark.parametrize("origin", [PAGE, "https://app.example"])
@pytest.mark.parametrize(("method", "path", "names"), ROUTES)
def test_a_preflight_of_a_vendor_route_is_answered(
    double: Process, method: str, path: str, names: str, origin: str
) -> None:
    answer = preflight(double, method, path, origin, names)
    assert answer.status == 204
    assert answer.getheader("Transfer-Encoding") is answer.getheader("Content-Length") is None
    assert answer.getheader("Access-Control-Allow-Origin") == origin
    assert method in str(answer.getheader("Access-Control-Allow-Methods")).split(", ")
    assert answer.getheader("Access-Control-Allow-Headers") == names
    assert answer.getheader("Access-Control-Allow-Credentials") is None
    assert "Origin" in str(answer.getheader("Vary"))


def test_the_call_after_it_is_answered_for_its_origin(double: Process) -> None:
    who = {"Authorization": "Bearer any", "Content_Type": "application/json"}
    page = {"Origin": PAGE, "Sec_Fetch_Site": "cross-site", "Sec_Fetch_Dest": "empty"}
    for headers, status in ((who, 200), ({}, 401)):
        answer = send(double, "POST", "/notte/session/start", "{}", **page, **headers)
        assert answer.status == status
        assert answer.getheader("Access-Control-Allow-Origin") == PAGE
        assert answer.getheader("Access-Control-Expose-Headers") == "*"
        assert "Origin" in str(answer.getheader("Vary"))


def test_a_fault_is_readable_for_the_page(double: Process) -> None:
    fault = {"surface": "notte", "status": 529}
    assert double.request("POST", "/~t1/_control/v1/faults", fault)[0] == 201
    answer = send(double, "GET", "/~t1/notte/sessions", Authorization="Bearer any", Origin=PAGE)
    assert (answer.status, answer.getheader("Access-Control-Allow-Origin")) == (529, PAGE)


def test_a_preflight_is_no_vendor_call(double: Process) -> None:
    fault = {"surface": "notte", "status": 503, "times": 1}
    double.request("POST", "/~t2/_control/v1/faults", fault)
    assert preflight(double, "GET", "/~t2/notte/sessions", PAGE, "authorization").status == 204
    assert preflight(double, "GET", "/~t3/notte/sessions", PAGE, "authorization").status == 204
    assert double.request("GET", "/~t2/_control/v1/journal/count")[1]["count"] == 0
    assert double.request("GET", "/~t2/_control/v1/faults")[1]["faults"][0]["matched_count"] == 0
    assert "t3" not in double.request("GET", "/_control/v1/namespaces")[1]["namespaces"]


@pytest.mark.parametrize("path", ["/notte/nowhere", "/~t42/notte/nowhere", "/galtea/nowhere", "/x"])
def test_a_preflight_of_an_unknown_path_is_not_found_in_the_vendors_words(
    double: Process, path: str
) -> None:
    answer = preflight(double, "GET", path, PAGE, "authorization")
    assert answer.status == 404
    assert answer.getheader("Access-Control-Allow-Origin") == PAGE
    body = json.loads(answer.text)  # type: ignore[attr-defined]
    assert ("detail" in body) is ("notte" in path)


def test_a_private_network_is_allowed_to_the_page(double: Process) -> None:
    asked = {
        "Access_Control_Request_Method": "GET",
        "Access_Control_Request_Private_Network": "true",
    }
    answer = send(double, "OPTIONS", "/notte/sessions", Origin=PAGE, **asked)
    assert answer.getheader("Access-Control-Allow-Private-Network") == "true"


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/notte/sessions", {"Origin": OTHER}),
        ("/notte/sessions", {"Origin": "null"}),
        ("/notte/sessions", {"Origin": f"{PAGE}0"}),
        ("/notte/sessions", {"Origin": PAGE, "Host": "evil.example"}),
        ("/_control/v1/clock", {"Origin": PAGE}),
        ("/~t42/_control/v1/clock", {"Origin": PAGE}),
    ],
)
def test_other_origins_hosts_and_the_control_plane_are_refused(
    double: Process, path: str, headers: dict[str, str]
) -> None:
    asked = {"Access_Control_Request_Method": "GET"}
    for method, more in (("OPTIONS", asked), ("GET", {"Authorization": "Bearer any"})):
        answer = send(double, method, path, **headers, **more)
        assert answer.status == 403
        assert answer.getheader("Access-Control-Allow-Origin") is None


def test_a_request_without_an_origin_is_answered_as_before(double: Process) -> None:
    answer = send(double, "GET", "/notte/sessions", Authorization="Bearer any")
    assert (answer.status, answer.getheader("Access-Control-Allow-Origin")) == (200, None)
    assert send(double, "OPTIONS", "/notte/sessions").status == 401


def test_no_origin_is_allowed_by_default() -> None:
    with running_double() as double:
        answer = preflight(double, "GET", "/notte/sessions", PAGE, "authorization")
        assert (answer.status, answer.getheader("Access-Control-Allow-Origin")) == (403, None)
        assert f"SESSIONARY_CORS_ORIGINS={PAGE}" in answer.text  # type: ignore[attr-defined]


def test_a_double_that_other_machines_reach_answers_named_origins_only() -> None:
    token = {"SESSIONARY_CONTROL_TOKEN": "hush"}
    with running_double("--host", "0.0.0.0", "--cors-origins", PAGE, **token) as double:  # noqa: S104
        for origin, allowed in ((PAGE, PAGE), (OTHER, None)):
            answer = preflight(double, "GET", "/notte/sessions", origin, "authorization")
            assert answer.getheader("Access-Control-Allow-Origin") == allowed


@pytest.mark.parametrize(
    "text", ["*", "localhost:5173", "http://localhost/", "http://a, b", "null"]
)
def test_what_is_no_origin_is_refused(text: str) -> None:
    with pytest.raises(BadSetting, match=r"cors_origins .* such as http://localhost:5173"):
        create_double(double_settings(cors_origins=text))
