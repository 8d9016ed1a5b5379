"""Which Host headers are answered: a web page elsewhere whose name is made to lead to this machine
(DNS rebinding) would otherwise read what is here through its visitor's browser."""

import ipaddress
import socket
from collections.abc import Sequence

LOOPBACK = ("localhost", "127.0.0.1", "::1")
EVERYWHERE = ("0.0.0.0", "::", "")


class Hosts:
    """The bound address, the loopback's names, and those named in `http.hosts`.

    Bound to all addresses, any address in figures and this machine's name are answered: only a
    name can be made to lead elsewhere.
    """

    def __init__(self, bound: str, named: Sequence[str] = ()) -> None:
        self._names = {name.lower() for name in (*LOOPBACK, bound, *named)}
        self._any_address = bound in EVERYWHERE
        if self._any_address:
            self._names.add(socket.gethostname().lower())

    def refusal(self, headers: Sequence[str]) -> str:
        """Why a request with these Host headers is not answered, or nothing. Without one it is: a
        browser always sends one."""
        if not headers:
            return ""
        if len(headers) > 1:
            return "two Host headers"
        name = name_in(headers[0])
        if name in self._names or (self._any_address and _is_address(name)):
            return ""
        return f"{headers[0][:100]!a} is not answered; name it in http.hosts"


def name_in(header: str) -> str:
    """The host of a Host header, without its port."""
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
