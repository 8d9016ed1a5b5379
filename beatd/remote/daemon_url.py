"""The URL of a running daemon, with the token and the certificates for connecting to it."""

import os
import ssl
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from beatd.errors import ConfigError
from beatd.secret import learn

TOKEN_CHARS_MAX = 1_000


class DaemonUrl(Struct, frozen=True):
    """The values of the options --url, --token-file and --ca, which say how to connect to a
    daemon."""

    url: str
    token_file: str | None = None
    ca: str | None = None

    def base(self) -> str:
        """Return the daemon's URL without a slash or the path of the API at its end.

        Raises ConfigError if it is invalid.
        """
        try:
            parts = urlsplit(self.url)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise ConfigError(f"--url: {error}") from None
        if parts.scheme not in ("http", "https") or not host or port == 0:
            raise ConfigError(f"--url: {self.url!r} is not like https://HOST:9753")
        if "@" in parts.netloc or parts.query or parts.fragment:
            raise ConfigError(
                "--url: the URL has only a host, a port and a path; a token goes into "
                "BEATD_TOKEN or --token-file"
            )
        if not self.url.isascii() or any(c.isspace() for c in self.url):
            raise ConfigError("--url: the URL has a blank or a letter that no URL has")
        return self.url.rstrip("/").removesuffix("/api/v1")

    def token(self, environ: Mapping[str, str] = os.environ) -> str:
        """Return the access token from --token-file, BEATD_TOKEN or BEATD_TOKEN_FILE, or "" if none
        is set.

        The token is hidden in all later messages. Raises ConfigError if it cannot be read or is
        invalid.
        """
        path = self.token_file
        where = "BEATD_TOKEN"
        token = environ.get(where, "")
        if path is None and not token:
            path = environ.get("BEATD_TOKEN_FILE") or None
        if path is not None:
            where = f"--token-file: {path}"
            token = _content(path)
        token = token.strip()
        if token:
            learn(token)
        usable = token.isascii() and token.isprintable() and " " not in token
        if not usable or len(token) > TOKEN_CHARS_MAX or (path is not None and not token):
            raise ConfigError(f"{where}: a token is one word of ASCII letters")
        return token

    def shows_token(self) -> bool:
        """Return True if the token would be sent to another machine without encryption."""
        parts = urlsplit(self.url)
        return (
            parts.scheme == "http" and not _is_loopback(parts.hostname or "") and bool(self.token())
        )

    def certificates(self) -> ssl.SSLContext:
        """Return an SSL context that trusts the certificates in the file --ca, or the usual ones.

        Raises ConfigError if the file cannot be used.
        """
        try:
            return ssl.create_default_context(cafile=self.ca)
        except ssl.SSLError:
            raise ConfigError(f"--ca: {self.ca} has no certificate in PEM form") from None
        except OSError as error:
            raise ConfigError(
                f"--ca: {self.ca}: {(error.strerror or str(error)).lower()}"
            ) from None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _content(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ConfigError(f"--token-file: {path}: a token is one word of ASCII letters") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"--token-file: {path}: {reason.lower()}") from None
