"""The namespaces of a server."""

from collections.abc import Iterable, Mapping
from typing import Any

from sessionary.client.faults import fault_to_json
from sessionary.client.responses import Namespace
from sessionary.client.times import Instant, to_text
from sessionary.client.transport import ControlApi, encode, segment

__tracebackhide__ = True  # pytest leaves the frames of this module out
DEFAULT = "default"


class Namespaces:
    """Creates, copies, seeds and drops namespaces. Without a name, methods use the client's own."""

    def __init__(self, api: ControlApi, own: str) -> None:
        self._api = api
        self._own = own

    def list(self) -> list[str]:
        """List the names of all namespaces."""
        return self._api.request(dict[str, list[str]], "GET", "namespaces")["namespaces"]

    def create(
        self,
        name: str | None = None,
        *,
        now: Instant | None = None,
        ids: str | None = None,
        seed: str | Mapping[str, Any] | None = None,
        faults: Iterable[Mapping[str, Any]] = (),
        record: bool = False,
    ) -> Namespace:
        """Create a namespace: by default with a generated name; with `now`, on a frozen clock.

        `ids` is the seed of its ids; `seed` is TOML text or a mapping; each fault is a mapping of
        arguments of `Faults.add`. A reset restores all of it. With `record`, its run is kept.
        """
        armed = [fault_to_json(fault) for fault in faults]
        body = {
            "name": name,
            "now": to_text(now),
            "ids": ids,
            "seed": seed,
            "faults": armed,
            "record": record,
        }
        return self._api.request(Namespace, "POST", "namespaces", body)

    def get(self, name: str | None = None) -> Namespace:
        """Return a namespace with its clock."""
        return self._api.request(Namespace, "GET", self._path(name))

    def reset(self, name: str | None = None) -> Namespace:
        """Reset a namespace to its initial state."""
        return self._api.request(Namespace, "POST", self._path(name, "reset"))

    def fork(self, to: str | None = None, *, name: str | None = None) -> Namespace:
        """Copy a namespace to a new one, named `to` or with a generated name."""
        return self._api.request(Namespace, "POST", self._path(name, "fork"), {"name": to})

    def snapshot(self, name: str | None = None) -> bytes:
        """Return a namespace as a database file."""
        return self._api.send("GET", self._path(name, "snapshot"))

    def restore(self, contents: bytes, name: str | None = None) -> None:
        """Replace a namespace's contents with a snapshot; create the namespace if needed."""
        headers = {"Content-Type": "application/vnd.sqlite3"}
        self._api.send("POST", self._path(name, "restore"), contents, headers)

    def seed(self, document: str | Mapping[str, Any], name: str | None = None) -> int:
        """Apply a seed, as TOML text or as a mapping; return its number of rows."""
        import json

        if isinstance(document, str):
            content, kind = document.encode(), "application/toml"
        else:
            content, kind = encode(document), "application/json"
        path = self._path(name, "seed")
        answer = self._api.send("POST", path, content, {"Content-Type": kind})
        return int(json.loads(answer)["row_count"])

    def drop(self, name: str | None = None) -> None:
        """Delete a namespace."""
        self._api.send("DELETE", self._path(name))

    def _path(self, name: str | None, *rest: str) -> str:
        return "/".join(["namespaces", segment(name or self._own), *rest])
