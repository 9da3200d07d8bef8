"""Where the vendors' SDKs find a namespace: a URL, a key and environment variables for each.

A double accepts any key; the keys here select the namespace, as the URLs do.
"""

from collections.abc import Iterable

from sessionary.surfaces import SDKS
from sessionary.web.sdk import Sdk, SdkAccess

__tracebackhide__ = True  # pytest leaves the frames of this module out
DEFAULT = "default"
ORGANIZATION = "000000000000000000000001"  # identity's default; identity loads the database


class Environment:
    """The vendors' APIs in one namespace of the server at `url`.

    Each is an attribute by the name of its surface: `environment.<surface>.url` and `.key`.
    """

    def __init__(self, url: str, namespace: str = DEFAULT, sdks: Iterable[Sdk] = SDKS) -> None:
        self.url = url.rstrip("/")
        self.namespace = namespace
        self._sdks = {sdk.surface: sdk for sdk in sdks}

    def __getattr__(self, surface: str) -> SdkAccess:
        sdk = self.__dict__.get("_sdks", {}).get(surface)
        if sdk is None:
            raise AttributeError(f"unknown surface: {surface!r}")
        is_default = self.namespace == DEFAULT
        root = self.url if is_default else f"{self.url}/~{self.namespace}"
        key = "test" if is_default else f"ns-{self.namespace}-test"
        return SdkAccess(f"{root}/{surface}", sdk.key_prefix + key, self.url, ORGANIZATION)

    def variables(self) -> dict[str, str]:
        """The environment variables that the SDKs and the commands on a double read."""
        variables: dict[str, str] = {}
        for surface, sdk in self._sdks.items():
            variables |= sdk.variables(getattr(self, surface))
        return variables | {"SESSIONARY_URL": self.url, "SESSIONARY_NAMESPACE": self.namespace}
