"""Build the web application of a daemon: its API, its pages and its health probes."""

import logging
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from beatd.errors import StoreError
from beatd.web import api, pages, probes, sign_in, static_files
from beatd.web.answers import error_answer
from beatd.web.gate import Gate
from beatd.web.http_hosts import HttpHosts
from beatd.web.site import Site
from beatd.web.templates import environment
from beatd.web.visitors import Visitors

log = logging.getLogger("beatd")


def application(site: Site, hosts: HttpHosts, visitors: Visitors) -> Gate:
    """Return the web application: all routes, behind a Gate that checks each request first.

    Static files and templates are read into memory here.
    """
    static_files.static_files()
    environment()
    routes = [
        *probes.routes(),
        *static_files.routes(),
        *sign_in.routes(),
        *api.routes(),
        *pages.routes(),
    ]
    inner = Starlette(
        routes=routes,
        exception_handlers={
            HTTPException: _refused,  # type: ignore[dict-item]
            StoreError: _without_store,  # type: ignore[dict-item]
            Exception: _failed,
        },
    )
    inner.router.redirect_slashes = False
    inner.state.site, inner.state.visitors = site, visitors
    return Gate(inner, hosts=hosts, visitors=visitors)


async def _refused(request: Request, error: HTTPException) -> Response:
    # An error that a handler or Starlette raised, such as 404 or 405.
    is_default = error.detail == HTTPStatus(error.status_code).phrase
    detail = "" if is_default else error.detail
    return error_answer(request, error.status_code, detail, error.headers)


async def _without_store(request: Request, error: StoreError) -> Response:
    return error_answer(request, 503, str(error), {"Retry-After": "5"})


async def _failed(request: Request, error: Exception) -> Response:
    log.error("http: %s %s failed", request.method, request.url.path, exc_info=error)
    return error_answer(request, 500, "the reason is in the daemon's log")
