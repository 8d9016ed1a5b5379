"""Identify the person or program that sends a request."""

from starlette.requests import Request

from beatd.web.guess_limit import GuessLimit
from beatd.web.proxy import Proxy
from beatd.web.session import session_in, token_of_session
from beatd.web.tokens import Token, Tokens
from beatd.web.visitor import Visitor

BEARER = "bearer "
#: Everybody, where nobody can sign in and only this machine can send requests.
ANYBODY = Visitor("", "viewer")


class Visitors:
    """Identifies the sender of a request by its bearer token, its cookie or the proxy's header.

    Without tokens and a proxy, everybody may read if `only_here` is True, which means that the
    server is bound to a loopback address.
    """

    def __init__(
        self,
        tokens: Tokens | None = None,
        proxy: Proxy | None = None,
        *,
        only_here: bool,
    ) -> None:
        self.tokens, self._proxy = tokens or Tokens(), proxy
        self.limit = GuessLimit()
        self._open = only_here and not self.tokens and proxy is None

    def of(self, request: Request) -> Visitor | None:
        """Return the person or program that sends this request, or None if it cannot be identified.

        Raises TooManyGuesses if the address of the request has sent too many wrong tokens.
        """
        secret = bearer_of(request)
        if secret is not None:
            token = self.token_of(secret, request)
            return None if token is None else token.visitor()
        if self._proxy is not None and request.client is not None:
            user = request.headers.getlist(self._proxy.user_header)
            if user and self._proxy.sends_from(request.client.host):
                return self._proxy.visitor(user[0]) if len(user) == 1 else None
        encrypted = request.scope["scheme"] == "https"
        session = session_in(request.headers.getlist("cookie"), encrypted=encrypted)
        token = token_of_session(session, self.tokens)
        if token is not None:
            return token.visitor()
        return ANYBODY if self._open else None

    def token_of(self, secret: str, request: Request, *, signs_in: bool = False) -> Token | None:
        """Return the token with this secret text, or None; a wrong secret is counted as a guess.

        Raises TooManyGuesses if the sender has made too many guesses.
        """
        address = request.client.host if request.client else ""
        self.limit.check(address, all_together=signs_in)
        token = self.tokens.of_secret(secret)
        if token is None:
            self.limit.count(address)
        return token


def bearer_of(request: Request) -> str | None:
    """Return the bearer token in a request's Authorization header, or None if it has none."""
    value = request.headers.get("authorization", "")
    return value[len(BEARER) :].strip() if value[: len(BEARER)].lower() == BEARER else None
