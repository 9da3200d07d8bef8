"""A surface's routes, as OpenAPI writes them."""

import re
from collections.abc import Iterator

from flask import Flask

from sessionary.web.operations import Operation
from sessionary.web.surface import Surface

_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


def routes(app: Flask, surface: Surface) -> Iterator[tuple[str, str, Operation]]:
    """Each route of a surface: its path as OpenAPI writes it, its method and its operation."""
    prefix = f"/{surface.name}"
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        view = app.view_functions[rule.endpoint]
        if rule.rule.startswith(prefix + "/") and isinstance(view, Operation):
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield pattern(rule.rule[len(prefix) :]), method.lower(), view


def pattern(rule: str) -> str:
    """A rule of Flask's as OpenAPI writes it: `/sessions/{session_id}`."""
    return _PARAMETER.sub(r"{\1}", rule)
