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
    """The host names under which the server accepts requests, to prevent DNS rebinding.

    Accepted are the bound address and the loopback names, with the bound port or without a port,
    and the names in the setting `http.hosts` with any port. A server that is bound to all addresses
    also accepts this machine's name and all numeric addresses, because an attack needs a name.
    """

    def __init__(self, bound: str, port: int, named: Sequence[str] = ()) -> None:
        self._port, self._named = str(port), {name.lower() for name in named}
        self._names = {name.lower() for name in (*LOOPBACK, bound)}
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
        name, port = name_and_port_in(headers[0])
        known = name in self._names or (self._any_address and _is_address(name))
        if name in self._named or (known and port in ("", self._port)):
            return ""
        return f"{headers[0][:100]!a} is not answered; name it in http.hosts"


def name_and_port_in(header: str) -> tuple[str, str]:
    """Return the host of a Host header, in lower case, and its port or ""."""
    text = header.strip().lower()
    if text.startswith("["):
        name, bracket, rest = text[1:].partition("]")
        port = rest.removeprefix(":")
        is_whole = bracket and ":" in name and rest in ("", f":{port}")
        return (name, port) if is_whole else (text, "")
    name, colon, port = text.rpartition(":")
    if colon and port.isdigit():
        return name.removesuffix("."), port
    return text.removesuffix("."), ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
