"""The page /changes: who changed which entry, and the form that undoes a change."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct, json
from msgspec.structs import replace
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from beatd.changes import ChangeRecord
from beatd.definition import codec
from beatd.edits.undo import check_undo, undo
from beatd.errors import BeatError, StoreError
from beatd.views.change_rows import Fields, changed_fields, definition_of
from beatd.web.answers import see_other
from beatd.web.kept import kept_of
from beatd.web.pages.addresses import Place, address
from beatd.web.pages.bulk import NOTE_CHARS_MAX, one_of
from beatd.web.pages.rendering import live_page, moments_of, page_text, site_of
from beatd.web.sign_in import form_of
from beatd.web.templates import page
from beatd.web.visitor import author_of, needs

PATH = "/changes"
PAGE = 50
KINDS = {
    "added": "ok", "edited": "run", "paused": "pause", "resumed": "ok", "removed": "bad"
}  # fmt: skip


class FieldChange(Struct, frozen=True):
    """A field of an entry before and after a change, as text; None where the field was not set."""

    key: str
    before: str | None
    after: str | None


class ChangeLine(Struct, frozen=True):
    """A line in the list of changes of entries, with the fields that the change altered.

    `fields` is None if the entry's definition was too large to keep, and empty for an addition.
    """

    record: ChangeRecord
    kind: str
    fields: Sequence[FieldChange] | None

    @property
    def may_be_undone(self) -> bool:
        """False if the owner that declares the entry made the change: undo is refused then."""
        return self.record.author.via not in ("file", "app", "django")


def change_line(record: ChangeRecord) -> ChangeLine:
    """Return the line that shows a change; for a removed entry, it lists all fields."""
    return ChangeLine(record, KINDS[record.action], _fields_of(record))


def _fields_of(record: ChangeRecord) -> list[FieldChange] | None:
    if record.before is not None and record.after is not None:
        changed = changed_fields(record)
        if changed is None:
            return None
        return field_changes(changed)
    state = record.before or record.after
    plain = definition_of(state) if state is not None else {}
    if plain is None:
        # The record of an addition has no definition: the entry itself has it.
        return [] if record.before is None else None
    if record.before is not None:
        return [FieldChange(key, _text(value), None) for key, value in plain.items()]
    return [FieldChange(key, None, _text(value)) for key, value in plain.items()]


def field_changes(fields: Fields) -> list[FieldChange]:
    """Convert changed fields, given as old and new values by name, to texts for a page."""
    return [FieldChange(key, _text(old), _text(new)) for key, (old, new) in fields.items()]


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return value if isinstance(value, str) else json.encode(value).decode()


@needs("viewer")
def show(request: Request) -> Response:
    """Return the page /changes, which lists who changed which entries, newest first."""
    store, shown = site_of(request).open_store(), moments_of(request)
    name, place = request.query_params.get("entry", "").strip(), Place.of(request)
    found = store.changes.changes(name or None, PAGE + 1, place.here)
    rest = found[PAGE - 1].id if len(found) > PAGE else ""
    fields = {"entry": name}
    return live_page(
        request,
        "changes.html",
        shown,
        lines=[change_line(one) for one in found[:PAGE]],
        pages=place.pages(PATH, fields, rest),
        entry=name,
        undone=request.query_params.get("undone", ""),
    )


@needs("editor")
def confirm(request: Request) -> Response:
    """Return a form that asks the visitor whether to undo a change, or says why that is refused."""
    return _undo_form(request, "")


@needs("editor")
def carry_out(request: Request) -> Response:
    """Undo a change of an entry and redirect to the list, or show the form with the error."""
    site, form = site_of(request), form_of(request)
    store = site.open_store()
    note = one_of(form, "note")[:NOTE_CHARS_MAX]
    try:
        done = undo(
            store.catalog,
            store.changes,
            request.path_params["id"],
            site.now,
            author_of(request, "page", note),
            codec,
        )
    except StoreError:
        raise
    except BeatError as error:
        return _undo_form(request, page_text(error))
    kept_of(request).clear()
    site.wake()
    return see_other(address(PATH, undone=done.record.id, entry=done.record.name))


def _undo_form(request: Request, refusal: str) -> Response:
    # `refusal` is the error of an undo that the visitor just tried, or "".
    id = request.path_params["id"]
    record = site_of(request).open_store().changes.change(id)
    if record is None:
        raise HTTPException(404, f"there is no change {id}; it may be too old")
    line, refusal_now = change_line(record), _refusal_now(request)
    if line.fields is not None and not refusal_now:  # what undoing would change
        swapped = [FieldChange(field.key, field.after, field.before) for field in line.fields]
        line = replace(line, fields=swapped)
    return page(
        request,
        "undo.html",
        409 if refusal else 200,
        when=moments_of(request),
        line=line,
        refusal=refusal or refusal_now,
        may_undo=not refusal_now,
    )


def _refusal_now(request: Request) -> str:
    """Return why an undo of the change would be refused, or ""."""
    site = site_of(request)
    store = site.open_store()
    try:
        check_undo(store.catalog, store.changes, request.path_params["id"], site.now, codec)
    except StoreError:
        raise
    except BeatError as error:
        return page_text(error)
    return ""


def routes() -> list[Route]:
    """Return the Starlette routes of the page /changes and of its form."""
    return [
        Route(PATH, show, methods=["GET"]),
        Route(PATH + "/{id}/undo", confirm, methods=["GET"]),
        Route(PATH + "/{id}/undo", carry_out, methods=["POST"]),
    ]
