"""The API operations that create, replace, patch and remove an entry."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from msgspec.structs import replace
from starlette.responses import Response

from beatd.definition import KINDS, check, json_plain_of
from beatd.definition.fields import SHIFTS
from beatd.edits.editing import add, is_declared, patch, put, remove, rows
from beatd.edits.patch import WHAT_RUNS
from beatd.entry import Entry
from beatd.errors import Conflict, Stale
from beatd.web.api.call import Call
from beatd.web.api.entry_answer import (
    condition_missing,
    entry_answer,
    overtaken,
    revisions_in,
    seen_revision,
    stale,
    stale_now,
)
from beatd.web.api.merge_patch import merged
from beatd.web.api.operation import PREFIX, Body, Operation, Result
from beatd.web.api.refusal import wrong_values
from beatd.web.api.schemas import FORCE, IF_MATCH, IF_NONE_MATCH, NOTE, STALE, named

SOURCE = "api"


def put_entry(call: Call) -> Response:
    """Create an entry, or replace the definition of an existing one but keep its pause and its
    owner."""
    entry = entry_of(call.name, call.body, call.site.timezone)
    creates, header = call.header("if-none-match"), call.header("if-match")
    if creates is None and header is None:
        raise condition_missing()
    row = rows(call.store.catalog, [call.name]).get(call.name)
    if creates is not None and row is not None:
        known = revisions_in(creates)
        if known is None or row.revision in known:
            raise stale(call, row, Stale(f"entry {call.name!r} is there already"))
    if header is None:
        return _created(call, entry)
    revisions = revisions_in(header)
    if row is None or (revisions is not None and row.revision not in revisions):
        what = "is not there" if row is None else "was changed since you read it"
        raise stale(call, row, Stale(f"entry {call.name!r} {what}"))
    if not is_declared(row.entry):
        entry = replace(entry, source=row.entry.source)
    with overtaken(call):
        after = put(
            call.store.catalog,
            entry,
            call.site.now,
            call.author(call.note),
            force=call.values.get("force", False),
            seen=row.revision,
        )
    call.site.wake()
    return entry_answer(call, after)


def patch_entry(call: Call) -> Response:
    """Change some fields of an entry by a JSON Merge Patch (RFC 7396).

    A new schedule replaces the old one, even if it is of another kind, such as `cron` for `every`.
    A `chain`, `group` or `chord` replaces the task, and a task replaces them.
    """
    seen = seen_revision(call, required=True)
    force = call.values.get("force", False)

    def edit(entry: Entry) -> Entry:
        plain = json_plain_of(entry)
        if any(call.body.get(kind) is not None for kind in KINDS):
            for key in (*KINDS, *SHIFTS):
                plain.pop(key, None)
        if any(call.body.get(key) is not None for key in WHAT_RUNS):
            plain = {key: plain[key] for key in plain if key not in WHAT_RUNS}
        edited = entry_of(entry.name, merged(plain, call.body), entry.tz)
        if force:
            return edited
        return replace(edited, source=entry.source, declared_at=entry.declared_at)

    with overtaken(call):
        after = patch(
            call.store.catalog,
            call.name,
            edit,
            call.site.now,
            call.author(call.note),
            force=force,
            seen=seen,
        )
    call.site.wake()
    return entry_answer(call, after)


def delete_entry(call: Call) -> Response:
    """Remove an entry. The records of its past runs are kept."""
    seen = seen_revision(call, required=True)
    force = call.values.get("force", False)
    with overtaken(call):
        remove(call.store.catalog, [call.name], call.author(call.note), force=force, seen=seen)
    call.site.wake()
    return Response(status_code=204)


def entry_of(name: str, plain: Mapping[str, Any], timezone: str, at: str = "") -> Entry:
    """Convert the fields of an entry, written as in a YAML file, to an Entry that the API owns.

    Raises Refusal with all mistakes; `at` is the key of the request's JSON that has the fields.
    """
    checked = check(name, plain, timezone=timezone, source=SOURCE)
    if checked.entry is None:
        errors = [one.under(at) if at else one for one in checked.problems if not one.warning]
        raise wrong_values(errors)
    return checked.entry


def _created(call: Call, entry: Entry) -> Response:
    try:
        after = add(call.store.catalog, entry, call.site.now, call.author(call.note))
    except Conflict as error:
        raise stale_now(call, Stale(str(error))) from None
    call.site.wake()
    answer = entry_answer(call, after, 201)
    answer.headers["Location"] = f"{PREFIX}entries/{quote(call.name, safe='')}"
    return answer


_DECLARED = Result("A file or an app declares the entry; change it there.", named("Problem"))
_NO_CONDITION = Result("`If-Match` or `If-None-Match` is missing.", named("Problem"))
_REFUSED = {409: _DECLARED, 412: STALE, 428: _NO_CONDITION}

OPERATIONS = (
    Operation(
        method="PUT",
        path="entries/{name}",
        role="editor",
        summary="Create an entry, or replace its definition. A pause stays.",
        handler=put_entry,
        parameters=(IF_MATCH, IF_NONE_MATCH, FORCE, NOTE),
        body=Body(schema=named("Definition")),
        results={
            200: Result("The entry after the edit.", named("Entry")),
            201: Result("The new entry.", named("Entry")),
            **_REFUSED,
        },
    ),
    Operation(
        method="PATCH",
        path="entries/{name}",
        role="editor",
        summary="Change fields of an entry with a JSON Merge Patch (RFC 7396).",
        handler=patch_entry,
        parameters=(IF_MATCH, FORCE, NOTE),
        body=Body(
            schema=named("Definition"),
            media_types=("application/merge-patch+json", "application/json"),
        ),
        results={200: Result("The entry after the edit.", named("Entry")), **_REFUSED},
    ),
    Operation(
        method="DELETE",
        path="entries/{name}",
        role="editor",
        summary="Remove an entry. Its history stays.",
        handler=delete_entry,
        parameters=(IF_MATCH, FORCE, NOTE),
        results={204: Result("It is removed."), **_REFUSED},
    ),
)
