"""Long writes in short batches."""

import itertools
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from sessionary import store
from sessionary.durations import monotonic
from sessionary.store import batches


def test_a_batch_ends_on_time_and_the_next_continues_from_there(
    db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "_BATCH_SECONDS", 0)
    seen: list[list[int]] = []

    def find(after: int, limit: int) -> list[int]:
        return [key for key in range(1, 21) if key > after][:limit]

    def change(keys: list[int]) -> int:
        seen.append(keys)
        return len(keys)

    namespace = store.open_namespace(str(db), durability="normal")
    with namespace.activate():
        assert list(store.run_in_batches(find, change)) == [4, 4, 4, 4, 4]
    namespace.close()
    assert [key for keys in seen for key in keys] == list(range(1, 21))


def test_a_batch_takes_ten_milliseconds(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock that goes on by a millisecond for each row."""
    clock = itertools.count(step=0.001)
    monkeypatch.setattr(batches, "monotonic", lambda: next(clock))
    monkeypatch.setattr(batches, "_CHUNK_SIZE", 1)

    def find(after: int, limit: int) -> range:
        return range(after + 1, min(after + limit, 2_000) + 1)

    namespace = store.open_namespace(str(db), durability="normal")
    with namespace.activate():
        counts = list(store.run_in_batches(find, len))
    namespace.close()
    assert sum(counts) == 2_000
    assert max(counts) <= 12


def test_others_write_between_two_batches(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A waiting writer gets the lock before the work is done."""
    monkeypatch.setattr(batches, "_BATCH_SECONDS", 0)
    namespace = store.open_namespace(str(db), durability="normal")

    def find(after: int, _: int) -> list[int]:
        return [after + 1] if after < 10_000 else []

    def write() -> None:
        with namespace.activate(), store.transaction():
            namespace.database.run("UPDATE organization SET name = 'written in between'")
        is_written.set()

    is_written = threading.Event()
    with namespace.activate():
        writer = threading.Thread(target=write)
        for number, _ in enumerate(store.run_in_batches(find, len)):
            if number == 0:
                writer.start()
            if is_written.is_set():
                break
    was_written = is_written.is_set()
    writer.join()
    namespace.close()
    assert was_written


def test_a_restored_file_is_prepared_before_writers_have_to_wait(db: Path) -> None:
    """A writer waits for the copy, and not for the work on it."""
    namespace = store.open_namespace(str(db), durability="off")
    many = """WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
        INSERT INTO many SELECT i, hex(randomblob(40)) FROM n"""
    with namespace.activate():
        namespace.database.run("CREATE TABLE many(i INTEGER PRIMARY KEY, text TEXT UNIQUE)")
        namespace.database.run(many)
    contents, waits, is_over = namespace.contents(), [0.0], threading.Event()

    def write() -> None:
        while not is_over.is_set():
            started = monotonic()
            # What has waited for the copy is refused: it was made for other contents.
            with suppress(store.NamespaceClosed), namespace.activate(), store.transaction():
                pass
            waits.append(monotonic() - started)

    writer = threading.Thread(target=write)
    writer.start()
    started = monotonic()
    namespace.restore(contents)
    took = monotonic() - started
    is_over.set()
    writer.join()
    namespace.close()
    assert max(waits) < took * 0.7
