"""Whoever holds connections to the metrics keeps nobody else from asking."""

import select
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest

from sessionary.metrics.exporter import MOST
from tests.processes import COMMAND, clean_environment, running_process
from tests.raw_http import connect

ASK = b"GET /metrics HTTP/1.1\r\nHost: here\r\n\r\n"
DOUBLE = ("double", "--port", "0", "--metrics", "127.0.0.1:0")
WITH_PATIENCE = (
    "from sessionary.metrics import exporter; exporter.PATIENCE_SECONDS = {}\n"
    f"from sessionary.cli import main; main({DOUBLE!r})"
)


@contextmanager
def measured(*command: str) -> Iterator[str]:
    """The address of the metrics of one process that this command starts."""
    with running_process(list(command), clean_environment()) as process:
        assert process.popen.stdout is not None
        yield process.popen.stdout.readline().removeprefix("Metrics: ").strip()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with measured(COMMAND, *DOUBLE) as found:
        yield found


def test_nobody_waits_for_the_silent_who_may_still_ask(url: str) -> None:
    with ExitStack() as stack:
        *silent, asking = [stack.enter_context(connect(url)) for _ in range(4)]
        for each in (asking, *silent):
            each.send(ASK)
            assert each.expect_response().status == 200


def test_of_too_many_who_are_held_the_oldest_is_cut_off_however_patient_it_is() -> None:
    with ExitStack() as stack:
        url = stack.enter_context(measured(sys.executable, "-c", WITH_PATIENCE.format(3600)))
        oldest, *others = [stack.enter_context(connect(url)) for _ in range(MOST + 1)]
        assert oldest.read_to_end() == b""
        for each in others:
            each.send(ASK)
            assert each.expect_response().status == 200


def test_a_request_that_never_ends_is_cut_off_however_often_a_byte_of_it_comes() -> None:
    with measured(sys.executable, "-c", WITH_PATIENCE.format(0.2)) as url, connect(url) as slow:
        slow.send(b"GET /metrics HTTP/1.1\r\nX: ")
        with suppress(BrokenPipeError, ConnectionResetError):
            for _ in range(200):
                if select.select([slow.socket], [], [], 0.05)[0]:
                    break
                slow.send(b"x")
            else:
                pytest.fail("it was waited for")
        assert slow.read_to_end() == b""
