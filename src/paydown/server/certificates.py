"""A certificate with its key: read, refused in a sentence, and read anew when it was renewed."""

import os
import ssl
import time
from pathlib import Path

import structlog

from paydown.server.faults import ServeError

LOOK_SECONDS = 10.0
"""How long a renewed certificate may lie there before it is used."""

Version = list[tuple[int, ...]]

logger = structlog.get_logger()


class Certificate:
    """What this server shows of itself, and the rules of every TLS connection to it."""

    def __init__(self, cert: Path, key: Path) -> None:
        """Raises ServeError."""
        self._cert = cert
        self._key = key
        self._looked_at = time.monotonic()
        self._version = self._find_version()
        self._context = self._read()

    def context(self) -> ssl.SSLContext:
        """For a new connection. A renewed certificate that cannot be read is left, and logged."""
        now = time.monotonic()
        if now - self._looked_at >= LOOK_SECONDS:
            self._looked_at = now
            try:
                self._renew()
            except ServeError as fault:
                logger.error("the renewed certificate is not used", reason=str(fault))
        return self._context

    def _renew(self) -> None:
        version = self._find_version()
        if version != self._version:
            self._version = version
            self._context = self._read()
            logger.info("the renewed certificate is used", certificate=str(self._cert))

    def _find_version(self) -> Version:
        found: Version = []
        for path in (self._cert, self._key):
            try:
                status = path.stat()
            except OSError as fault:
                raise ServeError(f"The file {path} cannot be read: {fault.strerror}.") from None
            # That of a change, too: a file that could not be read may be given to its reader.
            found.append((status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size))
        return found

    def _read(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
        context.set_alpn_protocols(["http/1.1"])
        for path in (self._cert, self._key):
            if not os.access(path, os.R_OK):
                raise ServeError(f"The file {path} cannot be read. Check its permissions.")
        try:
            context.load_cert_chain(self._cert, self._key, password=self._refuse_passphrase)
        except (ssl.SSLError, OSError) as fault:
            raise ServeError(self._say(fault)) from None
        return context

    def _refuse_passphrase(self) -> str:
        """Nobody is there to type one when a server starts by itself."""
        raise ServeError(
            f"The key {self._key} has a passphrase. Give one without, which only the server's user "
            "can read."
        )

    def _say(self, fault: OSError) -> str:
        reason = getattr(fault, "reason", None)
        if reason == "KEY_VALUES_MISMATCH":
            return f"The key {self._key} is not that of the certificate {self._cert}."
        return (
            f"The certificate {self._cert} and the key {self._key} cannot be used "
            f"({reason or fault.strerror}). Both are PEM files; the certificate's holds the whole "
            "chain, the server's own first."
        )


def read_certificate(cert: str, key: str) -> Certificate | None:
    """The certificate in those files, None where none is named. Raises ServeError."""
    if not cert and not key:
        return None
    if not (cert and key):
        raise ServeError("Give --tls-cert and --tls-key together.")
    return Certificate(Path(cert), Path(key))
