"""Decide whether a page of this server sent a request, as protection against CSRF.

In that attack, a page of another site makes its visitor's browser send a form to this server.
"""

from starlette.requests import Request

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


def is_same_origin(request: Request) -> bool:
    """Return True if the browser says that a page of this server sent the request.

    Browsers send `Sec-Fetch-Site` to https:// and to localhost; elsewhere `Origin` must be the
    scheme and the host of the request. A request without both does not come from a page of ours.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin, host = request.headers.get("origin"), request.headers.get("host")
    return bool(host) and origin is not None and origin == f"{request.scope['scheme']}://{host}"
