"""Check that a page of this server sent a request, to prevent cross-site request forgery.

In that attack, a page of another site makes its visitor's browser send a form to this server.
"""

from starlette.requests import Request

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


def is_same_origin(request: Request) -> bool:
    """Return True if the browser's headers show that a page of this server sent the request.

    The header `Sec-Fetch-Site` decides; if it is missing, as over plain http://, `Origin` must be
    the scheme and host of the request. A request with neither is refused.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin, host = request.headers.get("origin"), request.headers.get("host")
    return bool(host) and origin is not None and origin == f"{request.scope['scheme']}://{host}"
