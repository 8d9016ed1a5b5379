"""The access tokens of programs and people, of which only hashes are kept."""

import hmac
from collections.abc import Iterable
from hashlib import sha256

from msgspec import Struct

from beatd.web.visitor import Role, Visitor

SESSION_KEY_TEXT = b"beatd session"


class Token(Struct, frozen=True):
    """An access token: a name, a role, the hash of its secret, and a key that signs session
    cookies."""

    name: str
    role: Role
    hash: bytes
    session_key: bytes

    @classmethod
    def of(cls, name: str, role: Role, secret: str) -> "Token":
        """Return a token for a secret text, which itself is not kept."""
        raw = secret.encode()
        key = hmac.digest(raw, SESSION_KEY_TEXT, "sha256")
        return cls(name, role, sha256(raw).digest(), key)

    def visitor(self) -> Visitor:
        """Return the visitor that this token identifies, with its role."""
        return Visitor(self.name, self.role, by_token=True)


class Tokens:
    """All valid access tokens, which are found by their secret or by their name."""

    def __init__(self, tokens: Iterable[Token] = ()) -> None:
        self._by_name = {token.name: token for token in tokens}

    def __bool__(self) -> bool:
        return bool(self._by_name)

    def of_secret(self, secret: str) -> Token | None:
        """Return the token with this secret text, or None if no token has it.

        All tokens are compared in constant time, so that the time reveals nothing about them.
        """
        given, found = sha256(secret.encode("utf-8", "replace")).digest(), None
        for token in self._by_name.values():
            if hmac.compare_digest(token.hash, given):
                found = token
        return found

    def named(self, name: str) -> Token | None:
        """Return the token with this name, or None if there is none."""
        return self._by_name.get(name)
