"""TLS from a certificate and its key, with non-blocking handshakes."""

import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from sessionary.factory import create_double
from sessionary.server import tls
from sessionary.settings import BadSetting, Settings
from tests.conftest import double_settings
from tests.credentials import Credentials, make_credentials
from tests.processes import (
    COMMAND,
    Process,
    run_command,
    running_server,
)
from tests.raw_http import HEAD, HEALTH, START, connect


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return make_credentials(tmp_path_factory.mktemp("credentials"))


@pytest.fixture(scope="module")
def server(credentials: Credentials, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    db = str(tmp_path_factory.mktemp("tls") / "test.sqlite3")
    options = ("--db", db, "--auth", "lenient", "--threads", "1", *credentials.options())
    with running_server(*options) as process:
        yield process


def is_served(server: Process, credentials: Credentials) -> bool:
    with connect(server.url, credentials.trust) as raw:
        raw.send(HEALTH)
        return raw.read_response() is not None


def test_a_client_that_trusts_the_certificate_is_served(
    server: Process, credentials: Credentials
) -> None:
    assert server.url.startswith("https://127.0.0.1:")
    assert is_served(server, credentials)


def test_a_client_that_does_not_trust_it_refuses_the_server(
    server: Process, credentials: Credentials
) -> None:
    with (
        pytest.raises(ssl.SSLCertVerificationError),
        connect(server.url, ssl.create_default_context()),
    ):
        pass
    assert is_served(server, credentials)


def test_http_without_tls_is_not_answered(server: Process, credentials: Credentials) -> None:
    with connect(server.url) as raw:
        raw.send(HEALTH)
        assert b"HTTP" not in raw.read_to_end()
    assert is_served(server, credentials)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_every_kind_of_request_is_answered_on_one_connection(
    server: Process, credentials: Credentials, version: ssl.TLSVersion
) -> None:
    credentials.trust.minimum_version = credentials.trust.maximum_version = version
    with connect(server.url, credentials.trust) as raw:
        for part in (HEALTH, HEALTH[:9], HEALTH[9:] + HEALTH):
            raw.send(part)
        assert [raw.expect_response().status for _ in range(3)] == [200] * 3
        raw.send(HEAD + b"Content-Length: %d\r\n\r\n" % len(START) + START[:5])
        raw.send(START[5:])
        assert json.loads(raw.expect_response().body)["timeout_minutes"] == 7
        chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(START), START)
        raw.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + HEALTH)
        assert json.loads(raw.expect_response().body)["timeout_minutes"] == 7
        assert raw.expect_response().status == 200
        raw.send(b"GET /galtea/openapi.json HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
        assert json.loads(raw.expect_response().body)["openapi"] == "3.1.0"
        assert raw.read.read() == b""


def test_a_request_larger_than_a_tls_record_is_read_completely(
    server: Process, credentials: Credentials
) -> None:
    body = START + b" " * 300_000
    with connect(server.url, credentials.trust) as raw:
        raw.send(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        assert json.loads(raw.expect_response().body)["timeout_minutes"] == 7


def test_a_client_that_reads_late_gets_every_response(
    server: Process, credentials: Credentials
) -> None:
    count = 400
    with connect(server.url, credentials.trust) as raw:
        raw.send(b"GET /galtea/openapi.json HTTP/1.1\r\nHost: here\r\n\r\n" * count)
        assert is_served(server, credentials)
        assert len({raw.expect_response().body for _ in range(count)}) == 1


def client_hello(credentials: Credentials) -> bytes:
    """Return the first message of a handshake."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = credentials.trust.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


@pytest.mark.parametrize("part", [0, 1, 40, None], ids=["nothing", "a byte", "a part", "all"])
def test_unfinished_handshakes_delay_no_other_client(
    server: Process, credentials: Credentials, part: int | None
) -> None:
    begun = client_hello(credentials)[:part]
    with ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(connect(server.url)).send(begun)
        assert all(is_served(server, credentials) for _ in range(5))


def test_aborted_handshakes_do_not_affect_other_clients(
    server: Process, credentials: Credentials
) -> None:
    for sent in (b"", b"\x16\x03\x01", b"\x00" * 2000, client_hello(credentials)):
        with connect(server.url) as raw:
            raw.send(sent)
            raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert is_served(server, credentials)


def test_a_key_of_another_certificate_is_refused_before_the_server_listens(
    credentials: Credentials, tmp_path: Path
) -> None:
    """The port is in use: an attempt to listen would be the error."""
    db, other = tmp_path / "test.sqlite3", tmp_path / "other.pem"
    trustme.CA().issue_cert("127.0.0.1").private_key_pem.write_to_path(str(other))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        options = [*credentials.options()[:3], str(other), "--db", str(db), "--port", port]
        ended = run_command(COMMAND, "serve", *options)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"Error: tls_certificate {credentials.certificate} and tls_key")
    assert ended.stderr.count("\n") == 1
    assert not db.exists()


@pytest.mark.parametrize("missing", ["tls_certificate", "tls_key"])
def test_certificate_and_key_must_be_set_together(credentials: Credentials, missing: str) -> None:
    given = {"tls_certificate": credentials.certificate, "tls_key": credentials.key, missing: None}
    with pytest.raises(BadSetting, match="go together"):
        Settings(**given)


@pytest.mark.parametrize("name", ["tls_certificate", "tls_key"])
def test_a_file_that_cannot_be_read_is_named(credentials: Credentials, name: str) -> None:
    given = {
        "tls_certificate": credentials.certificate,
        "tls_key": credentials.key,
        name: "/none.pem",
    }
    with pytest.raises(BadSetting, match=f"cannot read {name} /none.pem: No such file"):
        tls.make_context(Settings(**given))


def test_a_key_with_a_password_is_refused_without_a_prompt(
    credentials: Credentials, tmp_path: Path
) -> None:
    key = load_pem_private_key(Path(credentials.key).read_bytes(), None)
    locked = tmp_path / "locked.pem"
    form = (Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    locked.write_bytes(key.private_bytes(*form))
    with pytest.raises(BadSetting, match="without a password"):
        tls.make_context(Settings(tls_certificate=credentials.certificate, tls_key=str(locked)))


def test_a_double_refuses_tls(credentials: Credentials) -> None:
    with pytest.raises(BadSetting, match="tls_certificate is for a server, not for a double"):
        create_double(
            double_settings(tls_certificate=credentials.certificate, tls_key=credentials.key)
        )
