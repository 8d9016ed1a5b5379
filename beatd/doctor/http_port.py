"""Look at the port of the pages: is it free, or does a daemon answer there?"""

import errno
import socket
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException

from beatd.config import Http
from beatd.doctor.finding import Finding


def http_findings(http: Http | None, timeout_s: float) -> Iterator[Finding]:
    """Yield whether a daemon could listen on the port, or does so already."""
    if http is None:
        return
    place = f"{http.host}:{http.port}"
    family = socket.AF_INET6 if ":" in http.host else socket.AF_INET
    try:
        socket.create_server((http.host, http.port), family=family).close()
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            text = f"cannot listen on {place}: {error.strerror or error}"
            yield Finding("error", "http", text)
        elif http.tls is not None:
            yield Finding("ok", "http", f"{place} is in use; right if it is this daemon")
        elif _is_live(http, timeout_s):
            yield Finding("ok", "http", f"a daemon answers on {place}")
        else:
            text = f"{place} is in use, but /live does not answer there"
            yield Finding("error", "http", f"{text}; another program? choose another port")
        return
    yield Finding("ok", "http", f"{place} is free")


def _is_live(http: Http, timeout_s: float) -> bool:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(http.host, http.host)
    connection = HTTPConnection(host, http.port, timeout=timeout_s)
    try:
        connection.request("GET", "/live")
        return connection.getresponse().status in (200, 503)
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
