"""The sides of a session's transitions, found while tests are collected."""

import inspect
from collections.abc import Mapping
from typing import Any

import pytest

from sessionary.testing import boundaries
from sessionary.testing.plugin import SCRATCH, make_server, marker_options
from sessionary.testing.servers import RemoteServer


def find_sides(
    definition: pytest.Item, session: boundaries.Session
) -> Mapping[str, boundaries.Side | boundaries.NotOpened]:
    """Open the session of a test in a namespace for this; return its sides by id.

    If that fails, the test has one item, which fails in the same way: other tests run.
    """
    try:
        namespace = _server(definition).namespace(**marker_options(definition))
        try:
            return boundaries.find_sides(namespace, session)
        finally:
            namespace.drop()
    except (Exception, pytest.fail.Exception, pytest.skip.Exception) as error:  # noqa: BLE001
        return {"not_opened": boundaries.NotOpened(error)}


def _server(definition: pytest.Item) -> RemoteServer:
    """Return a double for the collection, with the settings of the fixture."""
    found = definition.session._fixturemanager.getfixturedefs("sessionary_settings", definition)
    assert found is not None  # noqa: S101 - the plugin has one
    fixture = found[-1]
    settings: Any = fixture.func
    if fixture.argnames or inspect.isgeneratorfunction(settings):
        pytest.fail(
            "sessionary_boundaries reads sessionary_settings while tests are collected, "
            "before any fixture exists: let it return a dict, and take no arguments",
            pytrace=False,
        )
    servers = definition.session.stash.setdefault(SCRATCH, {})
    if id(fixture) not in servers:
        servers[id(fixture)] = make_server(definition.config, settings()).start()
    return servers[id(fixture)]
