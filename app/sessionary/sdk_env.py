"""Where the vendors' SDKs find a namespace: a URL, a key and environment variables for each.

A double accepts any key; the keys here select the namespace, as the URLs do.
"""

import os
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from sessionary.durations import parse_signed_duration
from sessionary.surfaces import SDKS
from sessionary.web.instants import NotAnInstant, parse, to_text
from sessionary.web.sdk import Sdk, SdkAccess

__tracebackhide__ = True  # pytest leaves the frames of this module out
DEFAULT = "default"
_NO_PROXY = ("NO_PROXY", "no_proxy")  # SDKs differ in which they read


def instant_text(text: str) -> str:
    """Return an instant as URLs and keys have it: in UTC, or `+5m` from now. Raises ValueError."""
    try:
        if text.startswith(("+", "-")):
            parse_signed_duration(text)
            return text
        return to_text(parse(text) // 1000)
    except ValueError as error:
        hint = ", or a duration from now such as +15m" if isinstance(error, NotAnInstant) else ""
        raise ValueError(f"{text!r} {error}{hint}") from None


class Environment:
    """The vendors' APIs in one namespace of the server at `url`, as of now or of `at`.

    `at` is text of `instant_text`. Each API is an attribute by the name of its surface:
    `environment.<surface>.url` and `.key`.
    """

    def __init__(
        self,
        url: str,
        namespace: str = DEFAULT,
        sdks: Iterable[Sdk] = SDKS,
        *,
        at: str | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self.namespace = namespace
        self._path = namespace if at is None else f"{namespace}@{at}"
        self._sdks = {sdk.surface: sdk for sdk in sdks}

    def __getattr__(self, surface: str) -> SdkAccess:
        sdk: Sdk | None = self.__dict__.get("_sdks", {}).get(surface)
        if sdk is None:
            raise AttributeError(f"unknown surface: {surface!r}")
        return sdk.access(self.url, self._path)

    def variables(self, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
        """The environment variables that the SDKs and the commands on a double read.

        NO_PROXY and no_proxy have the double's host and all hosts that `environ` has in either.
        """
        variables: dict[str, str] = {}
        for surface, sdk in self._sdks.items():
            variables |= sdk.variables(getattr(self, surface))
        given = ",".join(environ.get(name, "") for name in _NO_PROXY)
        hosts = [*map(str.strip, given.split(",")), urlsplit(self.url).hostname]
        no_proxy = ",".join(dict.fromkeys(filter(None, hosts)))
        return {
            **variables,
            "SESSIONARY_URL": self.url,
            "SESSIONARY_NAMESPACE": self.namespace,
            **dict.fromkeys(_NO_PROXY, no_proxy),
        }
