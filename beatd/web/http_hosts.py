"""Check the Host header of HTTP requests, to prevent DNS rebinding.

In that attack, a web page changes its host name to resolve to this machine, so that it could read
the daemon's status through its visitor's browser.
"""

import ipaddress
import socket
from collections.abc import Sequence

LOOPBACK = ("localhost", "127.0.0.1", "::1")
EVERYWHERE = ("0.0.0.0", "::", "")


class HttpHosts:
    """Decides by the Host header whether an HTTP request is answered.

    Accepted are the bound address, the loopback names and the names in `http.hosts`. A server that
    is bound to all addresses also accepts this machine's name and every numeric address.
    """

    def __init__(self, bound: str, named: Sequence[str] = ()) -> None:
        self._names = {name.lower() for name in (*LOOPBACK, bound, *named)}
        self._any_address = bound in EVERYWHERE
        if self._any_address:
            self._names.add(socket.gethostname().lower())

    def refusal(self, headers: Sequence[str]) -> str:
        """Return why a request with these Host headers is refused, or "" if it is accepted.

        A request without a Host header is accepted, because it does not come from a browser.
        """
        if not headers:
            return ""
        if len(headers) > 1:
            return "two Host headers"
        name = name_in(headers[0])
        if name in self._names or (self._any_address and _is_address(name)):
            return ""
        return f"{headers[0][:100]!a} is not answered; name it in http.hosts"


def name_in(header: str) -> str:
    """Return the host name in a Host header, in lower case and without the port."""
    text = header.strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    name, colon, port = text.rpartition(":")
    return (name if colon and port.isdigit() else text).removesuffix(".")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
