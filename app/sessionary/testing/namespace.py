"""A namespace of its own for a test: the vendors in it, its clock, its journal, its faults."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sessionary.client import Client, ControlError, Transport
from sessionary.sdk_env import DEFAULT, Environment
from sessionary.testing.journal import Journal
from sessionary.web.sdk import SdkAccess

Seed = str | Path | Mapping[str, Any]


class Namespace(Client):
    """The control plane's client in a namespace that exists until it is dropped."""

    def __init__(
        self,
        url: str,
        namespace: str,
        token: str | None = None,
        *,
        transport: Transport | None = None,
    ) -> None:
        super().__init__(url, namespace, token, transport=transport)
        self.journal: Journal = Journal(self.api, lambda: self.for_namespace(DEFAULT))
        self._environment = Environment(url, namespace)
        self._copies: list[Namespace] = []
        self.given: set[str] = set()  # the ids of sessions that a seed or a file brought

    def __getattr__(self, surface: str) -> SdkAccess:
        """The URL and key of a vendor's API in this namespace, by the name of its surface."""
        if surface.startswith("_"):
            raise AttributeError(surface)
        access: SdkAccess = getattr(self._environment, surface)
        return access

    def variables(self) -> dict[str, str]:
        """What makes the vendors' clients find this namespace by their environment."""
        return self._environment.variables()

    def seed(self, seed: Seed) -> int:
        """Bring it up to a seed: TOML, a file of it, or what that says; how many rows it has."""
        before = self._ids()
        if isinstance(seed, str) and seed.endswith(".toml"):
            raise ValueError(f"a file is given as a Path: seed=Path({seed!r})")
        document = seed.read_text(encoding="utf-8") if isinstance(seed, Path) else seed
        count = self.namespaces.seed(document)
        self.given |= self._ids() - before
        return count

    def prepare(
        self, seed: Seed | None, faults: Iterable[Mapping[str, Any]], *, may_hold_sessions: bool
    ) -> None:
        """Make the new namespace ready: with a seed, then with faults, each given by its names."""
        if may_hold_sessions:
            self.given = self._ids()
        if seed is not None:
            self.seed(seed)
        for fault in faults:
            self.faults.add(**fault)

    def fork(self) -> "Namespace":
        """A copy of it, which goes its own way from here and is dropped with it."""
        copy = Namespace(
            self.url, self.namespaces.fork()["name"], self.token, transport=self.transport
        )
        copy.given = self._ids()
        self._copies.append(copy)
        return copy

    def snapshot(self, path: str | Path) -> Path:
        """Keep it as a file."""
        file = Path(path)
        file.write_bytes(self.namespaces.snapshot())
        return file

    def restore(self, path: str | Path) -> None:
        """Make it what a snapshot was."""
        self.namespaces.restore(Path(path).read_bytes())
        self.given |= self._ids()

    def reset(self) -> None:
        """Make it what a new one is."""
        self.namespaces.reset()

    def drop(self) -> None:
        """Forget it and its copies; nothing happens where that was done already."""
        for copy in self._copies:
            copy.drop()
        try:
            self.namespaces.drop()
        except ControlError as problem:
            if problem.status != 404:
                raise

    def _ids(self) -> set[str]:
        return {each["id"] for each in self.sessions()}
