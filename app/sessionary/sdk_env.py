"""Where each vendor's client finds a namespace: its address, a key that picks it, and the
variables.

Any key is admitted by a double; this one says which namespace is meant, as the address does, so
that either may be taken alone.
"""

from typing import NamedTuple

DEFAULT = "default"
ACCOUNT = "000000000000000000000001"  # Scale's: the organization that every namespace has


class Access(NamedTuple):
    """A vendor's address, without a slash at its end, and a key."""

    url: str
    key: str


class Environment:
    """The vendors in one namespace of the server at `url`."""

    def __init__(self, url: str, namespace: str = DEFAULT) -> None:
        self.url = url.rstrip("/")
        self.namespace = namespace
        is_default = namespace == DEFAULT
        self._root = self.url if is_default else f"{self.url}/~{namespace}"
        self._key = "test" if is_default else f"ns-{namespace}-test"

    @property
    def scale(self) -> Access:
        return Access(f"{self._root}/scale", self._key)

    @property
    def mobilenext(self) -> Access:
        return Access(f"{self._root}/mobilenext", f"mob_{self._key}")

    @property
    def notte(self) -> Access:
        return Access(f"{self._root}/notte", f"sk-notte-{self._key}")

    @property
    def galtea(self) -> Access:
        return Access(f"{self._root}/galtea", f"gsk_{self._key}")

    def variables(self) -> dict[str, str]:
        """What the vendors' clients read from their environment, and what keeps them quiet.

        mobilecli takes no path: its key alone picks the namespace.
        """
        return {
            "NOTTE_API_URL": self.notte.url,
            "NOTTE_API_KEY": self.notte.key,
            "DISABLE_TELEMETRY": "true",
            "GALTEA_API_URL": self.galtea.url,
            "GALTEA_API_KEY": self.galtea.key,
            "SGP_CLIENT_BASE_URL": self.scale.url,
            "SGP_API_KEY": self.scale.key,
            "SGP_ACCOUNT_ID": ACCOUNT,
            "EGP_ENDPOINT_URL": self.scale.url,
            "EGP_API_KEY": self.scale.key,
            "EGP_ACCOUNT_ID": ACCOUNT,
            "MOBILECLI_FLEET_URL": f"ws{self.url.removeprefix('http')}/ws",
            "MOBILECLI_TOKEN": self.mobilenext.key,
            "SESSIONARY_URL": self.url,
            "SESSIONARY_NAMESPACE": self.namespace,
        }
