"""Encode entries as JSON responses with ETags, and check the If-Match headers of requests."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from msgspec import json
from starlette.responses import Response

from beatd.catalog import Stored
from beatd.definition import json_plain_of
from beatd.edits.editing import row_of, rows
from beatd.errors import Stale
from beatd.outcome import EntryOutcome
from beatd.run import EPOCH
from beatd.views.entry_rows import iso_or_none, json_of
from beatd.views.outcome_rows import outcome_json
from beatd.views.shown_outcomes import shown_outcomes
from beatd.web.api.call import Call
from beatd.web.api.refusal import Refusal

_ETAG = re.compile(r'^"(\d{1,19})"$')


def json_answer(
    content: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a response whose body is `content` as JSON."""
    return Response(json.encode(content), status, headers, "application/json")


def etag_of(row: Stored) -> str:
    """Return the ETag of an entry, which changes with each edit, pause and resume."""
    return f'"{row.revision}"'


def entry_json(call: Call, row: Stored, outcome: EntryOutcome | None) -> dict[str, object]:
    """Return an entry with its definition, revision, next run and newest outcome as a dict for
    JSON."""
    # Only a running run needs the time, and the store's clock is one more query.
    now = call.now if row.running is not None else EPOCH
    return {
        **json_of(row),
        "revision": row.revision,
        "definition": json_plain_of(row.entry),
        "plan": {
            "planned": iso_or_none(row.plan.planned),
            "due": iso_or_none(row.plan.due),
            "waits": row.running is not None and row.running.waits,
        },
        **outcome_json(row, outcome, now),
    }


def entry_answer(call: Call, row: Stored, status: int = 200) -> Response:
    """Return a JSON response with an entry and its newest outcome, and its ETag as a header."""
    return json_answer(_with_outcome(call, row), status, {"ETag": etag_of(row)})


def entry_or_none(call: Call, row: Stored | None) -> dict[str, object] | None:
    """Return an entry with its newest outcome as a dict for JSON, or None if `row` is None."""
    return None if row is None else _with_outcome(call, row)


def _with_outcome(call: Call, row: Stored) -> dict[str, object]:
    name = row.entry.name
    known = shown_outcomes(call.store, [row], call.now)
    return entry_json(call, row, known.get(name))


# Conditions


def revisions_in(header: str) -> set[int] | None:
    """Return the entry revisions that an If-Match header lists as ETags, or None if it is "*".

    Weak ETags, and ETags that this server never made, are left out.
    """
    if header.strip() == "*":
        return None
    found = (_ETAG.match(part.strip()) for part in header.split(","))
    return {int(match[1]) for match in found if match}


def seen_revision(call: Call, *, required: bool) -> int | None:
    """Return the revision that an entry must have for a write, or None if any revision will do.

    The client sends it as an ETag in the If-Match header. Raises Refusal with status 412 if the
    entry has another revision, or 428 if the header is missing but `required`; UnknownEntry without
    an entry.
    """
    header = call.header("if-match")
    if header is None:
        if required:
            raise condition_missing()
        return None
    row = row_of(call.store.catalog, call.name)
    revisions = revisions_in(header)
    if revisions is not None and row.revision not in revisions:
        raise stale(
            call, row, Stale(f"entry {call.name!r} was changed since you read it; read it again")
        )
    return row.revision


def condition_missing() -> Refusal:
    """Return the error for a write without the required If-Match header, status 428."""
    detail = "send If-Match with the ETag of the entry that you read; If-None-Match: * creates one"
    return Refusal(428, detail)


def stale(call: Call, row: Stored | None, error: Stale) -> Refusal:
    """Return the error for a write to an outdated revision: status 412 with the present entry."""
    current = entry_or_none(call, row)
    headers = {} if row is None else {"ETag": etag_of(row)}
    return Refusal(412, str(error), headers=headers, current=current)


def stale_now(call: Call, error: Stale) -> Refusal:
    """Return the same 412 error as `stale`, with the entry read again from the store."""
    return stale(call, rows(call.store.catalog, [call.name]).get(call.name), error)


@contextmanager
def overtaken(call: Call) -> Iterator[None]:
    """Convert a Stale error in the `with` block, raised after another edit, to a 412 response."""
    try:
        yield
    except Stale as error:
        raise stale_now(call, error) from None
