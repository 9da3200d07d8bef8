"""The calls of each surface, and how far a session of it has come."""

from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

from benchmarks import vendors
from benchmarks.soak.expected_state import Progress
from sessionary.surfaces import SURFACES
from sessionary.surfaces.galtea import blueprint as galtea_calls
from sessionary.surfaces.mobilenext import blueprint as mobilenext_calls
from sessionary.surfaces.notte import blueprint as notte_calls
from sessionary.surfaces.scale import blueprint as scale_calls
from sessionary.web.operations import Operation
from sessionary.web.surface import Surface

scale = next(each for each in SURFACES if each.name == "scale")

notte = next(each for each in SURFACES if each.name == "notte")

mobilenext = next(each for each in SURFACES if each.name == "mobilenext")

galtea = next(each for each in SURFACES if each.name == "galtea")

UNSEEN: Progress = (0,)  # created, and not readable yet
GONE: Progress = (2,)  # deleted


class SurfaceAdapter(NamedTuple):
    """A surface as the workload uses it."""

    vendor: ModuleType
    surface: Surface
    create: Operation
    read: Operation
    end: Operation
    page: Operation
    progress: Callable[[Any], Progress]  # of the body of a session
    absent: Progress | None  # of a session that is answered with 404

    def items(self, page: Any) -> list[Any]:
        """Return the sessions of a page."""
        return list(page if isinstance(page, list) else page.get("items", page.get("data")))


def _scale(body: Any) -> Progress:
    return 1, body["created_at"], body["state"]["step"], "archived_at" in body


def _galtea(body: Any) -> Progress:
    step = (body["metadata"] or {}).get("step", 0)
    return 1, body["createdAt"], step, body["status"] != "PENDING"


def _notte(body: Any) -> Progress:
    """A timeout is not a write; only the end by a call is."""
    return 1, body["created_at"], body["last_accessed_at"], body["close_reason"] == "manual"


def _mobilenext(body: Any) -> Progress:
    return 1, body["releasedAt"] is not None


SCALE = SurfaceAdapter(
    vendors.scale,
    scale,
    scale_calls.create,
    scale_calls.get,
    scale_calls.delete,
    scale_calls.list_sessions,
    _scale,
    None,
)
MOBILENEXT = SurfaceAdapter(
    vendors.mobilenext,
    mobilenext,
    mobilenext_calls.start,
    mobilenext_calls.get_session,
    mobilenext_calls.release,
    mobilenext_calls.list_sessions,
    _mobilenext,
    UNSEEN,
)
NOTTE = SurfaceAdapter(
    vendors.notte,
    notte,
    notte_calls.start,
    notte_calls.status,
    notte_calls.close,
    notte_calls.list_sessions,
    _notte,
    None,
)
GALTEA = SurfaceAdapter(
    vendors.galtea,
    galtea,
    galtea_calls.create,
    galtea_calls.get,
    galtea_calls.finish,
    galtea_calls.list_sessions,
    _galtea,
    GONE,
)
ADAPTERS = {adapter.vendor.NAME: adapter for adapter in (SCALE, MOBILENEXT, NOTTE, GALTEA)}
