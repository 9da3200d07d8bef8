"""Removal of credentials from the recorded texts of a call."""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote, quote_plus

REDACTED = "[redacted]"
_MIN_LENGTH = 6  # a shorter secret is removed only where it stands alone
_CREDENTIALS = ("HTTP_AUTHORIZATION", "HTTP_X_API_KEY", "HTTP_PROXY_AUTHORIZATION", "HTTP_COOKIE")
_NAME = (
    "(?:[a-z_-]*(?:api[_-]?key|access[_-]?key|private[_-]?key|token|secret|password|passwd)|"
    "key|authorization|cookie|credentials?)"
)
# Every name above contains one of these.
_NAME_HINTS = ("key", "token", "secret", "passw", "authorization", "cookie", "credential")


class Redactor:
    """Removes the secrets of a request, members with secret names, and vendor keys, in one pass."""

    def __init__(self, secrets: tuple[str, ...], key_prefixes: tuple[str, ...]) -> None:
        stems = dict.fromkeys(prefix.rstrip("_-") for prefix in key_prefixes)
        secret = "|".join(_secret_pattern(each) for each in secrets) or "(?!)"
        part = f"(?-i:{secret})"  # a secret may contain what ends a value
        shapes = "|".join(map(re.escape, stems)) or "(?!)"
        key = rf"(?<![a-z0-9])(?:{shapes})[_-](?:{part}|[a-z0-9_-]){{20,}}+"
        alternatives = (
            rf'(?P<member>"{_NAME}"\s*:\s*)(?:"(?:{part}|[^"\\]|\\.)*+"|-?[0-9][0-9.e+-]*)',
            rf"(?P<parameter>(?:^|[?&]){_NAME}(?:%5B%5D|\[\])?=)(?:{part}|[^&\s])++",
            key,
        )
        self._values = re.compile(f"{secret}|(?i:{key})")
        self._pattern = re.compile(f"{secret}|(?i:{'|'.join(alternatives)})")
        # A form that contains another one is found with it.
        self._needles = [s for s in secrets if not any(o in s for o in secrets if o != s)]
        self._hints = (*_NAME_HINTS, *(f"{stem}{end}".lower() for stem in stems for end in "_-"))

    def redact(self, texts: Mapping[str, str]) -> dict[str, str]:
        """Return the texts without credentials; texts that cannot have any are not scanned."""
        joined = "\n".join(texts.values())
        lowered = joined.lower()
        for needle in self._needles:
            if needle in joined:
                break
        else:
            for hint in self._hints:
                if hint in lowered:
                    break
            else:
                return dict(texts)
        return {name: self._pattern.sub(self._replace, text) for name, text in texts.items()}

    def _replace(self, match: re.Match[str]) -> str:
        member, parameter = match["member"], match["parameter"]
        if member is not None:
            return f'{self._values.sub(REDACTED, member)}"{REDACTED}"'
        return REDACTED if parameter is None else self._values.sub(REDACTED, parameter) + REDACTED


def redactor_of(environ: dict[str, Any], key_prefixes: tuple[str, ...]) -> Redactor:
    """The redactor for a request with these credentials."""
    return _redactor(tuple(environ[name] for name in _CREDENTIALS if name in environ), key_prefixes)


@lru_cache(maxsize=64)
def _redactor(headers: tuple[str, ...], key_prefixes: tuple[str, ...]) -> Redactor:
    """Secrets are whole headers and their credentials, in every form that a text can have."""
    secrets = {part for text in headers for part in (text, text.partition(" ")[2]) if part}
    forms = {
        form
        for each in secrets
        for form in (each, json.dumps(each)[1:-1], quote(each), quote(each, ""), quote_plus(each))
    }
    return Redactor(tuple(sorted(forms, key=len, reverse=True)), key_prefixes)


def _secret_pattern(secret: str) -> str:
    pattern = re.escape(secret)
    return pattern if len(secret) >= _MIN_LENGTH else rf"(?<![\w.-]){pattern}(?![\w.-])"
