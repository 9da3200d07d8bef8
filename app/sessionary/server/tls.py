"""TLS from a certificate and its key, for small installations without a proxy."""

import ssl
from pathlib import Path

from sessionary.settings import BadSetting, Settings


def make_context(settings: Settings) -> ssl.SSLContext | None:
    """Make the TLS context of the server, TLS 1.2 or newer; None if it speaks plain HTTP.

    Raises BadSetting if a file cannot be used or the two do not match.
    """
    certificate, key = settings.tls_certificate, settings.tls_key
    if certificate is None or key is None:
        return None
    for name, path in (("tls_certificate", certificate), ("tls_key", key)):
        try:
            Path(path).read_bytes()
        except OSError as error:
            raise BadSetting(f"cannot read {name} {path}: {error.strerror}") from None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key, password="")  # else OpenSSL prompts for one
    except ssl.SSLError as error:
        raise BadSetting(
            f"tls_certificate {certificate} and tls_key {key} must be a certificate and its own "
            f"key, without a password, both as PEM: {error.reason or error}"
        ) from None
    return context
