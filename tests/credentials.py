"""The certificate of a server on loopback, and what its clients trust."""

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass
class Credentials:
    """Files of a server's certificate, its key and its authority, and a context that trusts it."""

    certificate: str
    key: str
    authority: str
    trust: ssl.SSLContext

    def options(self) -> list[str]:
        return ["--tls-certificate", self.certificate, "--tls-key", self.key]


def make_credentials(folder: Path) -> Credentials:
    """Write files of a certificate for 127.0.0.1."""
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    key, certificate, root = (folder / f"{name}.pem" for name in ("key", "certificate", "root"))
    issued.private_key_pem.write_to_path(str(key))
    for blob in issued.cert_chain_pems:
        blob.write_to_path(str(certificate), append=True)
    authority.cert_pem.write_to_path(str(root))
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    return Credentials(str(certificate), str(key), str(root), trust)
