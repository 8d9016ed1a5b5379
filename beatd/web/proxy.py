"""The reverse proxy that signs people in and sends their names to the daemon in a header."""

from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address

from msgspec import Struct

from beatd.web.visitor import Role, Visitor


class Proxy(Struct, frozen=True):
    """The settings of a reverse proxy that signs people in: addresses, header, and roles of
    users."""

    user_header: str
    addresses: tuple[IPv4Network | IPv6Network, ...]
    roles: Mapping[str, Role]

    def sends_from(self, address: str) -> bool:
        """Return True if `address`, from which a connection comes, belongs to the proxy."""
        try:
            found = ip_address(address.partition("%")[0])
        except ValueError:
            return False
        plain = getattr(found, "ipv4_mapped", None) or found
        return any(plain in network for network in self.addresses)

    def visitor(self, user: str) -> Visitor | None:
        """Return the visitor for a user name that the proxy sent, or None if this user has no
        role."""
        role = self.roles.get(user)
        return None if role is None else Visitor(user, role)
