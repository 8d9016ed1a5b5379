"""Read the certificate and the key of the web server."""

import ssl
from pathlib import Path

from beatd.errors import ConfigError


def tls_context(cert: str, key: str) -> ssl.SSLContext:
    """Return the TLS settings of a server with this certificate and key, paths of PEM files.

    Raises ConfigError, which names the file that cannot be used.
    """
    for path in (cert, key):
        try:
            Path(path).read_bytes()
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise ConfigError(f"{path!r} cannot be read: {why}") from None
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        made.load_cert_chain(cert, key, password=_no_password)
    except (ssl.SSLError, OSError, ValueError) as error:
        raise ConfigError(_fault(cert, key, error)) from None
    return made


def _no_password() -> str:
    """Refuse a key with a password; OpenSSL would otherwise ask for it on the terminal."""
    raise ValueError("password")


def _fault(cert: str, key: str, error: Exception) -> str:
    # Which of the two files is wrong?
    if str(error) == "password":
        return f"{key!r} has a password; write it without one, readable by beatd only"
    if "MISMATCH" in str(error) or "NO_CERTIFICATE" in str(error):
        return f"{key!r} is not the key of {cert!r}"
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(cert)
    except ssl.SSLError:
        return f"{cert!r} is not a certificate in PEM form"
    return f"{key!r} is not a private key in PEM form"
