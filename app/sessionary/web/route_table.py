"""The route table: the surface and the route of every path."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from flask import Flask, Request, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import Rule

from sessionary.web.openapi import path_template, routes
from sessionary.web.operations import Operation
from sessionary.web.surface import Surface

MATCH = "sessionary.match"  # the environ key of a request's RouteMatch


class Route(NamedTuple):
    """A route of a surface: its path as in OpenAPI (`/sessions/{session_id}`), and its method."""

    surface: Surface
    path: str
    method: str
    operation: Operation


class RouteMatch(NamedTuple):
    """The surface and the route of a request.

    `path` is the vendor's own, without the surface's prefix. `values` are the route's parameters.
    If the path has no route for the method, `methods` lists those that it has.
    """

    surface: Surface | None
    path: str
    route: str | None = None
    operation: Operation | None = None
    values: Mapping[str, Any] = {}
    methods: tuple[str, ...] = ()


class RouteTable:
    """The routes of an application's surfaces."""

    def __init__(self, app: Flask, surfaces: Sequence[Surface]) -> None:
        self._app = app
        self._routes: dict[str, list[Route]] = {}
        self._by_rule: dict[tuple[str, str], tuple[Surface | None, str, str, Operation | None]] = {}
        self._by_segment = {
            segment: surface
            for surface in surfaces
            for segment in (surface.name.partition("/")[0], *surface.root_segments)
        }

    def routes(self, surface: Surface) -> list[Route]:
        """All routes of a surface."""
        if surface.name not in self._routes:
            self._routes[surface.name] = [
                Route(surface, path, method.upper(), operation)
                for path, method, operation in routes(self._app, surface)
            ]
        return self._routes[surface.name]

    def surface(self, path: str) -> Surface | None:
        """The surface that owns a path, by its first segment."""
        return self._by_segment.get(path.split("/", 2)[1]) if path[:1] == "/" else None

    def split(self, path: str) -> tuple[Surface | None, str]:
        """The surface that owns a path, and the path without the surface's prefix."""
        surface = self.surface(path)
        return surface, path if surface is None else path.removeprefix(f"/{surface.name}") or "/"

    def match(self, method: str, path: str) -> RouteMatch:
        """Find the route of a request."""
        surface, own = self.split(path)
        if surface is None:
            return RouteMatch(None, own)
        urls = self._app.url_map.bind("localhost")
        try:
            rule, values = urls.match(f"/{surface.name}{own}", method, return_rule=True)
        except MethodNotAllowed as error:
            return RouteMatch(surface, own, methods=tuple(sorted(error.valid_methods or ())))
        except HTTPException:
            return RouteMatch(surface, own)
        template, operation = self._describe(rule)[2:]
        return RouteMatch(surface, own, template, operation, values)

    def note_match(self) -> None:
        """Keep the match in the request's environ; Flask forgets it at the end of the request."""
        this: Request = request._get_current_object()  # type: ignore[attr-defined]
        rule = this.url_rule
        if rule is None:
            match = RouteMatch(*self.split(this.path))
        else:
            surface, prefix, template, operation = self._describe(rule)
            path = this.path.removeprefix(prefix) or "/"
            match = RouteMatch(surface, path, template, operation, this.view_args or {})
        this.environ[MATCH] = match

    def canonical(self, surface: Surface, method: str | None, route: str) -> str | None:
        """The template or path of a route, whatever its parameters are called; None without one."""
        methods = {each.method for each in self.routes(surface)} if method is None else {method}
        for each in sorted(methods):
            found = self.match(each, f"/{surface.name}{route}").route
            if found is not None:
                return found if "{" in route else route
        return None

    def _describe(self, rule: Rule) -> tuple[Surface | None, str, str, Operation | None]:
        """The surface, prefix, template and operation of a rule, at the root or under a prefix."""
        key = rule.rule, rule.endpoint
        found = self._by_rule.get(key)
        if found is None:
            surface, own = self.split(rule.rule)
            view = self._app.view_functions[rule.endpoint]
            operation = view if isinstance(view, Operation) else None
            prefix = "" if surface is None else f"/{surface.name}"
            found = self._by_rule[key] = surface, prefix, path_template(own), operation
        return found
