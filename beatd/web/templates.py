"""Render HTML pages from the Jinja templates in `beatd/web/templates`."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from beatd.canvas import what_runs
from beatd.web.static_files import static_url

FOLDER = Path(__file__).parent / "templates"
_IN_BACKTICKS = re.compile(r"`([^`]+)`")


@cache
def environment() -> Environment:
    """Return the Jinja environment of all pages, which escapes values and refuses missing ones.

    The first call reads all templates, so that an upgrade of the files does not mix two versions.
    """
    texts = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.html")}
    made = Environment(
        loader=DictLoader(texts),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters["code"] = with_code
    made.globals["static_url"] = static_url
    made.globals["what_runs"] = what_runs
    return made


def with_code(text: object) -> Markup:
    """Return a text of beatd as HTML: escaped, and with <code> in place of its backticks."""
    return Markup(_IN_BACKTICKS.sub(r"<code>\1</code>", str(escape(text))))


def page(
    request: Request,
    template: str,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    /,
    **values: Any,
) -> Response:
    """Render a template with `values`, and return it as an HTML response.

    A template also gets `visitor`, which is None if nobody signed in, `site`, `path` and the
    functions `static_url` and `what_runs`.
    """
    context = {
        "visitor": getattr(request.state, "visitor", None),
        "site": request.app.state.site,
        "path": request.url.path,
    }
    text = environment().get_template(template).render(context | values)
    return HTMLResponse(text, status, headers)
