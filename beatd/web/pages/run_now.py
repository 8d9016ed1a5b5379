"""The form /entries/NAME/run, which runs an entry once now, with its own or other arguments."""

from secrets import token_hex
from typing import Any

from msgspec import MsgspecError, json
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from beatd.catalog import Stored
from beatd.definition.arguments import canonical_json
from beatd.definition.check import read_fields
from beatd.edits.editing import rows
from beatd.edits.keyed_request import keyed_trigger
from beatd.edits.request_arguments import RequestArguments
from beatd.edits.unknown_entry import unknown
from beatd.entry import Entry
from beatd.errors import BeatError, ConfigError, StoreError, in_one_line
from beatd.web.answers import see_other
from beatd.web.kept import kept_of
from beatd.web.pages.addresses import address, entry_path
from beatd.web.pages.bulk import one_of
from beatd.web.pages.rendering import moments_of, page_text, site_of
from beatd.web.raw_path_route import RawPathRoute
from beatd.web.sign_in import form_of
from beatd.web.templates import page
from beatd.web.visitor import author_of, needs

EMPTY = {"args": "[]", "kwargs": "{}"}


def row_of_path(request: Request) -> Stored:
    """Return the entry whose name is in the URL path; raise HTTPException 404 if there is none."""
    catalog, name = site_of(request).open_store().catalog, request.path_params["name"]
    row = rows(catalog, (name,)).get(name)
    if row is None:
        raise HTTPException(404, page_text(unknown(catalog, name)))
    return row


@needs("operator")
def ask(request: Request) -> Response:
    """Return the form that runs an entry now, filled with the entry's own arguments."""
    row = row_of_path(request)
    return _form(request, row, _texts(row.entry), token_hex(16))


@needs("operator")
def run(request: Request) -> Response:
    """Request a run of the entry now and redirect to its page, or show the form's mistakes.

    A random number in the form identifies the request, so a form that is sent twice runs once.
    """
    row, form, site = row_of_path(request), form_of(request), site_of(request)
    texts = {key: one_of(form, key) or EMPTY[key] for key in EMPTY}
    number = one_of(form, "number")
    store, name = site.open_store(), row.entry.name
    try:
        arguments = _arguments(texts, row.entry, site.timezone)
        id = keyed_trigger(
            store.requests,
            store.history,
            name,
            site.now(),
            number or token_hex(16),
            arguments=arguments,
            marks=store.catalog.marks,
            author=author_of(request, "page", ""),
        )
    except StoreError:
        raise
    except BeatError as error:
        return _form(request, row, texts, token_hex(16), page_text(error))
    kept_of(request).clear()
    site.wake()
    return see_other(address(entry_path(name), requested=id))


def _arguments(texts: dict[str, str], entry: Entry, timezone: str) -> RequestArguments | None:
    # None if the form has the entry's own arguments, or the entry runs a canvas. Raises ConfigError
    # if they are not JSON or have a wrong type.
    if texts == _texts(entry) or entry.canvas is not None:
        return None
    given: dict[str, Any] = {}
    for key, text in texts.items():
        try:
            given[key] = json.decode(text)
        except (MsgspecError, RecursionError) as error:
            why = str(error).removeprefix("JSON is malformed: ")
            raise ConfigError(
                f"{key}: this is not JSON ({why}); write it like {EMPTY[key]}"
            ) from None
    values, problems = read_fields(given, timezone)
    if problems:
        raise ConfigError(in_one_line(problems), problems)
    return RequestArguments(values["args"], values["kwargs"])


def _texts(entry: Entry) -> dict[str, str]:
    return {
        "args": canonical_json(entry.args).decode(),
        "kwargs": canonical_json(entry.kwargs).decode(),
    }


def _form(
    request: Request, row: Stored, texts: dict[str, str], number: str, refusal: str = ""
) -> Response:
    return page(
        request,
        "run_now.html",
        400 if refusal else 200,
        when=moments_of(request),
        row=row,
        entry=row.entry,
        path_of_entry=entry_path(row.entry.name),
        texts=texts,
        number=number,
        refusal=refusal,
    )


def routes() -> list[RawPathRoute]:
    """Return the Starlette routes of the form that runs an entry now."""
    return [
        RawPathRoute("/entries/{name:path}/run", ask, methods=["GET"]),
        RawPathRoute("/entries/{name:path}/run", run, methods=["POST"]),
    ]
