"""Large seeds on a live database: other clients go on, and a seed is applied as a whole."""

import json
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.processes import (
    COMMAND,
    Process,
    clean_environment,
    run_command,
    running_double,
    running_server,
)
from tests.seeds.large_seeds import make_rows

KEY = {"Authorization": "Bearer sk-notte-anyone"}
TOKEN = {"Authorization": "Bearer the-token"}
ON_FILE = ("--auth", "lenient", "--workers", "2", "--db")


class Answers(NamedTuple):
    """What clients saw: how long each answer took, in seconds, and its status."""

    seconds: list[float]
    statuses: set[int]


@contextmanager
def clients(server: Process) -> Iterator[Answers]:
    """Read, write and check the health of a server all the time."""
    answers, is_over = Answers([], set()), threading.Event()

    def ask(method: str, path: str) -> None:
        with closing(server.connect()) as connection:
            while not is_over.is_set():
                started = time.perf_counter()
                connection.request(method, path, headers=KEY)
                response = connection.getresponse()
                response.read()
                answers.seconds.append(time.perf_counter() - started)
                answers.statuses.add(response.status)
                is_over.wait(0.005)

    calls = [("GET", "/notte/sessions"), ("POST", "/notte/sessions/start"), ("GET", "/livez")]
    threads = [threading.Thread(target=ask, args=call) for call in calls]
    for thread in threads:
        thread.start()
    try:
        while len(answers.seconds) < 20 and any(thread.is_alive() for thread in threads):
            time.sleep(0.01)
        yield answers
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


def count(db: Path, table: str) -> int:
    with closing(sqlite3.connect(db)) as connection:
        return int(connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0])  # noqa: S608


@pytest.mark.parametrize("table", ["notte.sessions", "mobilenext.sessions", "organizations"])
def test_a_seed_of_thousands_of_rows_keeps_nobody_waiting(tmp_path: Path, table: str) -> None:
    db, seed = tmp_path / "d.sqlite3", tmp_path / "large.toml"
    seed.write_text(make_rows(table, 3_000))
    with running_server(*ON_FILE, str(db)) as server:
        with clients(server) as answers:
            while len(workers := server.workers()) < 2:  # the first one answers before
                time.sleep(0.01)
            started = time.perf_counter()
            done = run_command(COMMAND, "seed", str(seed), "--db", str(db))
            took = time.perf_counter() - started
        assert done.stdout == f"Applied 3002 rows of {seed} to {db}\n"
        assert answers.statuses == {200}
        assert server.workers() == workers
    # In one long transaction, a writer waits for most of the time that the command takes.
    assert max(answers.seconds) < max(0.5, took / 2)


def test_a_prune_of_thousands_of_sessions_keeps_nobody_waiting(tmp_path: Path) -> None:
    db, seed = tmp_path / "d.sqlite3", tmp_path / "large.toml"
    seed.write_text(make_rows("notte.sessions", 8_000).replace('"2m"', '"200d"'))
    run_command(COMMAND, "seed", str(seed), "--db", str(db))
    with running_server(*ON_FILE, str(db)) as server, clients(server) as answers:
        started = time.perf_counter()
        done = run_command(COMMAND, "prune", "--ended-before", "90d", "--db", str(db), "--json")
        took = time.perf_counter() - started
    assert sum(each["sessions"] for each in json.loads(done.stdout)) == 8_000
    assert answers.statuses == {200}
    assert max(answers.seconds) < max(0.5, took / 2)


@pytest.mark.parametrize("is_double", [False, True])
def test_ten_thousand_sessions_over_the_control_plane_keep_nobody_waiting(
    tmp_path: Path, *, is_double: bool
) -> None:
    arguments = () if is_double else ("--control", *ON_FILE, str(tmp_path / "d.sqlite3"))
    run = running_double if is_double else running_server
    with run(*arguments, SESSIONARY_CONTROL_TOKEN="the-token") as server:
        with clients(server) as answers, closing(server.connect()) as connection:
            started = time.perf_counter()
            text = make_rows("notte.sessions", 10_000)
            path = "/_control/v1/namespaces/default/seed"
            connection.request("POST", path, text, TOKEN)
            response = connection.getresponse()
            assert response.read() == b'{"row_count":10002}'
            took = time.perf_counter() - started
        assert answers.statuses == {200}
    assert max(answers.seconds) < max(0.5, took / 2)


def test_a_large_seed_with_a_wrong_last_row_leaves_nothing(tmp_path: Path) -> None:
    db, seed = tmp_path / "d.sqlite3", tmp_path / "large.toml"
    text = make_rows("notte.sessions", 2_000)
    seed.write_text(text + text[text.rindex("[[") :].replace('"acme"', '"acne"'))
    with running_server(*ON_FILE, str(db)):
        done = run_command(COMMAND, "seed", str(seed), "--db", str(db))
    assert done.returncode == 1
    assert "number 2001, line 8" in done.stderr
    assert "organization 'acne' does not exist" in done.stderr
    assert count(db, "notte_sessions") == count(db, "seeded") == 0


def test_a_large_seed_that_is_killed_while_it_writes_leaves_all_or_nothing(tmp_path: Path) -> None:
    db, seed = tmp_path / "d.sqlite3", tmp_path / "large.toml"
    seed.write_text(make_rows("galtea.sessions", 8_000))
    run_command(COMMAND, "keys", "create", "--surface", "galtea", "--db", str(db))
    command = [COMMAND, "seed", str(seed), "--db", str(db)]
    with subprocess.Popen(command, env=clean_environment(), stdout=subprocess.DEVNULL) as process:
        wal = Path(f"{db}-wal")
        while process.poll() is None and not (wal.exists() and wal.stat().st_size > 500_000):
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
    with running_server(*ON_FILE, str(db)) as server:
        assert server.request("GET", "/readyz")[0] == 200
        assert server.request("POST", "/notte/sessions/start", **KEY)[0] == 200
    assert (count(db, "galtea_sessions"), count(db, "seeded")) in ((0, 0), (8_000, 8_002))
