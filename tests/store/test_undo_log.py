"""The undo log: a namespace as of a past instant equals what it was then, row by row."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import peewee as pw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionary import clock, store
from sessionary.factory import SCHEMA, create_double, prepare
from sessionary.settings import Settings
from sessionary.store import undo_triggers
from sessionary.surfaces import SURFACES
from tests.conftest import double_settings
from tests.control.conftest import GALTEA, MOBILENEXT, NOTTE, SCALE, Double

ANDROID = {"attribute": "platform", "operator": "EQUALS", "value": "ANDROID"}
Rows = dict[str, list[tuple[Any, ...]]]


TABLES = [table for surface in SURFACES for table in surface.tables]
READS = {
    table._meta.table_name: store.Statement(tuple, table.select(store.rowid(table), table).clone)
    for table in TABLES
}

ORDERED = {  # the first two rows of each table with a key, in order
    name: store.Statement(
        tuple,
        lambda table=table: store.narrowed(
            table.select(store.rowid(table), table).order_by(store.rowid(table)).limit(2)
        ),
    )
    for name, table in ((table._meta.table_name, table) for table in TABLES)
    if isinstance(table._meta.primary_key, pw.AutoField)
}


@pytest.fixture(autouse=True, scope="module")
def look_up_changes() -> Iterator[None]:
    """Look up which rows have changed, also of small tables."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(undo_triggers, "_FEW", 0)
        patch.setattr(undo_triggers, "_ENTRIES_EACH", 10**6)
        yield


def rows() -> Rows:
    """Return every row of every vendor table of the active namespace, as statements read it."""
    return {name: sorted(statement.rows()) for name, statement in READS.items()}


class Story:
    """Send calls to every surface, and move the clock."""

    def __init__(self) -> None:
        self.double = Double(create_double())
        self.ids: dict[str, list[str]] = {"notte": [], "galtea": [], "scale": [], "mobile": []}

    def tell(self, step: str, number: int) -> None:
        surface, call = step.split()
        if surface == "clock":
            self.double.advance(call)
            return
        ids = self.ids[surface]
        if call == "new":
            ids.append(self._new(surface, number))
        elif ids:
            self._change(surface, call, ids[number % len(ids)], number)

    def _new(self, surface: str, number: int) -> str:
        client = self.double.client
        if surface == "notte":
            return self.double.start()
        if surface == "scale":
            body = {"account_id": f"a{number % 2}", "title": "it's", "state": {"n": [number, "''"]}}
            return str(client.post("/scale/v4/sessions", json=body, headers=SCALE).json["id"])
        if surface == "mobile":
            made = client.post("/mobilenext/api/v1/sessions", headers=MOBILENEXT)
            return str(made.json["id"])
        body = {"productId": "p", "customId": f"c{number}"}
        return str(client.post("/galtea/sessions", json=body, headers=GALTEA).json["id"])

    def _change(self, surface: str, call: str, id: str, number: int) -> None:
        client = self.double.client
        if surface == "notte":
            path = "/notte/session/close" if call == "end" else "/notte/env/observe"
            client.post(path, json={"session_id": id, "keep_alive": True}, headers=NOTTE)
        elif surface == "scale":
            path = f"/scale/v4/sessions/{id}"
            if call == "end":
                client.delete(path, headers=SCALE)
            else:
                client.patch(path, json={"title": f"é{number}\n"}, headers=SCALE)
        elif surface == "mobile":
            self._hold_or_release(id, call)
        elif call == "end":
            client.delete(f"/galtea/sessions/{id}", headers=GALTEA)
        else:
            body = {"metadata": {"n": number}}
            client.patch(f"/galtea/sessions/{id}", json=body, headers=GALTEA)

    def _hold_or_release(self, id: str, call: str) -> None:
        client, path = self.double.client, f"/mobilenext/api/v1/sessions/{id}/devices"
        held = client.get(path, headers=MOBILENEXT).json.get("data")  # none once it is void
        if call == "change":
            client.post(path, json={"filters": [ANDROID]}, headers=MOBILENEXT)
        elif held:
            client.post(f"{path}/{held[-1]['id']}/release", headers=MOBILENEXT)


steps = st.sampled_from(
    [
        f"{name} {call}"
        for name in ("notte", "galtea", "scale", "mobile")
        for call in ("new", "change", "end")
    ]
    + [f"clock {by}" for by in ("+1us", "1m", "17m", "-1us", "-1m", "-18m", "0s")]
)


@settings(max_examples=40)
@given(told=st.lists(steps, max_size=30))
def test_each_instant_reads_as_it_was_when_it_was_last_shown(told: list[str]) -> None:
    story = Story()
    shown: dict[int, Rows] = {}
    namespace = story.double.control.namespace
    with namespace.activate():
        shown[0] = rows()
    for number, step in enumerate(told):
        story.tell(step, number)
        with namespace.activate():
            now = clock.now()
            shown = {at: found for at, found in shown.items() if at < now} | {now: rows()}
    instants = [*sorted(shown), now + 1] if told else [*shown, 1]
    with namespace.activate():
        for at, following in pairwise(instants):
            for each in {at, following - 1}:
                with store.undo_log.reading(store.undo_log.position_at(each)):
                    found = rows()
                    first = {name: list(each.rows()) for name, each in ORDERED.items()}
                assert found == shown[at]
                assert first == {name: found[name][:2] for name in ORDERED}


@pytest.fixture
def file_double(tmp_path: Path) -> str:
    """A database that a double has used, with a session in it."""
    path = str(tmp_path / "test.sqlite3")
    double = Double(create_double(double_settings(db=path)))
    double.start()
    assert double.control.namespaces is not None
    double.control.namespaces.close()
    return path


def test_a_server_removes_the_undo_log_of_a_double(file_double: str) -> None:
    namespace = prepare(Settings(db=file_double, auth="lenient")).namespace
    with namespace.activate():
        triggers = namespace.database.run("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        assert triggers.fetchall() == []
        assert not store.has_undo_log()
        assert namespace.database.run("SELECT count(*) FROM notte_sessions").fetchone() == (1,)
        store.undo_log.disable(SCHEMA.tables)
    namespace.close()


def test_a_double_continues_its_undo_log(file_double: str) -> None:
    double = Double(create_double(double_settings(db=file_double)))
    changes = double.get("/diff?from=2000-01-01T00:00:00Z")["changes"]
    assert [each["call"] for each in changes] == ["POST /notte/session/start"]
    assert double.control.namespaces is not None
    double.control.namespaces.close()
