"""Settings of an installation: flags beat the environment, then the file, then the defaults.

Vendors declare settings of their own as frozen dataclasses, found in their `rules` modules. Outside
Python code they are flat: the field `keep_alive` of the surface `x` is `x_keep_alive`.
"""

import logging
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self, get_args

from sessionary.durations import BadDuration, parse_amount
from sessionary.near_names import did_you_mean

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

# The class that declares each surface's settings. The metadata of its fields are those of Setting.
Declarations = Mapping[str, type[Any]]


class BadSetting(ValueError):
    """A setting that cannot be used; the message names it, its source and the accepted values."""


class Setting(NamedTuple):
    """One setting: its flat name, types and default, a help text, and limits of its value."""

    name: str
    types: tuple[type, ...]
    default: Any
    help: str
    choices: tuple[str, ...] = ()
    minimum: float = 0
    maximum: float = 2**31
    vendor_default: Any = None  # where the vendor's own default differs
    is_secret: bool = False
    used_by: str = ""  # SERVER or DOUBLE alone, or LISTENER: a process that listens by itself
    danger: str = ""  # of using it anyway

    @property
    def variable(self) -> str:
        """The environment variable: `SESSIONARY_` and the name in capitals."""
        return f"SESSIONARY_{self.name.upper()}"

    @property
    def unit(self) -> str | None:
        """The unit of a duration, which its name ends in: `s`, `m`, `d`."""
        return _UNITS.get(self.name.rpartition("_")[2])


SERVER, DOUBLE_ONLY, LISTENER = "a server", "a double", "a process that listens"
_OTHER_VARIABLES = (
    *("SESSIONARY_CONFIG", "SESSIONARY_URL", "SESSIONARY_NAMESPACE"),
    "SESSIONARY_RUN",  # of a command that `sessionary shrink` runs
)
_log = logging.getLogger("sessionary")
_UNITS = {"seconds": "s", "minutes": "m", "days": "d"}


def _setting(default: Any, help: str, **limits: Any) -> Any:
    return field(default=default, metadata={"help": help, **limits})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings that all surfaces share, and `vendors`: by surface name, those of each vendor.

    `create_app` and `create_double` add the defaults of surfaces that `vendors` leaves out.
    """

    db: str = _setting("instance/sessionary.sqlite3", "database file; :memory: keeps nothing")
    seed: str | None = _setting(None, "TOML seed file, applied at every start")
    auth: str = _setting(
        "strict",
        "accepted credentials: created keys (strict) or any key (lenient)",
        choices=("strict", "lenient"),
    )
    host: str = _setting("127.0.0.1", "address to listen on", used_by=LISTENER)
    port: int = _setting(
        8000, "port to listen on; 0 picks a free one", maximum=65535, used_by=LISTENER
    )
    workers: int = _setting(1, "number of worker processes", minimum=1, maximum=256, used_by=SERVER)
    threads: int = _setting(4, "number of threads per worker", minimum=1, maximum=1024)
    ready_file: str | None = _setting(
        None,
        'file to write once the server listens: {"url", "pid", "version"}',
        used_by=LISTENER,
    )
    clock_rate: float | None = _setting(None, "start with a clock that runs this many times faster")
    log_format: str = _setting(
        "text", "format of the log", choices=("text", "json"), used_by=LISTENER
    )
    log_requests: bool = _setting(True, "log each request", used_by=LISTENER)
    metrics: str | None = _setting(
        None,
        "address for Prometheus metrics, e.g. 127.0.0.1:9090; needs the extra `metrics`",
        used_by=LISTENER,
    )
    durability: str = _setting(
        "full",
        "what an answered write survives: a power cut (full), a killed process (normal), "
        "neither (off)",
        choices=("full", "normal", "off"),
    )
    busy_timeout_seconds: float = _setting(
        5.0, "wait for a lock of another program before a write is answered with 503"
    )
    max_body_bytes: int = _setting(
        4 * 1024 * 1024, "maximum size of a request body; larger ones get 413", minimum=1
    )
    client_timeout_seconds: float = _setting(
        60.0,
        "disconnect clients that take longer to send a request or to read a response",
        minimum=0.1,
        maximum=3600,
        used_by=SERVER,
    )
    prune_ended_days: int | None = _setting(
        None,
        "remove sessions that ended more than this many days ago, a few after each write",
        minimum=1,
        maximum=36_500,
        used_by=SERVER,
    )
    tls_certificate: str | None = _setting(
        None, "PEM file with the certificate and its chain; turns on TLS", used_by=SERVER
    )
    tls_key: str | None = _setting(
        None, "PEM file with the certificate's private key", used_by=SERVER
    )
    rate_limit: int | None = _setting(
        None,
        "maximum requests per key and minute; each request then writes a counter",
        minimum=1,
        maximum=1_000_000,
    )
    max_failed_keys_per_minute: int = _setting(
        20,
        "maximum invalid keys per remote address and minute; 0 turns the limit off",
        maximum=1_000_000,
    )
    trusted_proxy: str | None = _setting(
        None, "use `X-Forwarded-` headers from these addresses or networks, separated by commas"
    )
    control: bool = _setting(False, "serve the control plane at /_control/v1")
    control_token: str | None = _setting(
        None, "bearer token that the control plane requires", is_secret=True
    )
    control_readonly: bool = _setting(
        False, "serve only the reads of the control plane", used_by=SERVER
    )
    journal: bool = _setting(
        False, "record every vendor call for the control plane; each then writes a row"
    )
    max_namespaces: int = _setting(
        10_000,
        "maximum number of namespaces in a double",
        minimum=1,
        maximum=1_000_000,
        used_by=DOUBLE_ONLY,
    )
    max_restore_bytes: int = _setting(
        256 * 1024 * 1024,
        "maximum size of a file that a double restores; larger ones get 413",
        minimum=1,
        used_by=DOUBLE_ONLY,
    )
    allowed_hosts: str | None = _setting(
        None,
        "further host names that a double on a loopback address answers to, comma-separated",
        used_by=DOUBLE_ONLY,
    )
    ids_seed: str | None = _setting(
        None,
        "derive all ids of new namespaces from this text, so that they are the same in every run",
        used_by=DOUBLE_ONLY,
        danger="its keys could be guessed",
    )
    cors_origins: str | None = _setting(
        None,
        "origins of web pages that may call a double's vendor routes, comma-separated",
        used_by=DOUBLE_ONLY,
    )
    record: str | None = _setting(
        None, "record the run of the default namespace in this file", used_by=DOUBLE_ONLY
    )
    vendor_defaults: bool = _setting(
        False, "use the vendor's own default where a default below differs from it"
    )
    vendors: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for each in _shared():
            _check(each, getattr(self, each.name))
        object.__setattr__(self, "host", _without_brackets(self.host))
        if self.control_token is not None:
            object.__setattr__(self, "control_token", _header_value(self.control_token))
        if self.journal and not self.control:
            raise BadSetting("journal needs control, through which it is read")
        if self.control_readonly and not self.control:
            raise BadSetting("control_readonly needs control, which it limits to reads")
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise BadSetting("tls_certificate and tls_key go together: give both or neither")
        if self.trusted_proxy is not None:
            networks(self.trusted_proxy)

    @classmethod
    def make(cls, declarations: Declarations, /, **values: Any) -> Self:
        """Settings from flat names. Raises BadSetting, and TypeError for an unknown name."""
        names = {each.name for each in _of_vendors(declarations)}
        shared = {name: value for name, value in values.items() if name not in names}
        known = {each.name for each in _shared()}
        for name in shared.keys() - known:
            raise TypeError(f"unknown setting {name}{did_you_mean(name, known | names)}")
        return cls(**shared)._add_vendors(declarations, values)

    @classmethod
    def load(
        cls,
        declarations: Declarations,
        flags: Mapping[str, Any] | None = None,
        environ: Mapping[str, str] | None = None,
        defaults: Mapping[str, Any] | None = None,
    ) -> Self:
        """Settings from flags, `SESSIONARY_*` and the TOML file that `SESSIONARY_CONFIG` names.

        Where a number of seconds, minutes or days is expected, text may be a duration: `1m30s`.
        `defaults` replace those of the settings. Raises BadSetting for an unknown name in the file
        and for a value that is not accepted; logs a warning for an unknown variable.
        """
        environ = os.environ if environ is None else environ
        known = all_settings(declarations)
        values = {**(defaults or {}), **_read_file(environ.get("SESSIONARY_CONFIG"), known)}
        _warn_of_unknown(environ, known)
        for each in known:
            if each.variable in environ:
                values[each.name] = _parse(each, environ[each.variable])
        values |= {name: value for name, value in (flags or {}).items() if value is not None}
        for each in known:
            if each.unit and isinstance(values.get(each.name), str):
                values[each.name] = _parse_duration(each, values[each.name], each.name)
        return cls.make(declarations, **values)

    def ensure_used_by(self, reader: str, *others: str) -> None:
        """Raise BadSetting for a setting that one of `others` alone reads, unlike `reader`."""
        for each in settings_of(*others):
            if getattr(self, each.name) != each.default:
                why = f" ({each.danger})" if each.danger else ""
                raise BadSetting(
                    f"{each.name} is for {each.used_by}, not for {reader}{why}: remove it"
                )

    def with_defaults(self, declarations: Declarations) -> Self:
        """The same settings, with the defaults of each surface that `vendors` leaves out."""
        missing = {name: each for name, each in declarations.items() if name not in self.vendors}
        return self._add_vendors(missing, {})

    def _add_vendors(self, declarations: Declarations, values: Mapping[str, Any]) -> Self:
        made = {name: self._make_vendor(name, each, values) for name, each in declarations.items()}
        return replace(self, vendors={**self.vendors, **made})

    def _make_vendor(self, surface: str, declared: type[Any], values: Mapping[str, Any]) -> Any:
        chosen = {}
        for each in fields(declared):
            setting = _describe(each, f"{surface}_")
            value = values.get(setting.name, setting.default)
            if value is None and setting.vendor_default is not None and self.vendor_defaults:
                value = setting.vendor_default
            _check(setting, value)
            chosen[each.name] = value
        return declared(**chosen)


# Where the defaults of a double differ.
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


def all_settings(declarations: Declarations) -> list[Setting]:
    """Every setting by its flat name: the shared ones first, then those of each surface."""
    return [*_shared(), *_of_vendors(declarations)]


def settings_of(*readers: str) -> list[Setting]:
    """The settings that one of these alone reads."""
    return [each for each in _shared() if each.used_by in readers]


def _shared() -> list[Setting]:
    return [_describe(each) for each in fields(Settings) if each.metadata]


def _of_vendors(declarations: Declarations) -> list[Setting]:
    return [
        _describe(each, f"{surface}_")
        for surface, declared in declarations.items()
        for each in fields(declared)
    ]


def _describe(declared: "Field[Any]", prefix: str = "") -> Setting:
    types = get_args(declared.type) or (declared.type,)  # of `int | None`: int and None
    return Setting(prefix + declared.name, types, declared.default, **declared.metadata)


def networks(text: str) -> tuple["IPv4Network | IPv6Network", ...]:
    """The networks of `trusted_proxy`. Raises BadSetting."""
    from ipaddress import ip_network

    try:
        return tuple(ip_network(each.strip()) for each in text.split(","))
    except ValueError as error:
        message = "trusted_proxy must be addresses or networks such as 10.0.0.0/8"
        raise BadSetting(f"{message}: {error}") from None


def _without_brackets(host: str) -> str:
    """The address itself, if it is written as in a URL: `[::1]`."""
    return host[1:-1] if host.startswith("[") and host.endswith("]") else host


def _warn_of_unknown(environ: Mapping[str, str], known: list[Setting]) -> None:
    names = [each.variable for each in known]
    for name in sorted(environ):
        if name.startswith("SESSIONARY_") and name not in (*names, *_OTHER_VARIABLES):
            _log.warning("%s is not a variable of Sessionary%s", name, did_you_mean(name, names))


def _header_value(token: str) -> str:
    """Strip blanks around a token, e.g. the newline at the end of a mounted secret."""
    stripped = token.strip()
    if not re.fullmatch("[!-~]+", stripped):
        raise BadSetting(
            "control_token (SESSIONARY_CONTROL_TOKEN) must be printable ASCII without blanks, "
            "and not be empty: callers send it in a header"
        )
    return stripped


def _check(setting: Setting, value: Any) -> None:
    name, types = setting.name, setting.types
    if not (type(value) in types or (type(value) is int and float in types)):
        expected = " or ".join("nothing" if t is type(None) else t.__name__ for t in types)
        actual = "" if setting.is_secret else f", not {value!r}"
        raise BadSetting(f"{name} must be {expected}{actual}")
    if setting.choices and value not in setting.choices:
        raise BadSetting(f"{name} must be one of {', '.join(setting.choices)}, not {value!r}")
    if value == "" and not setting.is_secret:
        raise BadSetting(f"{name} must not be empty")
    minimum, maximum = setting.minimum, setting.maximum
    if type(value) in (int, float) and not minimum <= value <= maximum:
        raise BadSetting(f"{name} must be from {minimum} to {maximum}, not {value!r}")


_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def _parse(setting: Setting, text: str) -> Any:
    """The value of an environment variable."""
    types = setting.types
    if not text and type(None) in types:
        return None
    if setting.unit:
        return _parse_duration(setting, text, setting.variable)
    try:
        if bool in types:
            return _BOOLEANS[text.lower()]
        if int in types:
            return int(text)
        return float(text) if float in types else text
    except (KeyError, ValueError):
        expected = "true or false" if bool in types else "a number"
        raise BadSetting(f"{setting.variable} must be {expected}, not {text!r}") from None


def _parse_duration(setting: Setting, text: str, name: str) -> float:
    try:
        value = parse_amount(text, str(setting.unit))
    except BadDuration:
        raise BadSetting(f"{name} must be a number or a duration, not {text!r}") from None
    if float in setting.types:
        return value
    if not value.is_integer():
        raise BadSetting(f"{name} must be a whole number, not {text!r}")
    return int(value)


def _read_file(path: str | None, known: list[Setting]) -> dict[str, Any]:
    if not path:
        return {}
    try:
        values = tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadSetting(f"cannot read the settings file {path}: {error}") from error
    names = [each.name for each in known]
    for name in values.keys() - set(names):
        raise BadSetting(f"{path} has an unknown setting: {name}{did_you_mean(name, names)}")
    return values
