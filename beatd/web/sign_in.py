"""The page on which people sign in with a token, and the form that signs them out."""

from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from beatd.web.answers import see_other
from beatd.web.guess_limit import TooManyGuesses
from beatd.web.session import cookie_header, session_value
from beatd.web.templates import page
from beatd.web.visitors import Visitors

SIGN_IN, SIGN_OUT = "/sign-in", "/sign-out"
FIELDS_MAX = 10_000


def local_path(text: str) -> str:
    """Return `text` if it is a path on this server, else "/", to prevent redirects to other hosts.

    A text such as "//host" is not a path, because browsers read it as another host.
    """
    plain = text.isascii() and text.isprintable() and "\\" not in text and " " not in text
    return text if plain and text.startswith("/") and not text.startswith("//") else "/"


def form_of(request: Request) -> dict[str, list[str]]:
    """Return the fields of the form in a request's body; each field has a list of values.

    Raises HTTPException if there are more than FIELDS_MAX fields, or a zero byte, which PostgreSQL
    refuses.
    """
    text = request.state.body.decode("utf-8", "replace")
    if text.count("&") >= FIELDS_MAX:
        raise HTTPException(400, f"a form has at most {FIELDS_MAX:,} fields")
    if "\x00" in text or "%00" in text:
        raise HTTPException(400, "the form has a zero byte in it")
    return parse_qs(text, keep_blank_values=True)


async def show(request: Request) -> Response:
    """Return the form with which people sign in."""
    return _form(request, local_path(request.query_params.get("next", "/")))


async def sign_in(request: Request) -> Response:
    """Set a session cookie and redirect to the URL in `next`, or show the form for a wrong
    token."""
    form, visitors = form_of(request), _visitors(request)
    target = local_path(form.get("next", ["/"])[0])
    try:
        secret = form.get("token", [""])[0].strip()
        token = visitors.token_of(secret, request, signs_in=True)
    except TooManyGuesses as error:
        return _form(request, target, str(error), 429, {"Retry-After": str(error.wait_s)})
    if token is None:
        return _form(request, target, "This token is not known here.", 403)
    answer = see_other(target)
    answer.headers["Set-Cookie"] = cookie_header(session_value(token), secure=_is_https(request))
    return answer


async def sign_out(request: Request) -> Response:
    """Delete the session cookie and redirect to the form for signing in."""
    answer = see_other(SIGN_IN)
    answer.headers["Set-Cookie"] = cookie_header("", secure=_is_https(request), life_s=0)
    return answer


def routes() -> list[Route]:
    """Return the Starlette routes for signing in and out."""
    return [
        Route(SIGN_IN, show, methods=["GET"]),
        Route(SIGN_IN, sign_in, methods=["POST"]),
        Route(SIGN_OUT, sign_out, methods=["POST"]),
    ]


def _form(
    request: Request,
    target: str,
    refusal: str = "",
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response:
    values = {"next": target, "refusal": refusal, "has_tokens": bool(_visitors(request).tokens)}
    return page(request, "sign_in.html", status, headers, **values)


def _is_https(request: Request) -> bool:
    # Also True if a proxy before this server received the form over TLS.
    origin = request.headers.get("origin", "")
    return request.url.scheme == "https" or origin.startswith("https://")


def _visitors(request: Request) -> Visitors:
    visitors: Visitors = request.app.state.visitors
    return visitors
