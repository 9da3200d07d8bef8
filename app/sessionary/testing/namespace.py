"""A namespace for a test: its vendor APIs, clock, journal, faults and contents."""

import sys
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sessionary.client import Client, ControlError, Instant, Transport
from sessionary.client.times import to_text
from sessionary.sdk_env import DEFAULT, Environment, instant_text
from sessionary.surfaces import SDKS
from sessionary.testing.journal import Journal
from sessionary.web.sdk import Sdk, SdkAccess

__tracebackhide__ = True  # pytest leaves the frames of this module out
Seed = str | Path | Mapping[str, Any]


def seed_document(seed: Seed) -> str | Mapping[str, Any]:
    """Return a seed as the control plane takes it: TOML text or a document."""
    if isinstance(seed, str) and seed.endswith(".toml"):
        raise ValueError(f"a seed file must be a Path: seed=Path({seed!r})")
    return seed.read_text(encoding="utf-8-sig") if isinstance(seed, Path) else seed


class Namespace(Client):
    """A client of one namespace; `namespace.<surface>.url` and `.key` are for a vendor's SDK."""

    def __init__(
        self,
        url: str,
        namespace: str,
        token: str | None = None,
        *,
        transport: Transport | None = None,
        sdks: Iterable[Sdk] = SDKS,
    ) -> None:
        super().__init__(url, namespace, token, transport=transport)
        self.journal: Journal = Journal(self.api, lambda: self.for_namespace(DEFAULT))
        self.follows_process = True  # its real clock reads the time of this process
        self.seeded_ids: set[str] = set()  # sessions of a seed or a snapshot: never leaks
        self._environment = Environment(url, namespace, sdks)
        self._sdks = sdks
        self._forks: list[Namespace] = []

    def __getattr__(self, surface: str) -> SdkAccess:
        if surface.startswith("_"):
            raise AttributeError(surface)
        access: SdkAccess = getattr(self._environment, surface)
        self._warn_of_moved_time()
        return access

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(sdk.surface for sdk in self._sdks)]

    def at(self, at: Instant) -> Environment:
        """Return URLs, keys and variables with which SDKs read as of an instant, or `+5m` from now.

        Writes with them are refused.
        """
        return Environment(self.url, self.namespace, self._sdks, at=instant_text(to_text(at) or ""))

    def variables(self) -> dict[str, str]:
        """Return the environment variables that point SDKs at this namespace."""
        self._warn_of_moved_time()
        return self._environment.variables()

    def seed(self, seed: Seed) -> int:
        """Apply a seed: TOML text, the Path of a TOML file, or a document; return its row count."""
        before = self._ids()
        count = self.namespaces.seed(seed_document(seed))
        self.seeded_ids |= self._ids() - before
        return count

    def note_seeded_sessions(self) -> None:
        """Note that the sessions which the namespace has now come from a seed."""
        self.seeded_ids |= self._ids()

    def keep_open(self) -> None:
        """Count the present sessions as seeded ones, which a test need not close."""
        self.seeded_ids |= self._ids()

    def fork(self) -> "Namespace":
        """Return a copy of this namespace, which is dropped with it."""
        name = self.namespaces.fork()["name"]
        fork = Namespace(self.url, name, self.token, transport=self.transport)
        fork.seeded_ids = self._ids()
        fork.follows_process = self.follows_process
        self._forks.append(fork)
        return fork

    def snapshot(self, path: str | Path) -> Path:
        """Save the namespace, without its journal, to a file."""
        file = Path(path)
        file.write_bytes(self.namespaces.snapshot())
        return file

    def save_run(self, path: str | Path) -> Path:
        """Save the run of the namespace, if it is recorded, to a file for `sessionary replay`."""
        file = Path(path)
        file.write_bytes(self.run())
        return file

    def restore(self, path: str | Path) -> None:
        """Replace the contents of the namespace with a snapshot."""
        self.namespaces.restore(Path(path).read_bytes())
        self.note_seeded_sessions()

    def reset(self) -> None:
        """Reset the namespace to the instant, ids, seed and faults that it was created with."""
        self.namespaces.reset()

    def drop(self) -> None:
        """Delete the namespace and its forks, if they still exist."""
        for fork in self._forks:
            fork.drop()
        try:
            self.namespaces.drop()
        except ControlError as error:
            if error.status != 404:
                raise

    def _warn_of_moved_time(self) -> None:
        """Warn if freezegun or time-machine moves the time of this process only."""
        if self.follows_process or not _is_time_moved() or self.clock.get()["mode"] == "frozen":
            return
        warnings.warn(
            f"the double at {self.url} does not follow the time of this process, which freezegun "
            "or time-machine sets: freeze the namespace as well, by now=… or clock.freeze(…)",
            stacklevel=3,
        )

    def _ids(self) -> set[str]:
        return {each["id"] for each in self.sessions()}


def _is_time_moved() -> bool:
    """Whether freezegun or time-machine is active in this process."""
    freezegun, machine = sys.modules.get("freezegun.api"), sys.modules.get("time_machine")
    return (freezegun is not None and bool(freezegun.freeze_factories)) or (
        machine is not None and machine.escape_hatch.is_travelling()
    )
