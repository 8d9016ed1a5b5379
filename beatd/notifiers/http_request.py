"""Send one HTTP request, or raise NotDelivered with the reason why it failed."""

from base64 import b64encode
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit, urlunsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from beatd.alerts.channel import NotDelivered
from beatd.secret import hidden

TIMEOUT_S = 10.0
RETRIED_STATUSES = frozenset({408, 425, 429})  # of those from 400 to 499


class _NoRedirects(HTTPRedirectHandler):
    """Redirect handler that follows none, so that a message goes only to the configured URL."""

    def redirect_request(self, *_: Any) -> None:
        return None


_opener = build_opener(_NoRedirects)


def request(url: str, headers: dict[str, str], body: bytes | None, timeout_s: float) -> None:
    """Send a POST request with `body` or, if `body` is None, a GET request.

    `timeout_s` limits each wait for the server. Raise NotDelivered unless the status is 200 to 299.
    The error is final if the URL is invalid, or the status is 300 to 499 but not in
    RETRIED_STATUSES.
    """
    plain, authorization = _without_userinfo(url)
    if authorization:
        headers = {**headers, "Authorization": authorization}
    try:
        with _opener.open(Request(plain, body, headers), timeout=timeout_s):
            return
    except HTTPError as error:
        error.close()
        refused = 300 <= error.code < 500 and error.code not in RETRIED_STATUSES
        raise NotDelivered(f"the server answered {error.code}", is_final=refused) from None
    except URLError as error:
        raise NotDelivered(hidden(f"no connection: {error.reason}")) from None
    except (OSError, HTTPException) as error:
        raise NotDelivered(hidden(f"no answer: {error}")) from None
    except ValueError as error:
        raise NotDelivered(hidden(f"the URL cannot be used: {error}"), is_final=True) from None


def _without_userinfo(url: str) -> tuple[str, str]:
    """Return the URL without user and password, and these as an `Authorization` header or ""."""
    parts = urlsplit(url)
    userinfo, at, host = parts.netloc.rpartition("@")
    if not at:
        return url, ""
    plain = urlunsplit((parts.scheme, host, parts.path, parts.query, parts.fragment))
    return plain, f"Basic {b64encode(unquote(userinfo).encode()).decode()}"
