"""Credentials taken out of what is kept of a call."""

import json
import re
from typing import Any
from urllib.parse import quote, quote_plus

REDACTED = "[redacted]"
_SHORTEST = 6  # a shorter credential is found only where it stands alone
_CREDENTIALS = ("HTTP_AUTHORIZATION", "HTTP_X_API_KEY", "HTTP_PROXY_AUTHORIZATION", "HTTP_COOKIE")
_NAMES = (
    "(?:[a-z_-]*(?:api[_-]?key|access[_-]?key|private[_-]?key|token|secret|password|passwd)|"
    "key|authorization|cookie|credentials?)"
)
_IN_JSON = re.compile(rf'("{_NAMES}"\s*:\s*)("(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*)', re.IGNORECASE)
_IN_QUERY = re.compile(rf"((?:^|[?&]){_NAMES}(?:%5B%5D|\[\])?=)[^&\s]+", re.IGNORECASE)
# What looks like a vendor's key wherever it stands.
_KEYS = re.compile(r"(?<![A-Za-z0-9])(?:sk-notte-|gsk[_-]|mob_|scale-)[A-Za-z0-9_-]{20,}")


def credentials(environ: dict[str, Any]) -> tuple[str, ...]:
    """The texts that a request was let in by, as its headers have them."""
    found = (environ[name] for name in _CREDENTIALS if name in environ)
    return tuple({part for text in found for part in (text, text.partition(" ")[2]) if part})


def redacted(text: str, secrets: tuple[str, ...]) -> str:
    """A text without these secrets, without what is named like one or looks like a vendor's key."""
    for secret in sorted(secrets, key=len, reverse=True):
        for form in {secret, json.dumps(secret)[1:-1], quote(secret), quote_plus(secret)}:
            if form in text:
                text = _without(text, form)
    text = _IN_JSON.sub(rf'\1"{REDACTED}"', text)
    text = _IN_QUERY.sub(rf"\1{REDACTED}", text)
    return _KEYS.sub(REDACTED, text)


def _without(text: str, form: str) -> str:
    if len(form) >= _SHORTEST:
        return text.replace(form, REDACTED)
    alone = re.compile(rf"(?<![\w.-]){re.escape(form)}(?![\w.-])")
    return alone.sub(REDACTED, text)
