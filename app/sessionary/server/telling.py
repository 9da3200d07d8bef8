"""Who is told of each request that a server answers, and what is told of them at its start."""

from flask import Flask

from sessionary import logs
from sessionary.metrics import Metrics
from sessionary.settings import Settings
from sessionary.surfaces import SURFACES
from sessionary.web.events import Tell


def tells(settings: Settings, numbers: Metrics | None) -> list[Tell]:
    """The log and the metrics, as far as they are wanted."""
    found = [logs.to_stderr(settings.log_format)] if settings.log_requests else []
    return found if numbers is None else [*found, numbers.tell]


def serve_metrics(numbers: Metrics | None, app: Flask) -> None:
    """Answer who asks for the numbers of this application, if anybody may."""
    if numbers is not None:
        numbers.serve(app.extensions["sessionary"], SURFACES)


def whereabouts(numbers: Metrics | None) -> list[str]:
    """The line that says where the metrics are, if there are any."""
    return [] if numbers is None else [f"Its metrics are at {numbers.url}"]
