"""The thread of the requests that write."""

from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from sessionary import store
from sessionary.http_server.outcome import Outcome
from sessionary.http_server.writer import Writer
from sessionary.store import Namespace
from tests.processes import TIMEOUT_SECONDS


@pytest.fixture
def namespace(tmp_path: Path) -> Iterator[Namespace]:
    opened = store.open_namespace(str(tmp_path / "test.sqlite3"), durability="full")
    yield opened
    opened.close()


def test_a_shutdown_while_a_group_is_open_ends_the_thread(namespace: Namespace) -> None:
    writer = Writer()
    stopping = Thread(target=writer.shutdown, daemon=True)

    def respond() -> Outcome:
        with namespace.activate(), store.transaction():
            stopping.start()
            while writer._jobs.empty():
                pass
        return True

    assert writer.submit(respond).result(TIMEOUT_SECONDS) is True
    stopping.join(TIMEOUT_SECONDS)
    assert not stopping.is_alive()
