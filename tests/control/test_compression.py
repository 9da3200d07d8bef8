"""Large responses of the control plane are compressed for clients that accept it."""

import gzip
from typing import Any

import pytest

from sessionary.web.held import LARGE, LOAD, MEDIUM
from tests.control.conftest import Double

GZIP = {"Accept-Encoding": "br, gzip"}
LANES = "/lanes?from=2026-03-01T12:00:00Z&to=2026-03-01T13:00:00Z"


@pytest.fixture
def large(double: Double) -> Double:
    """A double with 200 sessions."""
    for _ in range(200):
        double.start()
    return double


@pytest.mark.parametrize("load", [None, MEDIUM, LARGE])
@pytest.mark.parametrize("limit", [100, 16], ids=["in memory", "in a file"])
def test_a_large_response_is_compressed_with_its_length(
    large: Double, monkeypatch: pytest.MonkeyPatch, load: int | None, limit: int
) -> None:
    monkeypatch.setattr("sessionary.web.spool.MEMORY_BYTES", limit * 1024)
    environ: Any = {} if load is None else {LOAD: load}
    plain = large.call("GET", LANES)
    answer = large.call("GET", LANES, headers=GZIP, environ_overrides=environ)
    assert gzip.decompress(answer.data) == plain.data
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert int(answer.headers["Content-Length"]) == len(answer.data) < len(plain.data) / 2
    assert "Content-Encoding" not in plain.headers


@pytest.mark.parametrize(
    ("path", "accepted"),
    [
        ("/_control/v1/clock", "gzip"),
        (f"/_control/v1{LANES}", "gzip;q=0"),
        (f"/_control/v1{LANES}", "identity"),
        (f"/_control/v1{LANES}&limit=9", "gzip"),
        ("/_control/v1/namespaces/default/snapshot", "gzip"),
        ("/notte/openapi.json", "gzip"),
    ],
)
def test_other_responses_are_sent_as_they_are(large: Double, path: str, accepted: str) -> None:
    answer = large.client.get(path, headers={"Accept-Encoding": accepted})
    assert answer.status_code == 200
    assert "Content-Encoding" not in answer.headers


def test_a_response_without_space_to_compress_it_is_sent_as_it_is(
    large: Double, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sessionary.web import spool

    def refuse(*_: Any, **__: Any) -> Any:
        raise spool.LargeResponseRefused("no space")

    plain = large.call("GET", LANES)
    monkeypatch.setattr("sessionary.web.spool.MEMORY_BYTES", 16 * 1024)
    monkeypatch.setattr("sessionary.control.compression.spool.collect", refuse)
    answer = large.call("GET", LANES, headers=GZIP)
    assert (answer.status_code, answer.data) == (200, plain.data)
