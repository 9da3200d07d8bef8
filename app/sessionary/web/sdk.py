"""How the vendors' SDKs find a namespace. Imports neither Flask nor the database."""

from collections.abc import Callable, Mapping
from typing import NamedTuple


class SdkAccess(NamedTuple):
    """The URL of a surface in a namespace, and a key for it; either selects the namespace."""

    url: str
    key: str
    server_url: str  # for SDKs that take no path
    organization: str  # which every key of a double may use


class Sdk(NamedTuple):
    """What a vendor's SDK needs: the surface's name, key prefixes and environment variables."""

    surface: str
    key_prefixes: tuple[str, ...]  # of keys that the vendor knows; created keys have the first
    variables: Callable[[SdkAccess], Mapping[str, str]]

    @property
    def key_prefix(self) -> str:
        """The prefix of created keys."""
        return self.key_prefixes[0] if self.key_prefixes else ""
