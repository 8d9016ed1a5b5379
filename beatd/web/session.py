"""The signed cookie of a person who signed in with a token.

Its value is "NAME|EXPIRY|NONCE|SIGNATURE". The key of the signature is derived from the token's
secret: every daemon with the same token accepts the cookie, and a new secret ends it.
"""

import hmac
import time
from collections.abc import Iterable
from secrets import token_urlsafe

from beatd.web.tokens import Token, Tokens

COOKIE = "beatd_session"
#: Its name over TLS: browsers take a cookie with this prefix from this host only, not from a server
#: with a name like it, or one without TLS.
SECURE_COOKIE = f"__Host-{COOKIE}"
LIFE_S = 12 * 3600
COOKIE_CHARS_MAX = 512


def session_value(token: Token, now: float | None = None) -> str:
    """Return the value of a session cookie for a person with this token, valid for LIFE_S
    seconds."""
    expiry = int(time.time() if now is None else now) + LIFE_S
    signed = f"{token.name}|{expiry}|{token_urlsafe(12)}"
    return f"{signed}|{_signature(token, signed)}"


def token_of_session(value: str, tokens: Tokens, now: float | None = None) -> Token | None:
    """Return the token for which a session cookie was made, or None if it is forged or expired."""
    signed, _, signature = value.rpartition("|")
    fields = signed.split("|")
    if len(value) > COOKIE_CHARS_MAX or len(fields) != 3:
        return None
    token = tokens.named(fields[0])
    if token is None or not hmac.compare_digest(
        _signature(token, signed).encode(), signature.encode("utf-8", "replace")
    ):
        return None
    return token if int(fields[1]) > (time.time() if now is None else now) else None


def cookie_header(value: str, *, secure: bool, life_s: int = LIFE_S) -> str:
    """Return a Set-Cookie header for a session cookie; a `life_s` of 0 deletes the cookie."""
    name = SECURE_COOKIE if secure else COOKIE
    text = f"{name}={value}; Max-Age={life_s}; Path=/; HttpOnly; SameSite=Strict"
    return f"{text}; Secure" if secure else text


def session_in(headers: Iterable[str], *, encrypted: bool) -> str:
    """Return the value of the session cookie in these Cookie headers, or "" if there is none.

    Over TLS, only a cookie with the prefix counts. If two have one name, "" is returned, because
    one may come from another server. Values are not unquoted: Starlette can take half a second for
    this.
    """
    pairs = [part.strip().partition("=") for header in headers for part in header.split(";")]
    for name in (SECURE_COOKIE,) if encrypted else (SECURE_COOKIE, COOKIE):
        found = [value for key, _, value in pairs if key == name]
        if found:
            return found[0] if len(found) == 1 else ""
    return ""


def _signature(token: Token, signed: str) -> str:
    return hmac.new(token.session_key, signed.encode(), "sha256").hexdigest()
