"""What the soak has to know of each surface: its calls, and how far a session of it has come."""

from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

from benchmarks import vendors
from benchmarks.soak.expected_state import Progress
from sessionary.surfaces.galtea import blueprint as galtea_calls
from sessionary.surfaces.galtea import surface as galtea
from sessionary.surfaces.mobilenext import blueprint as mobilenext_calls
from sessionary.surfaces.mobilenext import surface as mobilenext
from sessionary.surfaces.notte import blueprint as notte_calls
from sessionary.surfaces.notte import surface as notte
from sessionary.surfaces.scale import blueprint as scale_calls
from sessionary.surfaces.scale import surface as scale
from sessionary.web.operations import Operation
from sessionary.web.surface import Surface

UNSEEN: Progress = (0,)  # created, and not shown yet
GONE: Progress = (2,)  # deleted


class Kind(NamedTuple):
    """A surface as the soak uses it."""

    vendor: ModuleType
    surface: Surface
    create: Operation
    read: Operation
    end: Operation
    page: Operation
    progress: Callable[[Any], Progress]  # of a session as it is shown
    absent: Progress | None  # what a session has come to that answers 404

    def listed(self, page: Any) -> list[Any]:
        """The sessions of a page."""
        return list(page if isinstance(page, list) else page.get("items", page.get("data")))


def _scale(shown: Any) -> Progress:
    return 1, shown["created_at"], shown["state"]["step"], "archived_at" in shown


def _galtea(shown: Any) -> Progress:
    step = (shown["metadata"] or {}).get("step", 0)
    return 1, shown["createdAt"], step, shown["status"] != "PENDING"


def _notte(shown: Any) -> Progress:
    """That it timed out is no write: only a call's end is."""
    return 1, shown["created_at"], shown["last_accessed_at"], shown["close_reason"] == "manual"


def _mobilenext(shown: Any) -> Progress:
    return 1, shown["releasedAt"] is not None


SCALE = Kind(
    vendors.scale,
    scale,
    scale_calls.create,
    scale_calls.get,
    scale_calls.delete,
    scale_calls.list_sessions,
    _scale,
    None,
)
MOBILENEXT = Kind(
    vendors.mobilenext,
    mobilenext,
    mobilenext_calls.start,
    mobilenext_calls.get_session,
    mobilenext_calls.release,
    mobilenext_calls.list_sessions,
    _mobilenext,
    UNSEEN,
)
NOTTE = Kind(
    vendors.notte,
    notte,
    notte_calls.start,
    notte_calls.status,
    notte_calls.close,
    notte_calls.list_sessions,
    _notte,
    None,
)
GALTEA = Kind(
    vendors.galtea,
    galtea,
    galtea_calls.create,
    galtea_calls.get,
    galtea_calls.finish,
    galtea_calls.list_sessions,
    _galtea,
    GONE,
)
KINDS = {kind.vendor.NAME: kind for kind in (SCALE, MOBILENEXT, NOTTE, GALTEA)}
