"""The console's files, and the way that a browser and an API client take to them."""

import gzip
import re
from hashlib import sha256
from importlib.resources import files as package_files
from urllib.parse import urljoin

import pytest

from sessionary import create_app
from sessionary.control.console import files
from tests.conftest import double_settings
from tests.control.conftest import Double

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PLACE = package_files("sessionary.control.console")
VENDORED = (PLACE / "VENDORED.md").read_text()
OWN = {name: text.decode() for name, text in files.assets().items() if "vendor/" not in name}
FORBIDDEN = (
    "innerHTML outerHTML insertAdjacentHTML dangerouslySetInnerHTML eval( Function( document.write"
)


@pytest.mark.parametrize(
    "path", ["/", "/~t42", "/~t42/", "/_control/console", "/~t42/_control/console"]
)
def test_a_browser_is_led_to_the_console(double: Double, path: str) -> None:
    answer = double.client.get(path, headers=HTML)
    assert answer.status_code == 302
    # It is relative, for proxies that add a prefix.
    target = urljoin(path, answer.headers["Location"])
    assert target == ("/~t42" if "~" in path else "") + "/_control/console/"
    page = double.client.get(target, headers=HTML)
    assert (page.status_code, page.mimetype) == (200, "text/html")


def test_an_api_client_gets_its_404(double: Double) -> None:
    for accept in ({}, {"Accept": "application/json"}, {"Accept": "*/*"}):
        answer = double.client.get("/", headers=accept)
        assert (answer.status_code, answer.json["error"]) == (404, "not_found")
    assert double.client.post("/", headers=HTML).status_code == 404


@pytest.mark.parametrize(("control", "status"), [(True, 302), (False, 404)])
def test_a_server_has_a_console_only_with_its_control_plane(control: bool, status: int) -> None:
    token = "secret" if control else None
    settings = double_settings(control=control, control_token=token, journal=control)
    client = create_app(settings).test_client()
    assert client.get("/", headers=HTML).status_code == status
    assert client.get("/_control/console/").status_code == (200 if control else 404)


@pytest.mark.parametrize("name", ["", *sorted(files.assets()), "demo.toml"])
def test_each_file_has_a_type_a_tag_and_the_headers_of_a_locked_page(
    double: Double, name: str
) -> None:
    answer = double.client.get(f"/_control/console/{name}")
    assert answer.status_code == 200
    assert answer.mimetype in {each.partition(";")[0] for each in files.TYPES.values()}
    assert {key: answer.headers[key] for key in files.HEADERS} == files.HEADERS
    again = double.client.get(
        f"/_control/console/{name}", headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("name", ["x.js", "../files.py", "vendor", "static/app.js", "app.js/"])
def test_what_is_no_file_is_a_problem(double: Double, name: str) -> None:
    answer = double.client.get(f"/_control/console/{name}")
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")


def test_reading_the_console_leaves_no_trace(double: Double) -> None:
    double.client.get("/", headers=HTML)
    double.client.get("/_control/console/", headers=HTML)
    double.client.get("/~new/_control/console/app.js")
    assert double.calls() == []
    assert double.get("/namespaces")["namespaces"] == ["default"]


def test_a_browser_gets_all_of_the_page_in_at_most_80_kb(double: Double) -> None:
    size = 0
    for name, content in files.assets().items():
        answer = double.client.get(
            f"/_control/console/{name}", headers={"Accept-Encoding": "gzip, br"}
        )
        assert (answer.headers["Content-Encoding"], answer.vary) == ("gzip", {"Accept-Encoding"})
        assert gzip.decompress(answer.data) == content
        size += len(answer.data)
    assert size <= 80_000


def test_files_are_public_and_data_are_not() -> None:
    client = create_app(double_settings(control=True, control_token="secret")).test_client()
    assert client.get("/_control/console/app.js").status_code == 200
    assert client.get("/_control/v1/clock").status_code == 401


@pytest.mark.parametrize("name", OWN)
def test_the_pages_own_code_puts_in_text_only(name: str) -> None:
    assert [word for word in FORBIDDEN.split() if word in OWN[name]] == []
    assert "http://" not in OWN[name].replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in OWN[name]


def test_the_vendored_module_is_the_one_in_the_table() -> None:
    assert "vendor/preact.js" in VENDORED
    table = dict(re.findall(r"^\| (vendor/\S+) \| ([0-9a-f]{64}) \|$", VENDORED, re.MULTILINE))
    vendored = {name: text for name, text in files.assets().items() if name not in OWN}
    assert {name: sha256(text).hexdigest() for name, text in vendored.items()} == table
    assert b"sourceMappingURL" not in b"".join(vendored.values())


def test_each_vendored_package_has_a_version_and_the_text_of_its_licence() -> None:
    row = r"^\| (\S+) \| [\d.]+ \| (\S+) \| (licences/\S+) \|$"
    packages = re.findall(row, VENDORED, re.MULTILINE)
    assert len(packages) == 4
    for _, licence, path in packages:
        assert licence.partition("-")[0] in (PLACE / path).read_text()
