"""Credentials taken out of what is kept of a call."""

import json
import re
from functools import lru_cache
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
# Without any of these there is nothing that the patterns above could find.
_SIGNS = (
    *("key", "token", "secret", "passw", "authorization", "cookie", "credential"),
    *("sk-notte-", "gsk", "mob_", "scale-"),
)


def credentials(environ: dict[str, Any]) -> tuple[str, ...]:
    """What a request was let in by, in every form that it can have in a text."""
    return _forms(tuple(environ[name] for name in _CREDENTIALS if name in environ))


@lru_cache(maxsize=64)
def _forms(headers: tuple[str, ...]) -> tuple[str, ...]:
    found = {part for text in headers for part in (text, text.partition(" ")[2]) if part}
    forms = {
        form
        for each in found
        for form in (each, json.dumps(each)[1:-1], quote(each), quote(each, ""), quote_plus(each))
    }
    return tuple(sorted(forms, key=len, reverse=True))


def redacted(text: str, secrets: tuple[str, ...]) -> str:
    """A text without these secrets, without what is named like one or looks like a vendor's key."""
    for form in secrets:
        if form in text:
            text = _without(text, form)
    lowered = text.lower()
    if any(sign in lowered for sign in _SIGNS):
        text = _IN_JSON.sub(rf'\1"{REDACTED}"', text)
        text = _IN_QUERY.sub(rf"\1{REDACTED}", text)
        text = _KEYS.sub(REDACTED, text)
    return text


def _without(text: str, form: str) -> str:
    if len(form) >= _SHORTEST:
        return text.replace(form, REDACTED)
    alone = re.compile(rf"(?<![\w.-]){re.escape(form)}(?![\w.-])")
    return alone.sub(REDACTED, text)
