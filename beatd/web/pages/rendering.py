"""Render the HTML pages, with the values that all templates use and an ETag for polling."""

import re
from hashlib import sha256
from typing import Any

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import Response

from beatd.errors import BeatError
from beatd.schedules.duration import runtime
from beatd.web.pages import addresses, moments
from beatd.web.pages.banners import banners
from beatd.web.site import Site
from beatd.web.templates import page

#: What changes with each second and is no part of the ETag.
_VOLATILE = re.compile(rb'<span class="rel"[^>]*>[^<]*</span>| data-now="[^"]*"')
#: What an error says about commands, which a reader of a page does not have at hand.
_COMMANDS = re.compile(r", or use --force|; `beatd [^`]*`[^;]*| \(`beatd [^)]*\)")
_NO_ETAG = b'<meta name="etag" content=""'


def prepare(made: Environment) -> None:
    """Add the filters and functions that the templates of pages use to a Jinja environment."""
    made.globals |= {
        "address": addresses.address,
        "banners": banners,
        "entry_path": addresses.entry_path,
        "late_text": moments.late_text,
        "runtime_text": runtime,
        "span": moments.span,
    }


def site_of(request: Request) -> Site:
    """Return the store, clock and state of the daemon, which the handlers of pages use."""
    site: Site = request.app.state.site
    return site


def page_text(error: BeatError) -> str:
    """Return the text of an error for a page, without advice about commands and their options."""
    return _COMMANDS.sub("", str(error))


def moments_of(request: Request) -> moments.Moments:
    """Return a formatter of times for one request, which reads the store's clock once."""
    site = site_of(request)
    return moments.Moments(site.timezone, site.now())


def live_page(
    request: Request, template: str, shown: moments.Moments, /, **values: Any
) -> Response:
    """Render a page that browsers poll; return status 304 if the browser has the same content.

    Its ETag is a hash of the content without texts such as "in 5 min", which always change.
    """
    made = page(request, template, when=shown, **values)
    body = bytes(made.body)
    etag = f'"{sha256(_VOLATILE.sub(b"", body)).hexdigest()[:24]}"'
    headers = {"ETag": etag}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    meta = f"<meta name=\"etag\" content='{etag}'"
    whole = body.replace(_NO_ETAG, meta.encode(), 1)
    return Response(whole, 200, headers, "text/html; charset=utf-8")
