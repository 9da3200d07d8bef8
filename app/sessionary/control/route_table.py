"""Whose a vendor's path is, and which of its routes."""

from collections.abc import Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from flask import Flask
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from sessionary.web.openapi import path_template, routes
from sessionary.web.operations import Operation
from sessionary.web.surface import Surface, by_segment


class Route(NamedTuple):
    """A route of a surface: `/sessions/{session_id}`, its method, and what it does."""

    surface: Surface
    path: str
    method: str
    operation: Operation


class Address(NamedTuple):
    """Where a call goes; `path` is the vendor's own, without the surface's prefix.

    `values` are those of the route's parameters. Of a path that has no route for the method,
    `methods` are those that it has.
    """

    surface: Surface | None
    path: str
    route: str | None = None
    operation: Operation | None = None
    values: Mapping[str, Any] = {}
    methods: tuple[str, ...] = ()


class Addresses:
    """The addresses of an application's surfaces."""

    def __init__(self, app: Flask, surfaces: Sequence[Surface]) -> None:
        self._app = app
        self.surfaces = surfaces
        self._by_segment = by_segment(surfaces)

    @cached_property
    def routes(self) -> list[Route]:
        """Every route of every surface."""
        return [
            Route(surface, path, method.upper(), operation)
            for surface in self.surfaces
            for path, method, operation in routes(self._app, surface)
        ]

    def of(self, path: str) -> tuple[Surface | None, str]:
        """Whose a path is, and the vendor's own path."""
        surface = self._by_segment.get(path.split("/", 2)[1]) if path[:1] == "/" else None
        if surface is None:
            return None, path
        return surface, path.removeprefix(f"/{surface.name}") or "/"

    def find(self, method: str, path: str) -> Address:
        """Where a call of this path goes."""
        surface, own = self.of(path)
        if surface is None:
            return Address(None, own)
        urls = self._app.url_map.bind("localhost")
        try:
            rule, values = urls.match(f"/{surface.name}{own}", method, return_rule=True)
        except MethodNotAllowed as error:
            return Address(surface, own, methods=tuple(sorted(error.valid_methods or ())))
        except HTTPException:
            return Address(surface, own)
        view = self._app.view_functions[rule.endpoint]
        operation = view if isinstance(view, Operation) else None
        return Address(surface, own, own_pattern(surface.name, rule.rule), operation, values)

    def canonical(self, surface: Surface, method: str | None, route: str) -> str | None:
        """A pattern as OpenAPI writes it, whatever its parameters are called, or a path as it is.

        None where the surface has no such route.
        """
        methods = {each.method for each in self.routes} if method is None else {method}
        for each in sorted(methods):
            found = self.find(each, f"/{surface.name}{route}").route
            if found is not None:
                return found if "{" in route else route
        return None


@lru_cache(maxsize=256)
def own_pattern(surface: str, rule: str) -> str:
    """A rule of Flask's, at the root or under its surface's prefix, as OpenAPI writes it."""
    prefix = f"/{surface}/"
    return path_template("/" + rule.removeprefix(prefix) if rule.startswith(prefix) else rule)
