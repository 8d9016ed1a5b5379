"""Make the pages of one request: what all templates get, and the ETag by which browsers poll."""

import re
from hashlib import sha256
from typing import Any

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import Response

from beatd.schedules.duration import runtime
from beatd.web.pages import addresses, moments
from beatd.web.pages.banners import banners
from beatd.web.site import Site
from beatd.web.templates import page

#: What changes with each second and is no part of the ETag.
_VOLATILE = re.compile(rb'<span class="rel"[^>]*>[^<]*</span>')
_NO_ETAG = b'<meta name="etag" content="" data-now="">'


def prepare(made: Environment) -> None:
    """Add to the environment what the templates of pages use."""
    made.globals |= {
        "address": addresses.address,
        "banners": banners,
        "entry_path": addresses.entry_path,
        "late_text": moments.late_text,
        "runtime_text": runtime,
        "span": moments.span,
    }


def site_of(request: Request) -> Site:
    """Return the daemon's objects that handlers use."""
    site: Site = request.app.state.site
    return site


def moments_of(request: Request) -> moments.Moments:
    """Return a formatter of moments for this request, which asks the store's clock once."""
    site = site_of(request)
    return moments.Moments(site.timezone, site.now())


def live_page(
    request: Request, template: str, shown: moments.Moments, /, **values: Any
) -> Response:
    """Return a page that browsers poll: 304 if they have it already.

    Its ETag is a hash of its content without the relative times.
    """
    made = page(request, template, when=shown, **values)
    body = bytes(made.body)
    etag = f'"{sha256(_VOLATILE.sub(b"", body)).hexdigest()[:24]}"'
    headers = {"ETag": etag}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    meta = f'<meta name="etag" content=\'{etag}\' data-now="{shown.now.timestamp():.3f}">'
    whole = body.replace(_NO_ETAG, meta.encode(), 1)
    return Response(whole, 200, headers, "text/html; charset=utf-8")
