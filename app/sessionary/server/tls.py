"""TLS by a certificate and its key, for small installations without a proxy."""

import ssl
from pathlib import Path

from sessionary.settings import BadSetting, Settings


def context(settings: Settings) -> ssl.SSLContext | None:
    """What the server speaks TLS with, from version 1.2 on; None where it speaks plain HTTP.

    Raises BadSetting for files that cannot be used or do not belong together.
    """
    certificate, key = settings.tls_certificate, settings.tls_key
    if certificate is None or key is None:
        return None
    for name, path in (("tls_certificate", certificate), ("tls_key", key)):
        _prove_readable(name, path)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.options |= ssl.OP_NO_RENEGOTIATION
    made.set_alpn_protocols(["http/1.1"])
    try:
        made.load_cert_chain(certificate, key, password="")  # it would ask a person for one
    except ssl.SSLError as error:
        raise BadSetting(
            f"tls_certificate {certificate} and tls_key {key} must be a certificate and its own "
            f"key, without a password, both as PEM: {error.reason or error}"
        ) from None
    return made


def _prove_readable(name: str, path: str) -> None:
    try:
        Path(path).read_bytes()
    except OSError as error:
        raise BadSetting(f"cannot read {name} {path}: {error.strerror}") from None
