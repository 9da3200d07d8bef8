"""Removal of credentials from the recorded texts of a call."""

import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Self
from urllib.parse import quote, quote_plus

from sessionary.web.surface import Surface

REDACTED = "[redacted]"
_MIN_LENGTH = 6  # a shorter secret is removed only where it stands alone
_CREDENTIALS = ("HTTP_AUTHORIZATION", "HTTP_X_API_KEY", "HTTP_PROXY_AUTHORIZATION", "HTTP_COOKIE")
_GONE = re.escape(REDACTED)  # may be a part of a name or of a key
_NAME = (
    "(?:[a-z_-]*(?:api[_-]?key|access[_-]?key|private[_-]?key|token|secret|password|passwd)|"
    rf"[a-z_-]*{_GONE}|key|authorization|cookie|credentials?)"
)
_MEMBER = rf'"{_NAME}"\s*:\s*'
_VALUE = r'(?:"(?:[^"\\]|\\.)*+"|-?[0-9][0-9.e+-]*)'
_CREATED_KEY = re.compile(r"(?<![\w-])[A-Za-z0-9]{43}(?![\w-])")  # without a prefix
_PARAMETER = rf"(?:^|[?&]){_NAME}(?:%5B%5D|\[\])?="
# Every name above contains one of these.
_NAME_HINTS = ("key", "token", "secret", "passw", "authorization", "cookie", "credential")


class Redactor:
    """Removes the control token, a request's own secrets, members with secret names, and keys."""

    def __init__(self, key_prefixes: Iterable[str], control_token: str | None = None) -> None:
        self._own = (control_token,) if control_token else ()
        stems = dict.fromkeys(prefix.rstrip("_-") for prefix in key_prefixes)
        shapes = "|".join(map(re.escape, stems)) or "(?!)"
        key = rf"(?:{shapes})[_-](?:[a-z0-9_-]|{_GONE}){{20,}}"
        self._key = re.compile(rf"(?i:(?<![a-z0-9]){key})")
        self._pattern = re.compile(
            rf"(?i:(?P<member>{_MEMBER}){_VALUE}(?:{key})*|"
            rf"(?P<parameter>{_PARAMETER})(?:{_MEMBER}{_VALUE}|[^&\s])++|(?<![a-z0-9]){key})"
        )
        self._hints = (*_NAME_HINTS, *(f"{stem}{end}".lower() for stem in stems for end in "_-"))

    @classmethod
    def of(cls, surfaces: Iterable[Surface], control_token: str | None = None) -> Self:
        """The redactor for the keys of these surfaces."""
        prefixes = (prefix for surface in surfaces for prefix in surface.sdk.key_prefixes)
        return cls(prefixes, control_token)

    def redact(self, environ: Mapping[str, Any], texts: Mapping[str, str]) -> dict[str, str]:
        """Return the texts without credentials; texts that cannot have any are not scanned."""
        joined, found = "\n".join(texts.values()), dict(texts)
        lowered = joined.lower()
        has_hint = any(hint in lowered for hint in self._hints)
        given = (environ[name] for name in _CREDENTIALS if name in environ)
        for secret in _secrets(*self._own, *given):
            if secret in joined:
                found = {name: _remove(secret, text) for name, text in found.items()}
                has_hint = True
        if not has_hint:
            return found
        return {name: self._pattern.sub(self._replace, text) for name, text in found.items()}

    def _replace(self, match: re.Match[str]) -> str:
        if match["member"] is not None:
            return f'{match["member"]}"{REDACTED}"'
        if match["parameter"] is not None:
            return self._key.sub(REDACTED, match["parameter"]) + REDACTED
        return REDACTED


@lru_cache(maxsize=64)
def _secrets(*headers: str) -> list[str]:
    """Whole headers and their credentials, in every form that a text can have, longest first."""
    secrets = {part for text in headers for part in (text, text.partition(" ")[2]) if part}
    forms = {
        form
        for each in secrets
        for form in (each, json.dumps(each)[1:-1], quote(each), quote(each, ""), quote_plus(each))
    }
    return sorted(forms, key=len, reverse=True)


def remove_created_keys(text: str) -> str:
    """Remove what looks like a created key without a prefix; meant for paths and ids."""
    return _CREATED_KEY.sub(REDACTED, text)


def _remove(secret: str, text: str) -> str:
    if len(secret) >= _MIN_LENGTH:
        return text.replace(secret, REDACTED)
    return re.sub(rf"(?<![\w.-]){re.escape(secret)}(?![\w.-])", REDACTED, text)
