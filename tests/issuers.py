"""Certificates for tests: an authority of the test's own, and whoever trusts it."""

import ssl
from pathlib import Path
from typing import Any

import trustme

from paydown.server import Certificate


class Issuer:
    """An authority of the test's own, and where its server's files lie."""

    def __init__(self, folder: Path) -> None:
        self._authority = trustme.CA()
        self.cert, self.key = folder / "cert.pem", folder / "key.pem"
        self.issue()

    def issue(self) -> None:
        """Put a new certificate, with its key, where the server reads them."""
        made = self._authority.issue_cert("127.0.0.1")
        made.private_key_pem.write_to_path(self.key)
        made.cert_chain_pems[0].write_to_path(self.cert)

    def certificate(self) -> Certificate:
        """As the server reads it."""
        return Certificate(self.cert, self.key)

    def trusting(self, **changes: Any) -> ssl.SSLContext:
        """What a client needs that trusts the authority."""
        context = ssl.create_default_context()
        self._authority.configure_trust(context)
        for name, value in changes.items():
            setattr(context, name, value)
        return context
