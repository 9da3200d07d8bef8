"""Every route of every surface, with a sample request that names resources of a user."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from sessionary import create_app
from sessionary.settings import Settings
from sessionary.surfaces import SURFACES
from sessionary.web.operations import Operation

_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
_FILTERS = [{"attribute": "platform", "operator": "EQUALS", "value": "ios"}]

# Sample bodies by surface, method and path; a new route with a body needs one. The placeholders are
# the keys of `ANAS` and `MISSING` in test_organizations.py, as in the paths of the routes.
BODIES: Mapping[str, Any] = {
    "scale POST /v4/sessions": {"title": "t", "state": {}, "account_id": "{organization}"},
    "scale PATCH /v4/sessions/<session_id>": {"title": "Eve's"},
    "mobilenext POST /api/v1/sessions/<session_id>/devices": {"filters": _FILTERS},
    "notte POST /session/start": {"session_id": "{notte_session_id}"},
    "notte POST /session/close": {"session_id": "{notte_session_id}"},
    "notte POST /env/observe": {"session_id": "{notte_session_id}", "keep_alive": True},
    "notte POST /env/scrape": {"session_id": "{notte_session_id}", "keep_alive": False},
    "notte POST /env/step": {"session_id": "{notte_session_id}", "action_id": "B1"},
    "notte POST /sessions/start": {},
    "notte POST /sessions/<session_id>/page/observe": {"url": "https://eve.example"},
    "notte POST /sessions/<session_id>/page/execute": {"type": "goto", "url": "https://e.example"},
    "notte POST /sessions/<session_id>/page/scrape": {},
    "galtea POST /sessions": {"versionId": "{version_id}", "testCaseId": "{test_case_id}"},
    "galtea PATCH /sessions/<session_id>": {"metadata": {"eve": True}},
    "galtea PATCH /sessions/<session_id>/finish": {"stoppingReason": "Eve"},
    "galtea DELETE /sessions/batch": {"ids": ["{galtea_session_id}"]},
}
QUERIES = {
    "scale GET /v4/sessions": "account_id={organization}",
    "mobilenext GET /api/v1/sessions": "limit=100",
    "notte GET /sessions": "only_active=false",
    "notte DELETE /sessions/<session_id>/stop": "close_reason=manual",
    "galtea GET /sessions": "ids={galtea_session_id}&versionIds={version_id}",
    "galtea GET /versions": "ids={version_id}",
    "galtea GET /testCases": "ids={test_case_id}",
    "galtea GET /tests": "ids={test_id}",
}


class Route(NamedTuple):
    """A route of Flask; `case` is its key in BODIES and QUERIES."""

    surface: str
    method: str
    rule: str
    operation: Operation

    @property
    def case(self) -> str:
        return f"{self.surface} {self.method} {self.rule.removeprefix(f'/{self.surface}')}"

    def path(self, names: Mapping[str, str], *, with_query: bool = True) -> str:
        """Return its path, and its query if it has one, with these names filled in."""
        path = _PARAMETER.sub(lambda found: names[self._name(found[1])], self.rule)
        query = QUERIES.get(self.case)
        return path if query is None or not with_query else f"{path}?{query.format(**names)}"

    def body(self, names: Mapping[str, str]) -> Any:
        return _fill(BODIES.get(self.case), names)

    def _name(self, parameter: str) -> str:
        return f"{self.surface}_session_id" if parameter == "session_id" else parameter

    def names(self) -> set[str]:
        """Return the placeholders of its path."""
        return {self._name(parameter) for parameter in _PARAMETER.findall(self.rule)}


def _fill(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _fill(each, names) for name, each in value.items()}
    if isinstance(value, list):
        return [_fill(each, names) for each in value]
    return value.format(**names) if isinstance(value, str) else value


def _find_routes() -> list[Route]:
    app = create_app(Settings(db=":memory:", auth="lenient"))
    owner = {
        name: surface.name
        for surface in SURFACES
        for blueprint in surface.blueprints
        for name in (blueprint.name, f"{blueprint.name}_root")
    }
    routes = [
        Route(owner[rule.endpoint.partition(".")[0]], method, rule.rule, view)
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
        if isinstance(view := app.view_functions[rule.endpoint], Operation)
    ]
    app.extensions["sessionary"].close()
    return sorted(routes, key=lambda route: (route.rule, route.method))


ROUTES = _find_routes()
GUARDED = [route for route in ROUTES if not route.operation.is_open]
