"""How many sessions there are in each state: counted by the engine, as their rules say."""

import random
from collections import Counter
from contextlib import closing

import pytest

from sessionary import create_app
from sessionary.settings import Settings
from sessionary.surfaces import SURFACES
from sessionary.web.surface import Surface
from tests.conftest import App
from tests.surfaces.sample_sessions import AT, INSERT_SAMPLES, MINUTE
from tests.test_conformity import EXAMPLE

each_surface = pytest.mark.parametrize("surface", SURFACES, ids=lambda surface: surface.name)


def app() -> App:
    return App(create_app(Settings(db=":memory:", auth="lenient", durability="off")))


@each_surface
def test_the_counts_are_those_of_the_statuses_that_are_explained(surface: Surface) -> None:
    """At every instant around every transition."""
    place = app()
    with closing(place.namespace), place.namespace.activate():
        place.seed(EXAMPLE.read_text())
        INSERT_SAMPLES[surface.name](random.Random(surface.name))
        every = [session for _, session in surface.sessions.page(0, 1_000)]
        transitions = {
            transition.at for each in every for transition in surface.sessions.transitions(each)
        }
        for now in {AT, *(at + by for at in transitions for by in (-1, 0, 1)), AT + 99 * MINUTE}:
            explained = Counter(surface.sessions.explain(each, now).status for each in every)
            counts = surface.sessions.counts(now)
            assert {state: count for state, count in counts.items() if count} == explained


@each_surface
def test_of_no_sessions_there_are_none_in_any_state(surface: Surface) -> None:
    place = app()
    with closing(place.namespace), place.namespace.activate():
        assert set(surface.sessions.counts(AT).values()) == {0}
