"""Clients that hold connections to the metrics do not keep others from scraping."""

import select
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest

from sessionary.metrics.exporter import MAX_CONNECTIONS
from tests.processes import COMMAND, clean_environment, running_process
from tests.raw_http import connect

SCRAPE = b"GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n"
DOUBLE = ("double", "--port", "0", "--metrics", "127.0.0.1:0")
WITH_TIMEOUT = (
    "from sessionary.metrics import exporter; exporter.TIMEOUT_SECONDS = {}\n"
    f"from sessionary.cli import main; main({DOUBLE!r})"
)


@contextmanager
def metrics_of(*command: str) -> Iterator[str]:
    """Start a command of one process; gives the address of its metrics."""
    with running_process(list(command), clean_environment()) as process:
        assert process.popen.stdout is not None
        yield process.popen.stdout.readline().removeprefix("Metrics: ").strip()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with metrics_of(COMMAND, *DOUBLE) as address:
        yield address


def test_silent_connections_delay_no_scrape_and_may_still_scrape(url: str) -> None:
    with ExitStack() as stack:
        *silent, scraping = [stack.enter_context(connect(url)) for _ in range(4)]
        for each in (scraping, *silent):
            each.send(SCRAPE)
            assert each.expect_response().status == 200


def test_the_oldest_of_too_many_connections_is_closed_before_its_deadline() -> None:
    with ExitStack() as stack:
        url = stack.enter_context(metrics_of(sys.executable, "-c", WITH_TIMEOUT.format(3600)))
        oldest, *others = [stack.enter_context(connect(url)) for _ in range(MAX_CONNECTIONS + 1)]
        assert oldest.read_to_end() == b""
        for each in others:
            each.send(SCRAPE)
            assert each.expect_response().status == 200


def test_a_request_that_never_ends_is_closed_even_if_bytes_keep_coming() -> None:
    with metrics_of(sys.executable, "-c", WITH_TIMEOUT.format(0.2)) as url, connect(url) as slow:
        slow.send(b"GET /metrics HTTP/1.1\r\nX: ")
        with suppress(BrokenPipeError, ConnectionResetError):
            for _ in range(200):
                if select.select([slow.socket], [], [], 0.05)[0]:
                    break
                slow.send(b"x")
            else:
                pytest.fail("the connection was not closed")
        assert slow.read_to_end() == b""
