"""The namespaces of a double, from outside."""

from collections.abc import Mapping
from typing import Any

from sessionary.client.responses import Namespace
from sessionary.client.times import Instant, optional
from sessionary.client.transport import Calls, encode, segment

DEFAULT = "default"


class Namespaces:
    """Makes, copies, fills and drops namespaces; those without a name are about the client's
    own."""

    def __init__(self, calls: Calls, own: str) -> None:
        self._calls = calls
        self._own = own

    def list(self) -> list[str]:
        """Every namespace's name."""
        found: list[str] = self._calls("GET", "namespaces")["namespaces"]
        return found

    def create(
        self,
        name: str | None = None,
        *,
        now: Instant | None = None,
        seed: Mapping[str, Any] | None = None,
    ) -> Namespace:
        """A new namespace, of a made up name unless given; its clock stands at `now` if given."""
        body = {"name": name, "now": optional(now), "seed": seed}
        given = {key: value for key, value in body.items() if value is not None}
        found: Namespace = self._calls("POST", "namespaces", given)
        return found

    def get(self, name: str | None = None) -> Namespace:
        """A namespace and its clock."""
        found: Namespace = self._calls("GET", self._path(name))
        return found

    def reset(self, name: str | None = None) -> Namespace:
        """Make a namespace what a new one is."""
        found: Namespace = self._calls("POST", self._path(name, "reset"))
        return found

    def fork(self, to: str | None = None, *, name: str | None = None) -> Namespace:
        """Copy a namespace into a new one of the name `to`; without that one is made up."""
        body = {} if to is None else {"name": to}
        found: Namespace = self._calls("POST", self._path(name, "fork"), body)
        return found

    def snapshot(self, name: str | None = None) -> bytes:
        """A namespace as a database file."""
        return self._calls.send("GET", self._path(name, "snapshot"))

    def restore(self, contents: bytes, name: str | None = None) -> None:
        """Give a namespace, made if it is not there, the contents of a snapshot."""
        headers = {"Content-Type": "application/vnd.sqlite3"}
        self._calls.send("POST", self._path(name, "restore"), contents, headers)

    def seed(self, document: str | Mapping[str, Any], name: str | None = None) -> int:
        """Bring a namespace up to a seed, given as TOML or as what that says; how many rows it
        has."""
        import json

        if isinstance(document, str):
            content, kind = document.encode(), "application/toml"
        else:
            content, kind = encode(document), "application/json"
        path = self._path(name, "seed")
        answer = self._calls.send("POST", path, content, {"Content-Type": kind})
        found: int = json.loads(answer)["row_count"]
        return found

    def drop(self, name: str | None = None) -> None:
        """Close a namespace and forget it."""
        self._calls("DELETE", self._path(name))

    def _path(self, name: str | None, *rest: str) -> str:
        return "/".join(["namespaces", segment(name or self._own), *rest])
