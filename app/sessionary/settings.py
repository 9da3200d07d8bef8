"""What an installation can be told: a flag beats the environment, which beats a file, which
beats the default."""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, get_args

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network


class BadSetting(ValueError):
    """A setting that cannot be used; the message names it, its source and what it may be."""


def _setting(
    default: Any,
    about: str,
    *,
    choices: tuple[str, ...] = (),
    minimum: float = 0,
    maximum: float = 2**31,
    vendor: Any = None,
    is_secret: bool = False,
) -> Any:
    notes = {
        "about": about,
        "choices": choices,
        "minimum": minimum,
        "maximum": maximum,
        "vendor": vendor,
        "is_secret": is_secret,
    }
    return field(default=default, metadata=notes)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Every setting with its default; `SESSIONARY_<NAME>` in capitals is its environment twin."""

    db: str = _setting(
        "instance/sessionary.sqlite3", "the database file, or :memory: for one that is not kept"
    )
    seed: str | None = _setting(None, "a TOML file applied at every start")
    auth: str = _setting(
        "strict", "who is admitted: created keys, or any key", choices=("strict", "lenient")
    )
    host: str = _setting("127.0.0.1", "the address to listen on")
    port: int = _setting(8000, "the port to listen on; 0 picks a free one", maximum=65535)
    workers: int = _setting(1, "worker processes", minimum=1)
    threads: int = _setting(4, "threads in each worker", minimum=1)
    ready_file: str | None = _setting(
        None, 'written once the server listens: {"url", "pid", "version"}'
    )
    clock_rate: float | None = _setting(
        None, "start with a clock that runs this many times as fast", minimum=0
    )
    log_format: str = _setting("text", "the form of the log", choices=("text", "json"))
    log_requests: bool = _setting(True, "write a line into the log for each request")
    metrics: str | None = _setting(
        None, "serve metrics here, such as 127.0.0.1:9090; needs the extra of that name"
    )
    durability: str = _setting(
        "full",
        "full: an answered write survives a power cut; normal: a killed process; off: neither",
        choices=("full", "normal", "off"),
    )
    busy_timeout_seconds: float = _setting(
        5.0, "how long a write waits for another program's lock before it answers 503", minimum=0
    )
    max_body_bytes: int = _setting(
        4 * 1024 * 1024, "larger request bodies are refused with 413", minimum=1
    )
    client_timeout_seconds: float = _setting(
        60.0,
        "how long a client may take to send a request, or to read an answer",
        minimum=0.1,
        maximum=3600,
    )
    prune_ended_days: int | None = _setting(
        None,
        "remove sessions that ended more than this many days ago, a few with each write",
        minimum=1,
        maximum=36_500,
    )
    tls_certificate: str | None = _setting(
        None, "a PEM file with a certificate and its chain: the server then speaks TLS"
    )
    tls_key: str | None = _setting(None, "a PEM file with the key of the certificate")
    rate_limit: int | None = _setting(
        None,
        "how many requests a key may make in a minute; each is then counted by a write",
        minimum=1,
        maximum=1_000_000,
    )
    max_failed_keys_per_minute: int = _setting(
        20,
        "how many unknown keys another machine's address may try in a minute; 0: any number",
        maximum=1_000_000,
    )
    trusted_proxy: str | None = _setting(
        None, "addresses or networks, with commas, whose `X-Forwarded-` headers are believed"
    )
    control: bool = _setting(False, "serve the control plane at /_control/v1")
    control_token: str | None = _setting(
        None, "what the control plane wants after `Authorization: Bearer`", is_secret=True
    )
    journal: bool = _setting(
        False, "keep every call of a vendor's API for the control plane; each read becomes a write"
    )
    max_namespaces: int = _setting(
        10_000, "how many namespaces a double may hold at a time", minimum=1, maximum=1_000_000
    )
    vendor_defaults: bool = _setting(
        False, "take the vendor's own default where the ones below differ from it"
    )
    notte_global_timeout_minutes: int = _setting(
        30, "a v1 session's timeout must be less than this", minimum=2
    )
    notte_keep_alive: str = _setting(
        "operation",
        "what keep_alive outlives: the operation, or the idle timeout as well",
        choices=("operation", "timeout"),
    )
    galtea_auto_close_minutes: int | None = _setting(
        None, "a PENDING session this long untouched reads as COMPLETED", minimum=1, vendor=30
    )
    galtea_references: str = _setting(
        "open",
        "whether ids of versions, products and test cases must be seeded",
        choices=("open", "strict"),
    )
    mobilenext_lease_minutes: int | None = _setting(
        None, "how long a Mobile Next session may hold its devices", minimum=1
    )
    mobilenext_empty_session_minutes: int = _setting(
        15, "how long a Mobile Next session may stay without a device", minimum=1
    )
    scale_max_state_bytes: int = _setting(
        1024 * 1024, "a larger Scale `state` is refused with 413", minimum=2
    )

    def __post_init__(self) -> None:
        self._check_each()
        if self.control_token is not None:
            object.__setattr__(self, "control_token", _sendable(self.control_token))
        if self.journal and not self.control:
            raise BadSetting("journal needs control, through which it is read")
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise BadSetting("tls_certificate and tls_key go together: give both or neither")
        if self.trusted_proxy is not None:
            networks(self.trusted_proxy)

    def _check_each(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if value is None and each.metadata["vendor"] is not None and self.vendor_defaults:
                object.__setattr__(self, each.name, each.metadata["vendor"])
            else:
                _check(each.name, value, kinds(each.type), each.metadata)

    @classmethod
    def load(
        cls,
        flags: Mapping[str, Any] | None = None,
        environ: Mapping[str, str] | None = None,
        defaults: Mapping[str, Any] | None = None,
    ) -> Self:
        """Settings from flags, `SESSIONARY_*` and the TOML file that `SESSIONARY_CONFIG` names.

        `defaults` are a double's, where they differ.

        Raises BadSetting for an unknown name in the file and for any value out of bounds.
        """
        environ = os.environ if environ is None else environ
        given = {**(defaults or {}), **_from_file(environ.get("SESSIONARY_CONFIG"), cls)}
        for each in fields(cls):
            variable = f"SESSIONARY_{each.name.upper()}"
            if variable in environ:
                given[each.name] = _read(variable, environ[variable], kinds(each.type))
        given |= {name: value for name, value in (flags or {}).items() if value is not None}
        return cls(**given)

    @classmethod
    def of_a_double(cls, **given: Any) -> Self:
        """A double's: any key, in memory, with the control plane, unless told otherwise."""
        return cls(**{**DOUBLE, **given})

    @classmethod
    def from_env(cls) -> Self:
        """Settings from the environment alone, as `gunicorn wsgi:app` takes them."""
        return cls.load()


# Where a double's defaults differ.
DOUBLE: dict[str, Any] = {
    "db": ":memory:",
    "auth": "lenient",
    "durability": "off",
    "control": True,
    "journal": True,
    "log_requests": False,
    "port": 0,
    "max_failed_keys_per_minute": 0,
}


def networks(text: str) -> tuple["IPv4Network | IPv6Network", ...]:
    """What `trusted_proxy` names. Raises BadSetting."""
    from ipaddress import ip_network

    try:
        return tuple(ip_network(each.strip()) for each in text.split(","))
    except ValueError as error:
        raise BadSetting(
            f"trusted_proxy must be addresses or networks such as 10.0.0.0/8: {error}"
        ) from None


def _sendable(token: str) -> str:
    """A token without the blanks around it, such as the end of a mounted secret's line."""
    bare = token.strip()
    if not re.fullmatch("[!-~]+", bare):
        raise BadSetting(
            "control_token (SESSIONARY_CONTROL_TOKEN) must be printable ASCII without blanks, "
            "and not be empty: callers send it in a header"
        )
    return bare


def kinds(annotation: Any) -> tuple[type, ...]:
    """The types that an annotation such as `int | None` admits."""
    return get_args(annotation) or (annotation,)


def _check(name: str, value: Any, types: tuple[type, ...], notes: Mapping[str, Any]) -> None:
    fits = type(value) in types or (type(value) is int and float in types)
    if not fits:
        expected = " or ".join("nothing" if t is type(None) else t.__name__ for t in types)
        given = "" if notes["is_secret"] else f", not {value!r}"
        raise BadSetting(f"{name} must be {expected}{given}")
    if notes["choices"] and value not in notes["choices"]:
        raise BadSetting(f"{name} must be one of {', '.join(notes['choices'])}, not {value!r}")
    if value == "" and type(None) not in types:
        raise BadSetting(f"{name} must not be empty")
    minimum, maximum = notes["minimum"], notes["maximum"]
    if type(value) in (int, float) and not minimum <= value <= maximum:
        raise BadSetting(f"{name} must be from {minimum} to {maximum}, not {value!r}")


_WORDS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def _read(variable: str, text: str, types: tuple[type, ...]) -> Any:
    if not text and type(None) in types:
        return None
    try:
        if bool in types:
            return _WORDS[text.lower()]
        if int in types:
            return int(text)
        return float(text) if float in types else text
    except (KeyError, ValueError):
        expected = "true or false" if bool in types else "a number"
        raise BadSetting(f"{variable} must be {expected}, not {text!r}") from None


def _from_file(path: str | None, settings: type[Settings]) -> dict[str, Any]:
    if not path:
        return {}
    try:
        found = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadSetting(f"cannot read the settings file {path}: {error}") from error
    unknown = found.keys() - {each.name for each in fields(settings)}
    if unknown:
        raise BadSetting(f"{path} has an unknown setting: {', '.join(sorted(unknown))}")
    return found
