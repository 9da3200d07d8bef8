"""Namespaces: isolated databases, selected by name."""

import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest

from sessionary import store
from sessionary.identity import authenticate_key
from sessionary.seeds.loader import BadSeed, Seed
from tests.control.conftest import GALTEA, MOBILENEXT, NOON, NOTTE, SCALE, Double, MakeDouble
from tests.seed_rows import row

SEED = row("organizations") + row("notte.sessions", 'timeout_minutes = 5; created_ago = "3m"')


def test_a_namespace_is_created_with_a_given_or_generated_name(double: Double) -> None:
    assert double.post("/namespaces", {"name": "t1"}, status=201)["name"] == "t1"
    made_up = double.post("/namespaces", status=201)["name"]
    assert double.get("/namespaces")["namespaces"] == ["default", "t1", made_up]


def test_a_new_namespace_is_empty_and_its_clock_is_real(double: Double) -> None:
    double.start()
    made = double.post("/namespaces", {"name": "t1"}, status=201)
    assert made["clock"]["mode"] == "real"
    assert made["clock"]["now"] == made["clock"]["wall_time"]
    assert double.get("/sessions", ns="t1")["sessions"] == []


def test_a_namespace_can_be_created_at_an_instant_and_with_a_seed(double: Double) -> None:
    seed = {
        "organizations": [{"id": "acme", "name": "Acme"}],
        "scale": {
            "sessions": [
                {
                    "id": "0b8f7a52-6f0e-4f0a-9d5c-0f6f5b6c0b02",
                    "account_id": "acme",
                    "title": "one",
                    "created_ago": "2d",
                }
            ]
        },
    }
    made = double.post("/namespaces", {"name": "t1", "now": NOON, "seed": seed}, status=201)
    assert made["clock"]["now"] == NOON
    (found,) = double.get("/sessions", ns="t1")["sessions"]
    assert found["since"] == "2026-02-27T12:00:00.000000Z"


def test_a_refused_seed_creates_no_namespace(double: Double) -> None:
    refused = double.post("/namespaces", {"name": "t1", "seed": {"nonsense": []}}, status=400)
    assert "unknown table [[nonsense]]" in refused["detail"]
    assert double.get("/namespaces")["namespaces"] == ["default"]


def test_a_refused_seed_drops_no_namespace_that_another_has_made(
    double: Double, monkeypatch: pytest.MonkeyPatch
) -> None:
    namespaces = double.control.namespaces
    assert namespaces is not None

    def refuse(*_: object) -> None:
        namespaces.create("t1")
        raise BadSeed("refused")

    monkeypatch.setattr(Seed, "apply", refuse)
    double.post("/namespaces", {"name": "t1", "seed": {"organizations": []}}, status=400)
    assert namespaces.names() == ["default", "t1"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer sk-notte-ns-t42-anything"},
        {"Authorization": "Bearer sk-notte-ns-t42-"},
        {"Authorization": "Bearer ns-t42-anything"},
        {"Authorization": "bearer ns-t42-anything"},
        NOTTE | {"Sessionary-Namespace": "t42"},
    ],
)
def test_a_namespace_is_selected_by_a_key_or_a_header(
    double: Double, headers: dict[str, str]
) -> None:
    answer = double.client.post("/notte/session/start", json={}, headers=headers)
    assert answer.headers["Sessionary-Namespace"] == "t42"
    assert double.status(answer.json["session_id"]) is None
    assert double.status(answer.json["session_id"], ns="t42") == "active"


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/galtea/sessions", {"Authorization": "Bearer gsk_ns-t42-x"}),
        ("/sessions", {"Authorization": "Bearer gsk-ns-t42-x"}),
        ("/api/v1/sessions", {"Authorization": "Bearer mob_ns-t42-x"}),
        ("/v4/sessions", {"x-api-key": "ns-t42-x"}),
        ("/~t42/v4/sessions", SCALE),
        ("/~t42/mobilenext/api/v1/sessions", MOBILENEXT),
        ("/~t42/sessions", GALTEA),
        ("/~t42/sessions", NOTTE | {"x-notte-sdk-version": "1"}),
    ],
)
def test_every_surface_answers_in_a_named_namespace(
    double: Double, path: str, headers: dict[str, str]
) -> None:
    answer = double.client.get(path, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["Sessionary-Namespace"] == "t42"


def test_the_header_and_the_path_precede_the_key_and_must_agree(double: Double) -> None:
    key = {"Authorization": "Bearer sk-notte-ns-bykey-x"}
    by_path = double.client.get("/~bypath/notte/sessions", headers=key)
    assert by_path.headers["Sessionary-Namespace"] == "bypath"
    both = key | {"Sessionary-Namespace": "byheader"}
    by_header = double.client.get("/notte/sessions", headers=both)
    assert by_header.headers["Sessionary-Namespace"] == "byheader"
    assert double.client.get("/~bypath/notte/sessions", headers=both).status_code == 400


def test_a_key_that_only_resembles_a_namespace_key_is_ordinary(double: Double) -> None:
    for key in ("ns-T42-x", "ns-t42", "sk-notte-xns-t42-x", f"ns-{'a' * 41}-x"):
        headers = {"Authorization": f"Bearer {key}"}
        answer = double.client.get("/notte/sessions", headers=headers)
        assert answer.headers["Sessionary-Namespace"] == "default", key


@pytest.mark.parametrize("name", ["T42", "a-b", "a" * 41, "", "ä"])
def test_a_bad_name_is_refused_in_the_vendors_error_format(double: Double, name: str) -> None:
    answer = double.client.get(f"/~{name}/notte/sessions", headers=NOTTE)
    assert answer.status_code == 400
    assert "1 to 40 of the characters a-z, 0-9 and _" in answer.json["detail"]
    refused = double.post("/namespaces", {"name": name}, status=400)
    assert "a-z, 0-9 and _" in refused["detail"]


def test_a_name_cannot_be_used_twice(double: Double) -> None:
    double.post("/namespaces", {"name": "t1"}, status=201)
    assert "already" in double.post("/namespaces", {"name": "t1"}, status=409)["detail"]


def test_more_namespaces_than_the_maximum_are_refused(
    make_double: Callable[..., Double],
) -> None:
    double = make_double(max_namespaces=2)
    double.post("/namespaces", {"name": "t1"}, status=201)
    assert "--max-namespaces" in double.post("/namespaces", {"name": "t2"}, status=409)["detail"]
    answer = double.client.get("/~t2/notte/sessions", headers=NOTTE)
    assert answer.status_code == 503
    assert "--max-namespaces" in answer.json["detail"]
    assert double.call("DELETE", "/namespaces/t1").status_code == 204
    assert double.post("/namespaces", {"name": "t2"}, status=201)["name"] == "t2"


def test_a_reset_restores_rows_clock_and_undo_log(double: Double) -> None:
    id = double.start()
    shown = double.post("/namespaces/default/reset")
    assert shown["clock"]["mode"] == "real"
    assert double.status(id) is None
    assert double.get("/diff?from=2000-01-01T00:00:00Z")["changes"] == []


def test_a_fork_is_independent_of_its_origin(double: Double) -> None:
    id = double.start()
    made = double.post("/namespaces/default/fork", {"name": "copy"}, status=201)
    assert made["clock"]["now"] == NOON
    double.close(id)
    assert (double.status(id), double.status(id, ns="copy")) == ("closed", "active")
    changed = double.get("/diff?from=2000-01-01T00:00:00Z", ns="copy")["changes"]
    assert [each["session"] for each in changed] == [id]


def test_a_snapshot_is_a_database_file_that_can_be_restored(double: Double, tmp_path: Path) -> None:
    id = double.start()
    answer = double.call("GET", "/namespaces/default/snapshot")
    file = tmp_path / "test.sqlite3"
    file.write_bytes(answer.data)
    with sqlite3.connect(file) as found:
        assert found.execute("SELECT id FROM notte_sessions").fetchall() == [(id,)]
    found.close()
    double.close(id)
    double.call("POST", "/namespaces/default/restore", data=answer.data)
    assert double.status(id) == "active"
    double.call("POST", "/namespaces/other/restore", data=answer.data)
    assert double.status(id, ns="other") == "active"


def test_a_file_in_wal_mode_can_be_restored(double: Double, tmp_path: Path) -> None:
    file = tmp_path / "test.sqlite3"
    file.write_bytes(double.call("GET", "/namespaces/default/snapshot").data)
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    assert file.read_bytes()[18:20] == b"\x02\x02"
    restored = double.call("POST", "/namespaces/t1/restore", data=file.read_bytes())
    assert restored.status_code == 200


@pytest.mark.parametrize(
    ("contents", "detail"),
    [(b"", "not a SQLite database"), (b"SQLite format 3\0junk", "cannot be used")],
)
def test_a_file_that_is_not_a_namespace_is_not_restored(
    double: Double, contents: bytes, detail: str
) -> None:
    id = double.start()
    answer = double.call("POST", "/namespaces/default/restore", data=contents)
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
    assert detail in answer.json["detail"]
    assert double.status(id) == "active"


def test_a_database_of_another_program_is_not_restored(double: Double, tmp_path: Path) -> None:
    file = tmp_path / "other.sqlite3"
    with sqlite3.connect(file) as other:
        other.execute("CREATE TABLE t (x)")
        other.execute("PRAGMA user_version = 2")
    other.close()
    answer = double.call("POST", "/namespaces/default/restore", data=file.read_bytes())
    assert answer.status_code == 400
    assert "it is the database of another program" in answer.json["detail"]


def test_a_dropped_namespace_is_gone_and_its_name_can_be_reused(double: Double) -> None:
    id = double.start(ns="t1")
    assert double.call("DELETE", "/namespaces/t1").status_code == 204
    assert double.call("GET", "/namespaces/t1").status_code == 404
    assert double.status(id, ns="t1") is None
    assert double.call("DELETE", "/namespaces/default").status_code == 400


@pytest.mark.parametrize("change", ["drop", "reset"])
def test_a_request_that_waits_for_a_dropped_or_reset_namespace_is_cut(
    double: Double, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    namespaces = double.control.namespaces
    assert namespaces is not None
    namespace = namespaces.create("t1")
    activate = namespace.activate
    is_waiting, errors = threading.Event(), []

    def notify_and_activate(*generation: int) -> AbstractContextManager[None]:
        is_waiting.set()
        return activate(*generation)

    def ask() -> None:
        try:
            double.app.test_client().post("/~t1/notte/session/start", json={}, headers=NOTTE)
        except ConnectionResetError as error:
            errors.append(error)

    monkeypatch.setattr(namespace, "activate", notify_and_activate)
    with activate():
        asking = threading.Thread(target=ask)
        asking.start()
        assert is_waiting.wait(30)
        getattr(namespaces, change)("t1")
    asking.join()
    assert len(errors) == 1
    assert ("t1" in namespaces.names()) is (change == "reset")
    namespaces.get("t1")
    assert double.get("/sessions", ns="t1")["sessions"] == []


def test_a_call_about_a_namespace_that_is_dropped_meanwhile_gets_409(double: Double) -> None:
    double.start(ns="t1")
    namespaces = double.control.namespaces
    assert namespaces is not None
    namespaces.find("t1").close()
    seed = {"json": {"organizations": [{"id": "a", "name": "a"}]}}
    for method, path in ("GET", ""), ("GET", "/snapshot"), ("POST", "/reset"), ("POST", "/seed"):
        refused = double.call(method, f"/namespaces/t1{path}", **(seed if path == "/seed" else {}))
        assert refused.status_code == 409
        assert refused.json["detail"].startswith("namespace 't1' was dropped")


def test_namespaces_are_isolated_from_each_other(double: Double) -> None:
    """Eight threads use five namespaces; each sees only its own sessions."""
    names = [f"w{number}" for number in range(5)]
    made: dict[str, set[str]] = {name: set() for name in names}
    ready = threading.Barrier(8)

    def work(thread: int) -> None:
        client = double.app.test_client()
        ready.wait()
        for turn in range(20):
            name = names[(thread + turn) % 5]
            answer = client.post(f"/~{name}/notte/session/start", json={}, headers=NOTTE)
            made[name].add(answer.json["session_id"])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name in names:
        listed = double.get("/sessions?limit=1000", ns=name)["sessions"]
        assert {each["id"] for each in listed} == made[name]
    assert sum(map(len, made.values())) == 160


def test_a_seed_can_be_toml_or_json(double: Double) -> None:
    answer = double.call("POST", "/namespaces/default/seed", data=SEED, content_type="text/toml")
    assert answer.json == {"row_count": 2}
    bad = double.call("POST", "/namespaces/default/seed", data="x = ", content_type="text/toml")
    assert bad.status_code == 400
    assert "not TOML" in bad.json["detail"]
    body = {"organizations": [{"id": "zeta"}]}
    assert (
        "name: is required" in double.post("/namespaces/default/seed", body, status=400)["detail"]
    )


@pytest.mark.parametrize(
    ("kind", "text", "why"),
    [
        ("application/json", "{", "the seed is not JSON: "),
        ("application/json", "[]", "the seed is not JSON: "),
        ("application/json", "[" * 100_000, "the seed is not JSON: "),
        ("application/toml", "a = " + "[" * 5_000 + "]" * 5_000, "the seed is nested too deep"),
    ],
    ids=["broken", "no object", "deep JSON", "deep TOML"],
)
def test_a_seed_that_cannot_be_parsed_is_refused_with_the_reason(
    double: Double, kind: str, text: str, why: str
) -> None:
    refused = double.call("POST", "/namespaces/default/seed", data=text, content_type=kind)
    assert refused.status_code == 400
    assert refused.json is not None
    assert refused.json["detail"].startswith(why)


def test_a_new_namespace_has_the_doubles_seed_as_of_its_creation(
    make_double: Callable[..., Double], tmp_path: Path
) -> None:
    file = tmp_path / "seed.toml"
    file.write_text(SEED)
    double = make_double(seed=str(file))
    double.post("/namespaces", {"name": "t1"}, status=201)
    (found,) = double.get("/sessions", ns="t1")["sessions"]
    assert (found["id"], found["status"]) == ("0b8f7a52-6f0e-4f0a-9d5c-0f6f5b6c0b01", "active")


def test_a_file_namespace_forks_resets_and_restores_like_one_in_memory(
    make_double: Callable[..., Double], tmp_path: Path
) -> None:
    double = make_double(db=str(tmp_path / "test.sqlite3"))
    id = double.start()
    contents = double.call("GET", "/namespaces/default/snapshot").data
    double.post("/namespaces/default/fork", {"name": "copy"}, status=201)
    double.post("/namespaces/default/reset")
    assert (double.status(id), double.status(id, ns="copy")) == (None, "active")
    double.call("POST", "/namespaces/default/restore", data=contents)
    assert double.status(id) == "active"


def test_a_call_that_a_restore_overtakes_is_cut_and_writes_nothing(
    make_double: Callable[..., Double],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    double = make_double(db=str(tmp_path / "test.sqlite3"))
    namespace = double.control.namespace
    empty = namespace.contents()

    def authenticate_and_restore(*args: Any, **options: Any) -> Any:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(namespace.restore, empty).result()
        return authenticate_key(*args, **options)

    monkeypatch.setattr("sessionary.web.context.authenticate_key", authenticate_and_restore)
    with pytest.raises(ConnectionResetError):
        double.start()
    assert double.get("/sessions")["sessions"] == []
    assert caplog.records == []


def test_a_restored_file_gets_no_rows_of_earlier_calls(
    make_double: Callable[..., Double], tmp_path: Path
) -> None:
    double = make_double(db=str(tmp_path / "test.sqlite3"))
    empty = double.control.namespace.contents()
    double.control.namespace.later._is_scheduled = True  # the rows wait until they are read
    assert double.client.get("/notte/sessions", headers=NOTTE).status_code == 200
    double.control.namespace.restore(empty)
    assert double.calls() == []
    assert double.client.get("/notte/sessions", headers=NOTTE).status_code == 200
    assert len(double.calls()) == 1


def test_thousands_of_namespaces_leave_nothing_behind(double: Double) -> None:
    namespaces = double.control.namespaces
    assert namespaces is not None
    for turn in range(2):
        made = [namespaces.create(f"w{turn}_{number}") for number in range(1000)]
        for namespace in made:
            namespaces.drop(namespace.name)
        assert all(len(namespace.database.opened) == 0 for namespace in made)
    assert namespaces.names() == ["default"]
    with pytest.raises(store.NamespaceClosed), made[0].activate():
        pass


def test_a_hibernated_namespace_is_unchanged(double: Double) -> None:
    namespaces = double.control.namespaces
    assert namespaces is not None
    id = double.start(ns="first")
    namespace = namespaces.find("first")
    for number in range(250):
        namespaces.create(f"w{number}")
    assert namespace.database.is_closed()
    assert double.status(id, ns="first") == "active"
    with namespace.activate():
        namespace.hibernate()  # its own thread may not lose what it is doing
        assert namespace.database.run("SELECT id FROM notte_sessions").fetchall() == [(id,)]


def test_a_busy_namespace_is_not_hibernated(double: Double) -> None:
    namespaces = double.control.namespaces
    assert namespaces is not None
    namespace = namespaces.create("busy")
    with namespace.activate(), store.transaction():
        resting = threading.Thread(target=namespace.hibernate)
        resting.start()
        resting.join()
        assert not namespace.database.is_closed()
        namespace.hibernate()
        assert not namespace.database.is_closed()


def test_a_double_that_is_closed_does_not_answer(make_double: Callable[..., Double]) -> None:
    double = make_double()
    namespaces = double.control.namespaces
    assert namespaces is not None
    namespaces.close()
    with pytest.raises(RuntimeError, match="closed"):
        double.status("x")


def test_namespaces_are_listed_with_what_they_hold(make_double: MakeDouble) -> None:
    double = make_double()
    double.start()
    double.post("/namespaces", {"name": "a", "now": NOON}, status=201)
    double.start(ns="a", session_timeout_minutes=3)
    double.start(ns="a")
    double.post("/clock/advance", {"by": "4m"}, ns="a")
    double.post("/faults", {"surface": "notte", "preset": "overloaded"}, ns="a", status=201)
    double.post("/namespaces/a/fork", {"name": "b"}, status=201)
    found = double.get("/namespaces?detail=true")
    clock = double.get("/clock", ns="a")
    shown = {"session_count": 2, "open_count": 1, "fault_count": 1, "clock": ANY}
    assert found["namespaces"][1:] == [
        {"name": "a", **shown, "call_count": 2, "last_call_at": NOON, "parent": None},
        {"name": "b", **shown, "call_count": 0, "last_call_at": None, "parent": "a"},
    ]
    assert found["namespaces"][1]["clock"]["now"] == clock["now"]
    assert found["namespaces"][0]["session_count"] == found["namespaces"][0]["open_count"] == 1
    assert (found["next"], found["max_namespaces"]) == (None, 10_000)
    page = double.get("/namespaces?detail=true&limit=2")
    assert page["next"] == "a"
    rest = double.get("/namespaces?detail=true&limit=2&after=a")
    names = [each["name"] for each in (*page["namespaces"], *rest["namespaces"])]
    assert names == double.get("/namespaces")["namespaces"] == ["default", "a", "b"]
    assert "`next`" in double.get("/namespaces?detail=true&after=x", status=400)["detail"]
    assert double.get("/namespaces?q=fau")["namespaces"] == ["default"]


def test_details_leave_a_hibernating_namespace_asleep(
    make_double: MakeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sessionary.store.namespaces.MAX_OPEN", 1)
    double = make_double()
    for name in ("a", "b", "c"):
        double.start(ns=name)
    namespaces = double.control.namespaces
    assert namespaces is not None
    asleep = [name for name in "abc" if namespaces.find(name).database.is_closed()]
    found = double.get("/namespaces?detail=true")["namespaces"]
    assert [each["session_count"] for each in found] == [0, 1, 1, 1]
    assert asleep == [name for name in "abc" if namespaces.find(name).database.is_closed()] != []
