"""What gunicorn's parser and response read of a configuration; `gunicorn.config` imports slowly."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class ParserConfig:
    """Strict parsing, and no trust in headers of proxies: they are the application's middleware."""

    is_ssl: bool = False
    workers: int = 1
    limit_request_line: int = 0  # the parser's own limit is at most 8 KB: `Connection` has another
    limit_request_fields: int = 100
    limit_request_field_size: int = 8190
    errorlog: str | None = None
    forwarded_allow_ips: tuple[str, ...] = ()
    forwarder_headers: tuple[str, ...] = ()
    secure_scheme_headers: dict[str, str] = field(default_factory=dict)
    header_map: str = "drop"
    http_parser: str = "python"  # also where gunicorn_h1c is installed
    proxy_protocol: str = "off"
    sendfile: bool = False
    casefold_http_method: bool = False
    permit_obsolete_folding: bool = False
    permit_unconventional_http_method: bool = False
    permit_unconventional_http_version: bool = False
    strip_header_spaces: bool = False

    def forwarded_allow_networks(self) -> list[Any]:
        return []
