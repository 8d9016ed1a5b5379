"""The forms /entries/NAME/edit and /new: check an entry, show the difference, then save it."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import MsgspecError, Struct, json
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from beatd.catalog import Stored
from beatd.changes import ChangeRecord
from beatd.definition import KINDS, check, json_plain_of
from beatd.edits.editing import add, is_declared, patch
from beatd.edits.patch import difference, patched
from beatd.entry import CANVASES, Entry
from beatd.errors import BeatError, Conflict, Problem, Stale, StoreError
from beatd.schedules import describe
from beatd.views.change_rows import fields_between
from beatd.web.answers import see_other
from beatd.web.kept import kept_of
from beatd.web.pages.addresses import address, entry_path
from beatd.web.pages.bulk import NOTE_CHARS_MAX, one_of
from beatd.web.pages.changes import FieldChange, field_changes
from beatd.web.pages.entry import NextRun, coming_runs
from beatd.web.pages.entry_fields import (
    CANVAS_EXAMPLE,
    EXAMPLES,
    FormFields,
    fields_from,
    fields_in,
    plain_from,
)
from beatd.web.pages.owner_words import declared_in
from beatd.web.pages.rendering import moments_of, page_text, site_of
from beatd.web.pages.run_now import row_of_path
from beatd.web.raw_path_route import RawPathRoute
from beatd.web.sign_in import form_of
from beatd.web.templates import page
from beatd.web.visitor import author_of, needs

NEW = "/new"
SOURCE = "page"  # the owner of entries that are added here


class Preview(Struct, frozen=True):
    """The result of checking a form that edits an entry; `entry` is None if the form has mistakes.

    `changed` lists the fields that differ from the stored entry.
    """

    entry: Entry | None = None
    problems: Sequence[Problem] = ()
    words: str = ""
    coming: Sequence[NextRun] = ()
    changed: Sequence[FieldChange] = ()


class Overtaken(Struct, frozen=True):
    """An edit that another person saved while this form was open. `both` lists keys changed in
    both."""

    record: ChangeRecord | None
    theirs: Sequence[FieldChange]
    both: Sequence[str]


@needs("editor")
def show(request: Request) -> Response:
    """Return the form that edits an entry, filled with the entry's definition.

    If a file or an app declares the entry, return its definition without a form.
    """
    row = row_of_path(request)
    if is_declared(row.entry):
        return _definition(request, row)
    plain = json_plain_of(row.entry)
    fields = fields_from(row.entry.name, plain)
    return _form(request, row, fields, revision=row.revision, base=plain)


@needs("editor")
def show_new(request: Request) -> Response:
    """Return the empty form for a new entry."""
    return _form(request, None, FormFields(tz=site_of(request).timezone))


@needs("editor")
def act(request: Request) -> Response:
    """Handle a sent form that edits an entry: check it, merge another person's edit, or save it."""
    form, row = form_of(request), row_of_path(request)
    if is_declared(row.entry):
        return _definition(request, row, 409)
    fields, base = fields_in(form, row.entry.name), _base_in(form)
    step, revision = one_of(form, "step"), _revision_in(form)
    if step == "merge":
        plain, problems = plain_from(fields)
        if not problems:
            mine = difference(base, plain)
            unset = [key for key, value in mine.items() if value is None]
            kept = {key: value for key, value in mine.items() if value is not None}
            current = json_plain_of(row.entry)
            fields = fields_from(row.entry.name, patched(current, kept, unset))
            return _form(request, row, fields, revision=row.revision, base=current, checks=True)
    if step == "save":
        preview = preview_of(request, fields, row)
        if preview.entry is not None:
            return _saved(request, row, preview.entry, fields, revision, base)
    return _form(request, row, fields, revision=revision, base=base, checks=True)


@needs("editor")
def act_new(request: Request) -> Response:
    """Handle a sent form for a new entry: check it, or add the entry."""
    form = form_of(request)
    fields = fields_in(form, "")
    if one_of(form, "step") == "save":
        entry = preview_of(request, fields, None).entry
        if entry is not None:
            site = site_of(request)
            author = author_of(request, "page", _note_in(form))
            try:
                add(site.open_store().catalog, entry, site.now, author)
            except Conflict as error:
                return _form(request, None, fields, checks=True, refusal=page_text(error))
            return _lead_to(request, entry.name)
    return _form(request, None, fields, checks=True)


def preview_of(request: Request, fields: FormFields, row: Stored | None) -> Preview:
    """Check the fields of a form, and return the entry or its mistakes, and what would change."""
    site = site_of(request)
    plain, problems = plain_from(fields)
    source, place = (SOURCE, "") if row is None else (row.entry.source, row.entry.declared_at)
    checked = check(fields.name, plain, timezone=site.timezone, source=source, declared_at=place)
    wrong = {one.path[:1] for one in problems}
    if ("canvas",) in wrong:
        wrong.add(("task",))  # is missing only because the canvas could not be read
    problems += [one for one in checked.problems if one.path[:1] not in wrong]
    entry = checked.entry
    if entry is None or any(not one.warning for one in problems):
        return Preview(None, problems)
    coming, _ = coming_runs(entry, site.now())
    changed: Sequence[FieldChange] = ()
    if row is not None:
        before, after = json_plain_of(row.entry), json_plain_of(entry)
        changed = field_changes(fields_between(before, after))
    return Preview(entry, problems, describe(entry.schedule, entry.tz), coming, changed)


def _saved(
    request: Request,
    row: Stored,
    entry: Entry,
    fields: FormFields,
    revision: int,
    base: dict[str, Any],
) -> Response:
    site, form = site_of(request), form_of(request)

    def edit(stored: Entry) -> Entry:
        return replace(entry, source=stored.source, declared_at=stored.declared_at)

    try:
        author = author_of(request, "page", _note_in(form))
        catalog = site.open_store().catalog
        patch(catalog, row.entry.name, edit, site.now, author, seen=revision)
    except StoreError:
        raise
    except Stale:
        return _form(
            request, row, fields, revision=revision, base=base, checks=True,
            overtaken=_overtaken(request, row, fields, base),
        )  # fmt: skip
    except BeatError as error:
        return _form(
            request,
            row,
            fields,
            revision=revision,
            base=base,
            checks=True,
            refusal=page_text(error),
        )
    return _lead_to(request, row.entry.name)


def _overtaken(
    request: Request, row: Stored, fields: FormFields, base: dict[str, Any]
) -> Overtaken:
    changes = site_of(request).open_store().changes.changes(row.entry.name, 1)
    theirs = fields_between(base, json_plain_of(row.entry))
    mine = fields_between(base, plain_from(fields)[0])
    return Overtaken(
        changes[0] if changes else None,
        field_changes(theirs),
        [key for key in theirs if key in mine and theirs[key] != mine[key]],
    )


def _lead_to(request: Request, name: str) -> Response:
    kept_of(request).clear()
    site_of(request).wake()
    return see_other(address(entry_path(name), saved="1"))


def _note_in(form: Mapping[str, Sequence[str]]) -> str:
    return form.get("note", [""])[0].strip()[:NOTE_CHARS_MAX]


def _revision_in(form: Mapping[str, Sequence[str]]) -> int:
    # -1, which no entry has, if the revision in the form is damaged.
    text = form.get("revision", [""])[0]
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else -1


def _base_in(form: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    # The definition when the form was opened; {} if it is damaged.
    try:
        return json.decode(form.get("base", [""])[0], type=dict[str, Any])
    except (MsgspecError, RecursionError):
        return {}


def _form(
    request: Request,
    row: Stored | None,
    fields: FormFields,
    *,
    revision: int = 0,
    base: Mapping[str, Any] | None = None,
    checks: bool = False,
    refusal: str = "",
    overtaken: Overtaken | None = None,
) -> Response:
    # With `checks`, the form shows the result of its check. The page's script requests only this
    # preview, after each change.
    preview = preview_of(request, fields, row) if checks else Preview()
    alone = checks and one_of(form_of(request), "step") == "preview"
    is_wrong = bool(refusal) or (checks and not alone and preview.entry is None)
    status = 409 if overtaken else 400 if is_wrong else 200
    wrong = dict(map(_at_field, reversed([one for one in preview.problems if one.path])))
    return page(
        request,
        "edit_preview.html" if alone else "edit.html",
        status,
        when=moments_of(request),
        row=row,
        action=NEW if row is None else f"{entry_path(row.entry.name)}/edit",
        path_of_entry="" if row is None else entry_path(row.entry.name),
        fields=fields,
        kinds=list(KINDS),
        examples=EXAMPLES,
        canvas_example=CANVAS_EXAMPLE,
        revision=revision,
        base=json.encode(base or {}).decode(),
        note=_note_in(form_of(request)) if checks else "",
        checked=checks,
        preview=preview,
        wrong=wrong,
        refusal=refusal,
        unsaved=is_wrong and one_of(form_of(request), "step") == "save",
        overtaken=overtaken,
    )


def _definition(request: Request, row: Stored, status: int = 200) -> Response:
    name = row.entry.name
    return page(
        request,
        "definition.html",
        status,
        fields=fields_from(name, json_plain_of(row.entry)),
        declared_in=declared_in(row.entry),
        path_of_entry=entry_path(name),
    )


def _at_field(problem: Problem) -> tuple[str, str]:
    # The steps of a canvas have one field, so the text names the step: "chain[2].args: ...".
    field = str(problem.path[0])
    return ("canvas", str(problem)) if field in CANVASES else (field, str(problem.text))


def routes() -> list[Route]:
    """Return the Starlette routes of the forms that edit and add entries."""
    edit = "/entries/{name:path}/edit"
    return [
        Route(NEW, show_new, methods=["GET"]),
        Route(NEW, act_new, methods=["POST"]),
        RawPathRoute(edit, show, methods=["GET"]),
        RawPathRoute(edit, act, methods=["POST"]),
    ]
