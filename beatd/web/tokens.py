"""The tokens with which programs and people sign in, kept as hashes."""

import hmac
from collections.abc import Iterable
from hashlib import sha256

from msgspec import Struct

from beatd.web.visitor import Role, Visitor

SESSION_KEY_TEXT = b"beatd session"


class Token(Struct, frozen=True):
    """A token: the hash of its secret, and the key that signs cookies of visitors with it."""

    name: str
    role: Role
    hash: bytes
    session_key: bytes

    @classmethod
    def of(cls, name: str, role: Role, secret: str) -> "Token":
        """Return the token of a secret, without the secret."""
        raw = secret.encode()
        key = hmac.digest(raw, SESSION_KEY_TEXT, "sha256")
        return cls(name, role, sha256(raw).digest(), key)

    def visitor(self) -> Visitor:
        """Return the visitor who has this token."""
        return Visitor(self.name, self.role, by_token=True)


class Tokens:
    """Finds the token of a secret."""

    def __init__(self, tokens: Iterable[Token] = ()) -> None:
        self._by_name = {token.name: token for token in tokens}

    def __bool__(self) -> bool:
        return bool(self._by_name)

    def of_secret(self, secret: str) -> Token | None:
        """Return the token with this secret, or None.

        All tokens are compared, in constant time, so that the time shows nothing about them.
        """
        given, found = sha256(secret.encode("utf-8", "replace")).digest(), None
        for token in self._by_name.values():
            if hmac.compare_digest(token.hash, given):
                found = token
        return found

    def named(self, name: str) -> Token | None:
        """Return the token of this name, or None."""
        return self._by_name.get(name)
