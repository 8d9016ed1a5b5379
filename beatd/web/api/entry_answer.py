"""An entry as the API answers it, with its ETag, and the conditions that name one."""

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
from beatd.web.api.call import Call
from beatd.web.api.refusal import Refusal

_ETAG = re.compile(r'^"(\d{1,19})"$')


def json_answer(
    content: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return an answer with this content as JSON."""
    return Response(json.encode(content), status, headers, "application/json")


def etag_of(row: Stored) -> str:
    """Return the ETag of an entry: its revision, which an edit and a pause change."""
    return f'"{row.revision}"'


def entry_json(call: Call, row: Stored, outcome: EntryOutcome | None) -> dict[str, object]:
    """Return an entry as `beatd show --json` prints it, with its revision, definition and plan."""
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
    """Return the answer with an entry and its ETag."""
    return json_answer(_with_outcome(call, row), status, {"ETag": etag_of(row)})


def entry_or_none(call: Call, row: Stored | None) -> dict[str, object] | None:
    """Return an entry as `GET entries/{name}` answers it, or None for None."""
    return None if row is None else _with_outcome(call, row)


def _with_outcome(call: Call, row: Stored) -> dict[str, object]:
    name = row.entry.name
    return entry_json(call, row, call.store.outcomes.entry_outcomes([name]).get(name))


# Conditions


def revisions_in(header: str) -> set[int] | None:
    """Return the revisions that the ETags in a header name, or None for "*".

    Weak ETags and those of others name none.
    """
    if header.strip() == "*":
        return None
    found = (_ETAG.match(part.strip()) for part in header.split(","))
    return {int(match[1]) for match in found if match}


def seen_revision(call: Call, *, required: bool) -> int | None:
    """Return the revision that a write must find, by `If-Match`; None accepts each one.

    Raises Refusal with 428 without the header if it is `required`, and with 412 and the entry if it
    has another revision, and UnknownEntry if there is none.
    """
    header = call.header("if-match")
    if header is None:
        if required:
            raise condition_missing()
        return None
    row = row_of(call.store.catalog, call.name)
    revisions = revisions_in(header)
    if revisions is not None and row.revision not in revisions:
        raise stale(call, row, Stale(f"entry {call.name!r} was changed since you read it"))
    return row.revision


def condition_missing() -> Refusal:
    """Return the refusal of a write without `If-Match`."""
    detail = "send If-Match with the ETag of the entry that you read; If-None-Match: * creates one"
    return Refusal(428, detail)


def stale(call: Call, row: Stored | None, error: Stale) -> Refusal:
    """Return the refusal of a write on another revision, with the entry as it is now."""
    current = entry_or_none(call, row)
    headers = {} if row is None else {"ETag": etag_of(row)}
    return Refusal(412, str(error), headers=headers, current=current)


def stale_now(call: Call, error: Stale) -> Refusal:
    """Return the refusal of a write that another write overtook."""
    return stale(call, rows(call.store.catalog, [call.name]).get(call.name), error)


@contextmanager
def overtaken(call: Call) -> Iterator[None]:
    """Turn the error of an edit that another one overtook into 412 with the current entry."""
    try:
        yield
    except Stale as error:
        raise stale_now(call, error) from None
