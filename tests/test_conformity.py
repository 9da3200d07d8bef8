"""Rules that hold for every surface."""

import inspect
import json
import random
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

import pytest

from sessionary import create_app, store
from sessionary.seeds import loader
from sessionary.settings import Settings
from sessionary.surfaces import SURFACES
from sessionary.web.surface import MEANINGS, NotForced, SessionQueries, Surface, Transition
from tests.conftest import App
from tests.surfaces.sample_sessions import AT, INSERT_SAMPLES, MINUTE

MODULES = {
    "blueprint", "errors", "explanations", "fault_presets", "models", "queries", "rules",
    "schemas", "seeds", "serializers",
}  # fmt: skip
EXTRAS = {"galtea": {"references"}, "mobilenext": {"allocation", "devices", "websocket"}}
EXAMPLE = Path(loader.__file__).with_name("example.toml")
ALL = 1_000
each_surface = pytest.mark.parametrize("surface", SURFACES, ids=lambda surface: surface.name)


def module(surface: Surface, name: str) -> ModuleType:
    return import_module(f"sessionary.surfaces.{surface.name}.{name}")


def public_functions(of: ModuleType) -> list[FunctionType]:
    return [
        each
        for name, each in inspect.getmembers(of, inspect.isfunction)
        if each.__module__ == of.__name__ and not name.startswith("_")
    ]


@each_surface
def test_a_surface_has_exactly_the_modules_of_the_layout(surface: Surface) -> None:
    package = import_module(f"sessionary.surfaces.{surface.name}")
    found = {each.name for each in iter_modules(package.__path__)}
    assert found == MODULES | EXTRAS.get(surface.name, set())


@each_surface
def test_sources_has_an_entry_for_each_public_rule_and_no_other(surface: Surface) -> None:
    rules = module(surface, "rules")
    assert rules.SOURCES.keys() == {rule.__name__ for rule in public_functions(rules)}
    for name, source in rules.SOURCES.items():
        assert re.match(r"(Source|Assumed): \S", source), name


@each_surface
def test_a_rule_reads_no_clock(surface: Surface) -> None:
    for rule in public_functions(module(surface, "rules")):
        assert not {"clock", "datetime", "time"} & set(rule.__code__.co_names), rule.__qualname__


@each_surface
def test_every_http_error_has_the_documented_body(surface: Surface) -> None:
    for status in surface.error_schemas.keys() - {422}:
        schema = surface.error_schemas[status]
        assert schema.validate(surface.error_body(status, "said")) == {}


class Example(NamedTuple):
    """A surface with sessions of the example seed and of INSERT_SAMPLES, and its namespace."""

    surface: Surface
    app: App
    every: list[Any]

    @property
    def sessions(self) -> SessionQueries:
        return self.surface.sessions

    def transitions(self, session: Any) -> list[Transition]:
        """The transitions of the session itself, without those of its parts."""
        return [
            transition
            for transition in self.sessions.transitions(session)
            if transition.part is None
        ]

    def changes_count(self) -> int:
        """The number of rows changed in this namespace so far."""
        return self.app.namespace.connection().total_changes


@pytest.fixture(scope="module", params=SURFACES, ids=lambda surface: surface.name)
def example(request: pytest.FixtureRequest) -> Iterator[Example]:
    surface: Surface = request.param
    app = App(create_app(Settings(db=":memory:", auth="lenient", durability="off")))
    with closing(app.namespace), app.namespace.activate():
        app.seed(EXAMPLE.read_text())
        INSERT_SAMPLES[surface.name](random.Random(surface.name))
        every = [session for _, session in surface.sessions.page(0, ALL)]
        yield Example(surface, app, every)


def test_an_explanation_has_the_status_after_the_last_transition(example: Example) -> None:
    for session in example.every:
        transitions = example.transitions(session)
        beginning = (
            transitions[0].from_status
            if transitions
            else example.sessions.explain(session, AT).status
        )
        for now in [AT, *(transition.at + by for transition in transitions for by in (-1, 0, 1))]:
            passed = [transition.to_status for transition in transitions if now >= transition.at]
            explanation = example.sessions.explain(session, now)
            assert explanation.status == [beginning, *passed][-1]


def test_every_status_has_a_meaning_and_is_counted(example: Example) -> None:
    statuses = example.sessions.statuses
    assert set(statuses.values()) <= set(MEANINGS)
    assert example.sessions.counts(AT).keys() == statuses.keys()
    for session in example.every:
        explanation = example.sessions.explain(session, AT)
        assert example.sessions.status(session, AT) == explanation.status


def test_a_status_begins_at_its_transition(example: Example) -> None:
    for session in example.every:
        for transition in example.transitions(session):
            before, *after = (
                example.sessions.explain(session, transition.at + by).since_at for by in (-1, 0, 1)
            )
            assert before < transition.at
            assert after == [transition.at, transition.at]


def test_changing_gives_all_sessions_with_a_transition_in_the_interval(example: Example) -> None:
    id, transitions = example.sessions.id, example.sessions.transitions
    instants = {
        transition.at + by
        for each in example.every
        for transition in transitions(each)
        for by in (-1, 0, 1)
    }
    instants |= {AT, AT + 9 * MINUTE}
    for after in instants:
        for until in (after, after + 1, after + 3 * MINUTE, after + 40 * MINUTE):
            placed = list(example.sessions.changing(after, until, ALL))
            found = [session for _, session in placed]
            first = [
                min(transition.at for transition in transitions(each) if transition.at > after)
                for each in found
            ]
            ties = [(at, place) for at, (place, _) in zip(first, placed, strict=True)]
            assert ties == sorted(ties)
            assert len({id(each) for each in found}) == len(found)
            assert {id(each) for each in found} == {
                id(each)
                for each in example.every
                if any(after < transition.at <= until for transition in transitions(each))
            }
            assert list(example.sessions.changing(after, until, 3)) == placed[:3]


def test_the_counts_are_those_of_the_statuses_that_are_explained(example: Example) -> None:
    """At every instant around every transition."""
    transitions = {
        transition.at for each in example.every for transition in example.sessions.transitions(each)
    }
    for now in {AT, *(at + by for at in transitions for by in (-1, 0, 1)), AT + 99 * MINUTE}:
        explained = Counter(example.sessions.explain(each, now).status for each in example.every)
        counts = example.sessions.counts(now)
        assert {state: count for state, count in counts.items() if count} == explained


@each_surface
def test_only_scale_has_no_transitions(surface: Surface) -> None:
    """Otherwise the tests of transitions would test nothing."""
    app = App(create_app(Settings(db=":memory:", auth="lenient", durability="off")))
    with closing(app.namespace), app.namespace.activate():
        assert set(surface.sessions.counts(AT).values()) == {0}
        INSERT_SAMPLES[surface.name](random.Random(surface.name))
        found = list(surface.sessions.changing(0, 2 * AT, ALL))
    assert (len(found) > 10) == (surface.name != "scale")


def test_the_pages_have_every_session_once_in_order_of_creation(example: Example) -> None:
    (table,) = [
        table for table, column in example.sessions.session_columns.items() if column == "id"
    ]
    stored = [
        row[0]
        for row in table.select(table._meta.fields["id"]).order_by(store.rowid(table)).tuples()
    ]
    met, last = [], 0
    while page := list(example.sessions.page(last, 7)):
        places = [last, *(at for at, _ in page)]
        assert places == sorted(set(places))
        assert len(page) <= 7
        met += [example.sessions.id(session) for _, session in page]
        last = places[-1]
    assert met == stored
    assert len(stored) > 60


def test_a_session_is_found_by_its_id(example: Example) -> None:
    for session in example.every:
        assert example.sessions.find(example.sessions.id(session)) == session
    assert example.sessions.find("no such session") is None


def test_session_columns_hold_ids_of_sessions(example: Example) -> None:
    assert example.sessions.session_columns.keys() <= set(example.surface.tables)
    known = {example.sessions.id(session) for session in example.every}
    for table, column in example.sessions.session_columns.items():
        named = {row[0] for row in table.select(getattr(table, column)).tuples()}
        assert named
        assert named <= known


def test_a_session_is_open_until_its_last_transition(example: Example) -> None:
    for session in example.every:
        for transition in example.transitions(session)[-1:]:
            is_open = [
                example.sessions.is_open(session, transition.at + by) for by in (-1, 0, 1, MINUTE)
            ]
            assert is_open == [True, False, False, False]


def test_every_explanation_has_a_source(example: Example) -> None:
    for session in example.every:
        for now in (AT, *(transition.at for transition in example.transitions(session))):
            explanation = example.sessions.explain(session, now)
            assert explanation.source.startswith(("Source: ", "Assumed: "))
            for name in ("status", "rule", "reason", "unless", "inputs"):
                assert getattr(explanation, name)


def test_explaining_writes_nothing(example: Example) -> None:
    before = example.changes_count()
    for session in example.every:
        example.sessions.find(example.sessions.id(session))
        example.sessions.explain(session, AT)
        example.sessions.is_open(session, AT)
    example.sessions.changing(0, 2 * AT, ALL)
    assert example.changes_count() == before


@pytest.fixture
def rolled_back(example: Example) -> Iterator[None]:
    """Roll back the changes of the test."""
    connection = example.app.namespace.connection()
    connection.execute("BEGIN")
    yield
    connection.rollback()


def refusal(force: Callable[[Any, int, str], None], session: Any) -> str | None:
    """The message of NotForced, or None if the session was forced."""
    try:
        force(session, AT, "it broke")
    except NotForced as error:
        return str(error)
    return None


@pytest.mark.usefixtures("rolled_back")
def test_a_forced_session_keeps_its_state(example: Example) -> None:
    for state, force in example.sessions.forced_states.items():
        forced = [each for each in example.every if refusal(force, each) is None]
        assert forced
        for session in forced:
            found = example.sessions.find(example.sessions.id(session))
            assert example.sessions.explain(found, AT).status == state
            assert not example.sessions.is_open(found, AT)
            assert not example.sessions.transitions(found)


@pytest.mark.usefixtures("rolled_back")
def test_not_forced_names_the_session_and_changes_nothing(example: Example) -> None:
    for force in example.sessions.forced_states.values():
        refused_count = 0
        for session in example.every:
            before = example.changes_count()
            message = refusal(force, session)
            if message is not None:
                refused_count += 1
                assert example.sessions.id(session) in message
                assert example.changes_count() == before
        assert refused_count


PRINT_SOURCES = """
import json, sys
from pathlib import Path
from sessionary import create_app
from sessionary.settings import Settings
from sessionary.surfaces import SURFACES
from tests.conftest import App

app = App(create_app(Settings(db=":memory:", auth="lenient", durability="off")))
app.seed(Path(sys.argv[1]).read_text())
found = {"docstring": create_app.__doc__}
with app.namespace.activate():
    for surface in SURFACES:
        for _, session in surface.sessions.page(0, 1):
            found[surface.name] = surface.sessions.explain(session, int(sys.argv[2])).source
app.namespace.close()
print(json.dumps(found))
"""


def test_explanations_have_their_sources_without_docstrings() -> None:
    command = [sys.executable, "-OO", "-c", PRINT_SOURCES, str(EXAMPLE), str(AT)]
    root = Path(__file__).parent.parent
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert found.pop("docstring") is None
    assert found.keys() == {surface.name for surface in SURFACES}
    for surface in SURFACES:
        assert found[surface.name] in module(surface, "rules").SOURCES.values()


def test_what_changes_next_is_searched_by_indexes(
    example: Example, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No step scans a table of sessions, however many there are."""
    connection = example.app.namespace.connection()
    steps: list[str] = []
    execute = store.Statement._execute

    def explain_first(statement: store.Statement[Any], values: dict[str, Any]) -> Any:
        text, places = statement._rendered or statement._render()
        steps.extend(
            row[-1] for row in connection.execute(f"EXPLAIN QUERY PLAN {text}", [1] * len(places))
        )
        return execute(statement, values)

    monkeypatch.setattr(store.Statement, "_execute", explain_first)
    list(example.sessions.changing(0, 2 * AT, 3))
    list(example.sessions.page(0, 3))
    assert [step for step in steps if re.match(r"SCAN t\d|SCAN .*_sessions", step)] == []
    assert any(step.startswith("SEARCH") for step in steps)
