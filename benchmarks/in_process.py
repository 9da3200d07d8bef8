"""In process: the WSGI callable, compared with a bare Flask hello and a bare sqlite3 loop."""

import itertools
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks.measure import Samples, alternate, median, ratio, seconds_each
from benchmarks.namespaces import FilledApp, filled_app
from benchmarks.profiles import Profile
from benchmarks.requests import Request, wsgi_call
from benchmarks.rivals import hello, raw
from benchmarks.vendors import VENDORS
from sessionary.web import json_codec

Batch = Callable[[], float]
OPERATIONS = ("get", "create", "list", "list (orjson)", "end")
COUNT = 1_000


def run(profile: Profile, folder: Path) -> dict[str, Any]:
    """Measure each operation of each surface; create also with durability full.

    The list is measured with the JSON of the standard library and, if installed, with orjson; the
    other operations use orjson if installed.
    """
    held = profile.batch * (profile.rounds + 2)
    found: dict[str, Any] = {}
    for durability, operations in (("normal", OPERATIONS), ("full", ("create (full)",))):
        path = folder / f"{durability}.sqlite3"
        with (
            filled_app(
                path, VENDORS, COUNT + held, open_count=held, durability=durability
            ) as namespace,
            closing(
                raw.open_copy(namespace.namespace, folder / "raw.sqlite3", durability)
            ) as connection,
        ):
            for label in operations:
                if label == "list (orjson)" and json_codec._quick_bytes is None:
                    continue
                bench = _Operation(label.split()[0], durability, namespace, connection, profile)
                with _json_codec_of(label):
                    found[label] = _summary(alternate(bench.candidates(), profile.rounds))
        (folder / "raw.sqlite3").unlink()
    return found


@contextmanager
def _json_codec_of(label: str) -> Iterator[None]:
    """Disable orjson for the plain list."""
    kept = json_codec._quick_bytes
    if label == "list":
        json_codec._quick_bytes = None
    try:
        yield
    finally:
        json_codec._quick_bytes = kept


def _summary(samples: Samples) -> dict[str, Any]:
    """Microseconds of each, and the ratios that the bars are about."""
    found: dict[str, Any] = {"hello_us": median(samples["hello"]) * 1e6, "surfaces": {}}
    for vendor in VENDORS:
        ours, bare = samples[vendor.NAME], samples[f"raw {vendor.NAME}"]
        inserting = samples.get(f"insert {vendor.NAME}")
        found["surfaces"][vendor.NAME] = {
            "us": median(ours) * 1e6,
            "over_hello": ratio(ours, samples["hello"]),
            "raw_us": median(bare) * 1e6,
            "over_raw": ratio(ours, bare),
            "raw_insert_us": inserting and median(inserting) * 1e6,
            "throughput_of_raw_insert": inserting and ratio(inserting, ours),
        }
    return found


class _Operation:
    """One operation of every surface, as candidates for `alternate`."""

    def __init__(
        self,
        name: str,
        durability: str,
        namespace: FilledApp,
        connection: sqlite3.Connection,
        profile: Profile,
    ) -> None:
        self.name = name
        self.namespace = namespace
        self.connection = connection
        is_slow = name == "list" or durability == "full"
        self.size = max(profile.batch // 6, 2) if is_slow else profile.batch
        self._hello = wsgi_call(hello.app, Request("GET", "/"), {})

    def _time(self, calls: list[Callable[[], Any]]) -> float:
        return seconds_each(calls, waits=self.name in ("create", "end"))

    def candidates(self) -> dict[str, Batch]:
        found: dict[str, Batch] = {"hello": lambda: self._time([self._hello] * self.size)}
        for vendor in VENDORS:
            ours, bare, inserting = self._of(vendor)
            found |= {vendor.NAME: ours, f"raw {vendor.NAME}": bare}
            if self.name == "create":
                found[f"insert {vendor.NAME}"] = inserting
        return found

    def _of(self, vendor: ModuleType) -> tuple[Batch, Batch, Batch]:
        """Return a batch of calls, of their statements alone, and of their INSERT alone."""
        headers = vendor.headers(self.namespace.dataset.keys[vendor.NAME])
        known = self._ids(vendor)
        first = next(known)
        once = wsgi_call(self.namespace.app, self._request(vendor, first), headers)
        steps, body = raw.record(self.namespace.namespace, once)
        if self.name == "create":
            first = json.loads(body)[vendor.ID]
        others = self._others(vendor, first)

        def ours() -> float:
            requests = [self._request(vendor, next(known)) for _ in range(self.size)]
            return self._time([wsgi_call(self.namespace.app, each, headers) for each in requests])

        def bare(chosen: list[raw.Step]) -> float:
            batches = [
                [step.about(first[-12:], id[-12:]) for step in chosen]
                for id in itertools.islice(others, self.size)
            ]
            return self._time([raw.make_replay(self.connection, each) for each in batches])

        inserts = [step for step in steps if step.text.startswith("INSERT")][:1]
        return ours, lambda: bare(steps), lambda: bare(inserts)

    def _ids(self, vendor: ModuleType) -> Iterator[str]:
        """Return ids of sessions to act on; each can be ended only once."""
        if self.name == "end":
            _, _, _, _, count, open_count = self.namespace.dataset
            return map(vendor.id_of, range(count - open_count, count))
        return map(vendor.id_of, itertools.cycle(range(0, COUNT, 7)))

    def _others(self, vendor: ModuleType, first: str) -> Iterator[str]:
        """Return ids of sessions that the bare loop acts on or creates."""
        if self.name == "create":
            return (f"{first[:-12]}{number:012x}" for number in itertools.count())
        return self._ids(vendor)

    def _request(self, vendor: ModuleType, id: str) -> Request:
        request: Request = {
            "create": lambda: vendor.creation(self.namespace.dataset),
            "list": lambda: vendor.FIRST_PAGE,
            "get": lambda: vendor.reading(id),
            "end": lambda: vendor.ending(id),
        }[self.name]()
        return request
