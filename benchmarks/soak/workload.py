"""Workloads: a session is created, changed, read, listed, and ended or left as it is."""

import random
from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks.namespaces import Dataset
from benchmarks.requests import Request
from benchmarks.soak.expected_state import ExpectedState, Progress
from benchmarks.soak.load_client import ClientLost, LoadClient
from benchmarks.soak.surface_adapters import ADAPTERS, GONE, UNSEEN, SurfaceAdapter
from sessionary.surfaces.galtea import blueprint as galtea
from sessionary.surfaces.mobilenext import blueprint as mobilenext
from sessionary.surfaces.notte import blueprint as notte
from sessionary.surfaces.scale import blueprint as scale

_PAGE = 5


class SessionClient:
    """Runs the workload of one surface repeatedly, and records what was confirmed."""

    def __init__(self, url: str, name: str, dataset: Dataset, state: ExpectedState) -> None:
        self.adapter: SurfaceAdapter = ADAPTERS[name]
        self.dataset = dataset
        self.state = state
        headers = self.adapter.vendor.headers(dataset.keys[name])
        self.http = LoadClient(url, self.adapter.surface, headers, state)

    async def run(self, is_over: Callable[[], bool]) -> None:
        """Run one workload after another."""
        try:
            while not is_over():
                try:
                    await WORKLOADS[self.adapter.vendor.NAME](self)
                except ClientLost:
                    self.state.counts["client_lost"] += 1
        finally:
            await self.http.close()

    async def create(self, progress: Progress | None = None) -> str:
        """Create a session; return its id. `progress` replaces what the response says."""
        made = await self.http.send(self.adapter.create, self.adapter.vendor.creation(self.dataset))
        id = str(made.body[self.adapter.vendor.ID])
        self.state.begin(self.key(id), progress or self.adapter.progress(made.body))
        self.state.counts["sessions"] += 1
        return id

    async def read(self, id: str) -> None:
        """Read a session, which must be as it was confirmed last."""
        known = self.state.answered[self.key(id)]
        self.state.compare(self.key(id), await self.progress(id), known, known)

    async def progress(self, id: str) -> Progress | None:
        """Read how far a session has come."""
        found = await self.http.send(self.adapter.read, self.adapter.vendor.reading(id), also=404)
        return self.adapter.absent if found.status == 404 else self.adapter.progress(found.body)

    async def read_page(self) -> None:
        """Read the first page, on which no session may be twice."""
        first: Request = self.adapter.vendor.FIRST_PAGE
        request = first._replace(path=first.path.replace("=100", f"={_PAGE}"))
        page = await self.http.send(self.adapter.page, request)
        ids = [each[self.adapter.vendor.ID] for each in self.adapter.items(page.body)]
        if len(set(ids)) < len(ids) or not 0 < len(ids) <= _PAGE:
            self.state.report("duplicate", f"{request.path} lists {ids}")

    async def end(self, id: str) -> Any:
        """End a session; return the body of the response."""
        return (await self.http.send(self.adapter.end, self.adapter.vendor.ending(id))).body

    def record(self, id: str, progress: Progress) -> None:
        self.state.advance(self.key(id), progress)

    def key(self, id: str) -> tuple[str, str]:
        return self.adapter.vendor.NAME, id


async def _on_scale(client: SessionClient) -> None:
    id = await client.create()
    began = client.state.answered[client.key(id)]
    for step in range(began[2] + 1, began[2] + random.randint(2, 4)):
        body = {"title": f"Step {step}", "state": {"step": step}}
        changed = await client.http.send(scale.update, Request("PATCH", _scale_path(id), body))
        client.record(id, client.adapter.progress(changed.body))
    await client.read(id)
    await client.read_page()
    if random.random() < 0.5:
        await client.end(id)
        client.record(id, (*client.state.answered[client.key(id)][:-1], True))
        await client.read(id)


def _scale_path(id: str) -> str:
    return f"/scale/v4/sessions/{id}"


async def _on_galtea(client: SessionClient) -> None:
    id = await client.create()
    path = f"/galtea/sessions/{id}"
    for step in range(1, random.randint(2, 4)):
        body = {"metadata": {"step": step}}
        changed = await client.http.send(galtea.change, Request("PATCH", path, body))
        client.record(id, client.adapter.progress(changed.body))
    await client.read(id)
    await client.read_page()
    chance = random.random()
    if chance < 0.5:
        client.record(id, client.adapter.progress(await client.end(id)))
    if chance < 0.2:
        await client.http.send(galtea.delete, Request("DELETE", path, status=204), after_loss=404)
        client.record(id, GONE)
    await client.read(id)


async def _on_notte(client: SessionClient) -> None:
    """Start and close with the v1 API, use with v4."""
    id = await client.create()
    path = f"/notte/sessions/{id}/page/observe"
    for _ in range(random.randint(1, 3)):
        seen = await client.http.send(notte.observe_page, Request("POST", path, {}))
        client.record(
            id, (*client.state.answered[client.key(id)][:2], seen.body["ended_at"], False)
        )
    await client.read(id)
    await client.read_page()
    if random.random() < 0.6:
        client.record(id, client.adapter.progress(await client.end(id)))
        await client.read(id)


async def _on_mobilenext(client: SessionClient) -> None:
    """Few devices for many clients: 409 is common. A lost allocation may hold another device."""
    id = await client.create(UNSEEN)
    path = f"/mobilenext/api/v1/sessions/{id}/devices"
    filter_ = {"attribute": "platform", "operator": "EQUALS", "value": "android"}
    allocate = Request("POST", path, {"filters": [filter_]}, 201)
    given = await client.http.send(mobilenext.allocate, allocate, also=409)
    if given.status == 201:
        client.record(id, (1, False))
    listed = await client.http.send(mobilenext.list_devices, Request("GET", path))
    serials = [each["info"]["serial"] for each in listed.body["data"]]
    _record_devices(client, id, given, serials)
    if serials:
        client.record(id, (1, False))
        await client.read(id)
        await client.read_page()
        for serial in serials:
            client.state.device_holders.pop(serial, None)
            release = Request("POST", f"{path}/{serial}/release", status=202)
            await client.http.send(mobilenext.release, release, after_loss=404)
        client.record(id, (1, True))
    await client.read(id)


def _record_devices(client: SessionClient, id: str, given: Any, serials: list[str]) -> None:
    """Report a device that another session holds, or an allocated one that is not listed."""
    if given.status == 201 and given.body["device"]["id"] not in serials:
        client.state.report("lost", f"{client.key(id)} holds {serials}, was given {given.body}")
    for serial in serials:
        holder = client.state.device_holders.setdefault(serial, client.key(id))
        if holder != client.key(id):
            client.state.report("duplicate", f"{serial} is held by {holder} and {client.key(id)}")


WORKLOADS: dict[str, Callable[[SessionClient], Awaitable[None]]] = {
    "scale": _on_scale,
    "mobilenext": _on_mobilenext,
    "notte": _on_notte,
    "galtea": _on_galtea,
}
