"""What is given and cannot be used is refused in a sentence, and not ignored."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sessionary.factory import make_settings
from sessionary.settings import BadSetting
from sessionary.testing import Server
from tests.processes import COMMAND, Process, run_command, running_double, running_server
from tests.raw_http import send_and_read

MARK = b"\xef\xbb\xbf"
HEAD = (
    b"POST /notte/session/start HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer anyone\r\n"
    b"Content-Type: application/json\r\n"
)


@pytest.fixture(scope="module")
def double() -> Iterator[Process]:
    with running_double() as process:
        yield process


def error(*arguments: str, **variables: str) -> str:
    """The one sentence of a command that fails."""
    done = run_command(COMMAND, *arguments, **variables)
    assert done.returncode != 0
    return done.stderr.splitlines()[-1].removeprefix("Error: ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("host", "::1"),
        ("port", 0),
        ("ready_file", "ready.json"),
        ("metrics", "127.0.0.1:9"),
        ("log_requests", True),
        ("workers", 2),
        ("prune_ended_days", 1),
    ],
)
def test_a_double_in_the_tests_process_refuses_settings_of_a_process(
    name: str, value: object
) -> None:
    with pytest.raises(BadSetting, match=f"{name} is for a .*remove it"):
        Server(**{name: value})


def test_a_setting_that_means_nothing_to_a_command_is_refused() -> None:
    for command in (("double", "--port", "0"), ("exec", "--", "true")):
        assert error(*command, SESSIONARY_WORKERS="2") == (
            "workers is for a server, not for a double: remove it"
        )
    assert error("serve", "--port", "0", SESSIONARY_ALLOWED_HOSTS="a.example") == (
        "allowed_hosts is for a double, not for a server: remove it"
    )


def test_an_unknown_name_is_reported_with_a_near_one(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="unknown setting prot: did you mean port"):
        make_settings(prot=1)
    with pytest.raises(TypeError, match="unknown setting server"):
        Server(server="cheroot")
    file = tmp_path / "settings.toml"
    file.write_text("prot = 1")
    assert error("serve", SESSIONARY_CONFIG=str(file)).endswith(
        "unknown setting: prot: did you mean port?"
    )
    assert "no command 'sesions': did you mean sessions?" in error("sesions")
    done = run_command(COMMAND, "exec", "--", "true", SESSIONARY_THREDS="3", SESSIONARY_URL="x")
    assert done.returncode == 0
    assert done.stderr == (
        "SESSIONARY_THREDS is not a variable of Sessionary: did you mean SESSIONARY_THREADS?\n"
    )


def test_an_ipv6_address_may_be_written_in_brackets(tmp_path: Path) -> None:
    with running_double("--host", "[::1]") as double:
        assert double.url.startswith("http://[::1]:")
        assert double.request("GET", "/health")[0] == 200
    with running_server("--db", str(tmp_path / "x.sqlite3"), "--host", "[::1]") as server:
        assert server.request("GET", "/health")[0] == 200


def test_an_encoded_body_is_refused_with_the_name_of_the_header(double: Process) -> None:
    body = gzip.compress(b'{"session_timeout_minutes": 7}')
    length = b"Content-Length: %d\r\n\r\n" % len(body)
    (refused,) = send_and_read(double.url, HEAD + b"Content-Encoding: gzip\r\n" + length + body)
    assert refused.status == 415
    assert "Content-Encoding gzip" in json.loads(refused.body)["detail"]
    plain = b"Content-Encoding: identity\r\nContent-Length: 2\r\n\r\n{}"
    assert [each.status for each in send_and_read(double.url, HEAD + plain)] == [200]
    _, explained = double.request("GET", "/_control/v1/journal/1/explain")
    assert (explained["status"], explained["violations"]) == (415, [])
    assert explained["note"] == "the request could not be read; the response says why"


def test_a_byte_order_mark_is_skipped(double: Process, tmp_path: Path) -> None:
    body = MARK + b'{"session_timeout_minutes": 7}'
    head = HEAD + b"Content-Length: %d\r\n\r\n" % len(body)
    (started,) = send_and_read(double.url, head + body)
    assert json.loads(started.body)["timeout_minutes"] == 7
    seed, config = tmp_path / "seed.toml", tmp_path / "settings.toml"
    text = MARK + b'[[organizations]]\nid = "acme"\nname = "Acme"\n'
    seed.write_bytes(text)
    config.write_bytes(MARK + b'auth = "lenient"\n')
    db = str(tmp_path / "x.sqlite3")
    done = run_command(COMMAND, "seed", str(seed), "--db", db, SESSIONARY_CONFIG=str(config))
    assert (done.returncode, done.stderr) == (0, "")
    request = (
        b"POST /_control/v1/namespaces/default/seed HTTP/1.1\r\nHost: here\r\n"
        b"Content-Length: %d\r\n\r\n" % len(text)
    )
    assert [each.status for each in send_and_read(double.url, request + text)] == [200]


def test_openapi_names_the_prefix_of_the_request() -> None:
    with running_double("--trusted-proxy", "127.0.0.1") as double:
        told = {"X-Forwarded-Prefix": "/below"}
        for path, headers, url in (
            ("/notte/openapi.json", {}, "/notte"),
            ("/~t1/notte/openapi.json", {}, "/~t1/notte"),
            ("/~t1/notte/openapi.json", told, "/below/~t1/notte"),
            ("/_control/v1/openapi.json", told, "/below/_control/v1"),
        ):
            _, document = double.request("GET", path, **headers)
            assert document["servers"] == [{"url": url}]


def test_errors_of_the_command_line_are_in_its_own_words(double: Process, tmp_path: Path) -> None:
    to = ("--url", double.url)
    assert error("clock", "advance", "5 minuts", *to) == (
        "Invalid value for '[DURATION]': '5 minuts' must be a duration such as "
        '"90s", "1h30m", "2d" or "PT25H"'
    )
    assert error("faults", "clear", "99", *to) == (
        "fault 99 not found: no fault with this id is armed"
    )
    double.request("DELETE", "/_control/v1/journal")
    assert error("journal", "explain", "9999", *to) == "call 9999 not found: the journal is empty"
    assert error("explain", "", *to) == "an id or a name in a path must not be empty"
    past = ("--expires-at", "2020-01-01T00:00:00Z", "--db", str(tmp_path / "x.sqlite3"))
    created = run_command(COMMAND, "keys", "create", *past)
    assert created.stdout.splitlines()[-1] == (
        "The key has expired already: --expires-at 2020-01-01T00:00:00Z is in the past."
    )


def test_a_fault_that_is_not_a_mapping_is_refused() -> None:
    with (
        Server() as server,
        pytest.raises(TypeError, match=r"a mapping of arguments of faults.add, not \('notte'"),
    ):
        server.namespace(faults=[("notte", "x")])  # type: ignore[list-item]
