"""Helpers that force a status and explain a session, as the control plane does."""

from sessionary import clock
from sessionary.web.surface import Explanation, Surface
from tests.conftest import App


def force(app: App, surface: Surface, id: str, status: str, reason: str = "it broke") -> None:
    """Force a session into a status at the current instant."""
    with app.namespace.activate(), clock.transaction() as at:
        surface.sessions.forced_states[status](surface.sessions.find(id), at, reason)


def explain_now(app: App, surface: Surface, id: str) -> Explanation:
    """Explain the status of a session at the current instant."""
    with app.namespace.activate():
        return surface.sessions.explain(surface.sessions.find(id), clock.now())
