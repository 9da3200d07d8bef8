"""The lives of sessions: created, changed, read, listed, and ended or left as they are."""

import random
from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks.namespaces import Place
from benchmarks.requests import Request
from benchmarks.soak.expected_state import Ledger, Progress
from benchmarks.soak.load_client import Astray, Caller
from benchmarks.soak.surface_adapters import GONE, KINDS, UNSEEN, Kind
from sessionary.surfaces.galtea import blueprint as galtea
from sessionary.surfaces.mobilenext import blueprint as mobilenext
from sessionary.surfaces.notte import blueprint as notte
from sessionary.surfaces.scale import blueprint as scale

_PAGE = 5


class Client:
    """Lives through one session of a surface after another, and remembers what it was answered."""

    def __init__(self, url: str, name: str, place: Place, ledger: Ledger) -> None:
        self.kind: Kind = KINDS[name]
        self.place = place
        self.ledger = ledger
        headers = self.kind.vendor.headers(place.keys[name])
        self.caller = Caller(url, self.kind.surface, headers, ledger)

    async def live(self, is_over: Callable[[], bool]) -> None:
        """One life after another."""
        try:
            while not is_over():
                try:
                    await LIVES[self.kind.vendor.NAME](self)
                except Astray:
                    self.ledger.counts["astray"] += 1
        finally:
            await self.caller.close()

    async def create(self, progress: Progress | None = None) -> str:
        """A session; where it is not shown yet, it has come this far."""
        made = await self.caller.ask(self.kind.create, self.kind.vendor.creation(self.place))
        id = str(made.body[self.kind.vendor.ID])
        self.ledger.begin(self.key(id), progress or self.kind.progress(made.body))
        self.ledger.counts["sessions"] += 1
        return id

    async def see(self, id: str) -> None:
        """Read a session: it is as it was answered last."""
        known = self.ledger.answered[self.key(id)]
        self.ledger.compare(self.key(id), await self.progress(id), known, known)

    async def progress(self, id: str) -> Progress | None:
        """How far a session has come, as it is read now."""
        found = await self.caller.ask(self.kind.read, self.kind.vendor.reading(id), also=404)
        return self.kind.absent if found.status == 404 else self.kind.progress(found.body)

    async def look(self) -> None:
        """Read the first page: no session is on it twice."""
        first: Request = self.kind.vendor.FIRST_PAGE
        request = first._replace(path=first.path.replace("=100", f"={_PAGE}"))
        page = await self.caller.ask(self.kind.page, request)
        ids = [each[self.kind.vendor.ID] for each in self.kind.listed(page.body)]
        if len(set(ids)) < len(ids) or not 0 < len(ids) <= _PAGE:
            self.ledger.breach("twice", f"{request.path} lists {ids}")

    async def end(self, id: str) -> Any:
        """End a session as its surface does; the answer's body."""
        return (await self.caller.ask(self.kind.end, self.kind.vendor.ending(id))).body

    def note(self, id: str, progress: Progress) -> None:
        self.ledger.advance(self.key(id), progress)

    def key(self, id: str) -> tuple[str, str]:
        return self.kind.vendor.NAME, id


async def _on_scale(me: Client) -> None:
    id = await me.create()
    began = me.ledger.answered[me.key(id)]
    for step in range(began[2] + 1, began[2] + random.randint(2, 4)):
        body = {"title": f"Step {step}", "state": {"step": step}}
        changed = await me.caller.ask(scale.update, Request("PATCH", _scale_path(id), body))
        me.note(id, me.kind.progress(changed.body))
    await me.see(id)
    await me.look()
    if random.random() < 0.5:
        await me.end(id)
        me.note(id, (*me.ledger.answered[me.key(id)][:-1], True))
        await me.see(id)


def _scale_path(id: str) -> str:
    return f"/scale/v4/sessions/{id}"


async def _on_galtea(me: Client) -> None:
    id = await me.create()
    path = f"/galtea/sessions/{id}"
    for step in range(1, random.randint(2, 4)):
        body = {"metadata": {"step": step}}
        changed = await me.caller.ask(galtea.change, Request("PATCH", path, body))
        me.note(id, me.kind.progress(changed.body))
    await me.see(id)
    await me.look()
    chance = random.random()
    if chance < 0.5:
        me.note(id, me.kind.progress(await me.end(id)))
    if chance < 0.2:
        await me.caller.ask(galtea.delete, Request("DELETE", path, status=204), after_cut=404)
        me.note(id, GONE)
    await me.see(id)


async def _on_notte(me: Client) -> None:
    """Started and closed by the calls of v1, used by those of v4."""
    id = await me.create()
    path = f"/notte/sessions/{id}/page/observe"
    for _ in range(random.randint(1, 3)):
        seen = await me.caller.ask(notte.observe_page, Request("POST", path, {}))
        me.note(id, (*me.ledger.answered[me.key(id)][:2], seen.body["ended_at"], False))
    await me.see(id)
    await me.look()
    if random.random() < 0.6:
        me.note(id, me.kind.progress(await me.end(id)))
        await me.see(id)


async def _on_mobilenext(me: Client) -> None:
    """Few devices for many: often there is none. An allocation that was cut may hold one more."""
    id = await me.create(UNSEEN)
    path = f"/mobilenext/api/v1/sessions/{id}/devices"
    wanted = {"attribute": "platform", "operator": "EQUALS", "value": "android"}
    asked = Request("POST", path, {"filters": [wanted]}, 201)
    given = await me.caller.ask(mobilenext.allocate, asked, also=409)
    if given.status == 201:
        me.note(id, (1, False))
    listed = await me.caller.ask(mobilenext.list_devices, Request("GET", path))
    serials = [each["info"]["serial"] for each in listed.body["data"]]
    _hold(me, id, given, serials)
    if serials:
        me.note(id, (1, False))
        await me.see(id)
        await me.look()
        for serial in serials:
            me.ledger.held.pop(serial, None)
            release = Request("POST", f"{path}/{serial}/release", status=202)
            await me.caller.ask(mobilenext.release, release, after_cut=404)
        me.note(id, (1, True))
    await me.see(id)


def _hold(me: Client, id: str, given: Any, serials: list[str]) -> None:
    """Nobody else holds these devices, and the one that was given is among them."""
    if given.status == 201 and given.body["device"]["id"] not in serials:
        me.ledger.breach("lost", f"{me.key(id)} holds {serials}, was given {given.body}")
    for serial in serials:
        holder = me.ledger.held.setdefault(serial, me.key(id))
        if holder != me.key(id):
            me.ledger.breach("twice", f"{serial} is held by {holder} and {me.key(id)}")


LIVES: dict[str, Callable[[Client], Awaitable[None]]] = {
    "scale": _on_scale,
    "mobilenext": _on_mobilenext,
    "notte": _on_notte,
    "galtea": _on_galtea,
}
