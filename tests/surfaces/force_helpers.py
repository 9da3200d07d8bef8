"""What only the vendor could cause, as the control plane brings it about."""

from sessionary import clock
from sessionary.web.surface import Explanation, Surface
from tests.conftest import App


def force(app: App, surface: Surface, id: str, state: str, reason: str = "it broke") -> None:
    """Bring a session into a state, now."""
    with app.namespace.activate(), clock.transaction() as at:
        surface.sessions.forced_states[state](surface.sessions.find(id), at, reason)


def explained(app: App, surface: Surface, id: str) -> Explanation:
    """Why a session is what it is now."""
    with app.namespace.activate():
        return surface.sessions.explain(surface.sessions.find(id), clock.now())
