"""How the vendors' SDKs find a namespace. Imports neither Flask nor the database."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

ORGANIZATION = "000000000000000000000001"  # identity's default; identity loads the database


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

    def access(self, server_url: str, path: str = "default", key: str = "test") -> SdkAccess:
        """How the SDK reaches a namespace at a server, with a key of a double by default.

        `path` is the namespace, with an instant after it or without: `t42@+15m`.
        """
        is_default = path == "default"
        root = server_url if is_default else f"{server_url}/~{path}"
        words = key if is_default else f"ns-{path}-{key}"
        url = f"{root}/{self.surface}"
        return SdkAccess(url, self.key_prefix + words, server_url, ORGANIZATION)

    @property
    def key_prefix(self) -> str:
        """The prefix of created keys."""
        return self.key_prefixes[0] if self.key_prefixes else ""
