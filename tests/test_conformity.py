"""What every surface keeps to."""

import inspect
import json
import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

import pytest

from sessionary import create_app, store
from sessionary.settings import Settings
from sessionary.surfaces import SURFACES
from sessionary.web.surface import NotForced, SessionQueries, Surface, Transition
from tests.conftest import App
from tests.surfaces.sample_sessions import AT, INSERT_SAMPLES, MINUTE

MODULES = {
    "blueprint",
    "errors",
    "explanations",
    "fault_presets",
    "models",
    "queries",
    "rules",
    "schemas",
    "seeds",
    "serializers",
}
EXTRAS = {"galtea": {"references"}, "mobilenext": {"allocation", "devices"}}
EXAMPLE = Path(__file__).parent / "seed.example.toml"
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
def test_a_rule_asks_no_clock(surface: Surface) -> None:
    for rule in public_functions(module(surface, "rules")):
        assert not {"clock", "datetime", "time"} & set(rule.__code__.co_names), rule.__qualname__


@each_surface
def test_every_refusal_of_http_is_in_the_documented_envelope(surface: Surface) -> None:
    for status in surface.error_schemas.keys() - {422}:
        schema = surface.error_schemas[status]
        assert schema.validate(surface.error_body(status, "said")) == {}


class Place(NamedTuple):
    """A surface's sessions: those of the example seed, and many more; the namespace is entered."""

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
        """How many rows have been changed in this namespace so far."""
        return self.app.namespace.connection().total_changes


@pytest.fixture(scope="module", params=SURFACES, ids=lambda surface: surface.name)
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    surface: Surface = request.param
    app = App(create_app(Settings(db=":memory:", auth="lenient", durability="off")))
    with closing(app.namespace), app.namespace.activate():
        app.seed(EXAMPLE.read_text())
        INSERT_SAMPLES[surface.name](random.Random(surface.name))
        every = [session for _, session in surface.sessions.page(0, ALL)]
        yield Place(surface, app, every)


def test_the_status_explained_is_the_one_after_the_last_transition_passed(place: Place) -> None:
    for session in place.every:
        transitions = place.transitions(session)
        beginning = (
            transitions[0].from_status
            if transitions
            else place.sessions.explain(session, AT).status
        )
        for now in [AT, *(transition.at + by for transition in transitions for by in (-1, 0, 1))]:
            passed = [transition.to_status for transition in transitions if now >= transition.at]
            told = place.sessions.explain(session, now)
            assert told.status == [beginning, *passed][-1]


def test_a_status_is_explained_to_have_begun_at_its_transition(place: Place) -> None:
    for session in place.every:
        for transition in place.transitions(session):
            before, *after = (
                place.sessions.explain(session, transition.at + by).since_at for by in (-1, 0, 1)
            )
            assert before < transition.at
            assert after == [transition.at, transition.at]


def test_what_changes_within_an_interval_is_all_that_has_a_transition_in_it(place: Place) -> None:
    id, transitions = place.sessions.id, place.sessions.transitions
    instants = {
        transition.at + by
        for each in place.every
        for transition in transitions(each)
        for by in (-1, 0, 1)
    }
    instants |= {AT, AT + 9 * MINUTE}
    for after in instants:
        for until in (after, after + 1, after + 3 * MINUTE, after + 40 * MINUTE):
            found = place.sessions.changing(after, until, ALL)
            first = [
                min(transition.at for transition in transitions(each) if transition.at > after)
                for each in found
            ]
            assert first == sorted(first)
            assert len({id(each) for each in found}) == len(found)
            assert {id(each) for each in found} == {
                id(each)
                for each in place.every
                if any(after < transition.at <= until for transition in transitions(each))
            }
            assert place.sessions.changing(after, until, 3) == found[:3]


@each_surface
def test_only_scale_has_no_transitions(surface: Surface) -> None:
    """So that the tests of transitions here try something."""
    app = App(create_app(Settings(db=":memory:", auth="lenient", durability="off")))
    with closing(app.namespace), app.namespace.activate():
        INSERT_SAMPLES[surface.name](random.Random(surface.name))
        found = surface.sessions.changing(0, 2 * AT, ALL)
    assert (len(found) > 10) == (surface.name != "scale")


def test_a_walk_of_pages_meets_every_session_once_in_the_order_of_creation(place: Place) -> None:
    (table,) = [table for table, column in place.sessions.session_columns.items() if column == "id"]
    stored = [row[0] for row in table.select(table.id).order_by(store.rowid(table)).tuples()]
    met, last = [], 0
    while page := place.sessions.page(last, 7):
        places = [last, *(at for at, _ in page)]
        assert places == sorted(set(places))
        assert len(page) <= 7
        met += [place.sessions.id(session) for _, session in page]
        last = places[-1]
    assert met == stored
    assert len(stored) > 60


def test_a_session_is_found_by_its_id(place: Place) -> None:
    for session in place.every:
        assert place.sessions.find(place.sessions.id(session)) == session
    assert place.sessions.find("no such session") is None


def test_every_row_of_a_table_of_sessions_names_its_session(place: Place) -> None:
    assert place.sessions.session_columns.keys() <= set(place.surface.tables)
    known = {place.sessions.id(session) for session in place.every}
    for table, column in place.sessions.session_columns.items():
        named = {row[0] for row in table.select(getattr(table, column)).tuples()}
        assert named
        assert named <= known


def test_a_session_is_open_until_its_last_transition(place: Place) -> None:
    for session in place.every:
        for transition in place.transitions(session)[-1:]:
            is_open = [
                place.sessions.is_open(session, transition.at + by) for by in (-1, 0, 1, MINUTE)
            ]
            assert is_open == [True, False, False, False]


def test_every_explanation_says_where_its_rule_comes_from(place: Place) -> None:
    for session in place.every:
        for now in (AT, *(transition.at for transition in place.transitions(session))):
            told = place.sessions.explain(session, now)
            assert told.source.startswith(("Source: ", "Assumed: "))
            assert all((told.status, told.rule, told.reason, told.unless, told.inputs))


def test_explaining_writes_nothing(place: Place) -> None:
    before = place.changes_count()
    for session in place.every:
        place.sessions.find(place.sessions.id(session))
        place.sessions.explain(session, AT)
        place.sessions.is_open(session, AT)
    place.sessions.changing(0, 2 * AT, ALL)
    assert place.changes_count() == before


@pytest.fixture
def undone(place: Place) -> Iterator[None]:
    """Take back what the test changes."""
    connection = place.app.namespace.connection()
    connection.execute("BEGIN")
    yield
    connection.rollback()


def refusal(force: Callable[[Any, int, str], None], session: Any) -> str | None:
    """Why a session is not forced into a state; None if it is."""
    try:
        force(session, AT, "it broke")
    except NotForced as error:
        return str(error)
    return None


@pytest.mark.usefixtures("undone")
def test_a_forced_session_is_in_that_state_for_good(place: Place) -> None:
    for state, force in place.sessions.forced_states.items():
        forced = [each for each in place.every if refusal(force, each) is None]
        assert forced
        for session in forced:
            found = place.sessions.find(place.sessions.id(session))
            assert place.sessions.explain(found, AT).status == state
            assert not place.sessions.is_open(found, AT)
            assert not place.sessions.transitions(found)


@pytest.mark.usefixtures("undone")
def test_a_session_that_cannot_be_forced_is_named_and_left_as_it_is(place: Place) -> None:
    for force in place.sessions.forced_states.values():
        refused_count = 0
        for session in place.every:
            before = place.changes_count()
            said = refusal(force, session)
            if said is not None:
                refused_count += 1
                assert place.sessions.id(session) in said
                assert place.changes_count() == before
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
