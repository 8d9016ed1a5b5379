"""The form /entries/bulk: a preview of an action on several entries, then a result for each.

The preview carries the revision of each entry and a random number. An entry that was changed since
is left alone, and a form that is sent twice acts once.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from secrets import token_hex
from threading import Lock

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from beatd.edits.bulk_edit import (
    BULK_ACTIONS,
    NAMES_MAX,
    BulkAction,
    EditResult,
    edit_each,
    prospects,
)
from beatd.edits.editing import rows
from beatd.errors import ConfigError
from beatd.views.pause_text import read_end
from beatd.web.kept import kept_of, shared
from beatd.web.pages.entry_list import names_in
from beatd.web.pages.moments import Moments
from beatd.web.pages.rendering import moments_of, site_of
from beatd.web.sign_in import form_of
from beatd.web.templates import page
from beatd.web.visitor import author_of, needs, visitor_of

PATH = "/entries/bulk"
NOTE_CHARS_MAX = 500
FORMS_KEPT = 200
TITLES: dict[BulkAction, str] = {
    "pause": "Pause",
    "resume": "Resume",
    "trigger": "Run now",
    "remove": "Remove",
}

Form = Mapping[str, Sequence[str]]


class SentForms:
    """Remembers the results of recent forms, so that a form that is sent twice is carried out
    once."""

    def __init__(self) -> None:
        self._guard = Lock()
        self._results: dict[str, list[EditResult] | None] = {}

    def begin(self, number: str) -> bool:
        """Return True if no form with this random number was sent before, else False."""
        with self._guard:
            if number in self._results:
                return False
            if len(self._results) >= FORMS_KEPT:
                del self._results[next(iter(self._results))]
            self._results[number] = None
            return True

    def end(self, number: str, results: list[EditResult]) -> None:
        """Store the results of the form with this random number."""
        with self._guard:
            self._results[number] = results

    def results(self, number: str) -> list[EditResult] | None:
        """Return the results of the form with this random number, or None while it is carried
        out."""
        with self._guard:
            return self._results.get(number)


@needs("operator")
def act(request: Request) -> Response:
    """Return a preview of an action on several entries or, if it is confirmed, do it.

    The response to a confirmed action is a page with a result for each entry.
    """
    form = form_of(request)
    action = _action_of(request, form)
    if one_of(form, "step") == "confirm":
        return _carried_out(request, form, action)
    return _preview(request, form, action)


def one_of(form: Form, key: str) -> str:
    """Return the value of a form field without surrounding spaces, or "" if it is missing."""
    return form.get(key, [""])[0].strip()


def _action_of(request: Request, form: Form) -> BulkAction:
    wanted = one_of(form, "action")
    action = next((one for one in BULK_ACTIONS if one == wanted), None)
    if action is None:
        raise HTTPException(400, f"choose an action: {', '.join(BULK_ACTIONS)}")
    if action == "remove" and not visitor_of(request).may("editor"):
        raise HTTPException(403, "removing entries needs the role editor")
    return action


def _preview(request: Request, form: Form, action: BulkAction, refusal: str = "") -> Response:
    shown = moments_of(request)
    names = names_in(form.get("name", ()), NAMES_MAX + 1)
    if len(names) > NAMES_MAX:
        raise HTTPException(400, f"choose at most {NAMES_MAX} entries")
    if not refusal:
        refusal = _end_of(request, form, action, shown.now)[1]
    found = rows(site_of(request).open_store().catalog, names)
    planned = prospects(found, names, action)
    return page(
        request,
        "bulk_preview.html",
        400 if refusal else 200,
        when=shown,
        action=action,
        title=TITLES[action],
        doing=[one for one in planned if not one.refusal],
        refused=[one for one in planned if one.refusal],
        until=one_of(form, "until"),
        note=one_of(form, "note")[:NOTE_CHARS_MAX],
        refusal=refusal,
        number=token_hex(16),
    )


def _end_of(
    request: Request, form: Form, action: BulkAction, now: datetime
) -> tuple[datetime | None, str]:
    text = one_of(form, "until")
    if action != "pause" or not text:
        return None, ""
    try:
        return read_end("until", text, now, site_of(request).timezone), ""
    except ConfigError as error:
        return None, str(error)


def _carried_out(request: Request, form: Form, action: BulkAction) -> Response:
    site, shown = site_of(request), moments_of(request)
    until, refusal = _end_of(request, form, action, shown.now)
    if refusal:
        return _preview(request, form, action, refusal)
    forms, number = shared(request, SentForms), one_of(form, "number")
    if not forms.begin(number):
        return _results(request, action, shown, forms.results(number), again=True)
    store = site.open_store()
    note = one_of(form, "note")[:NOTE_CHARS_MAX]
    results = edit_each(
        store.catalog,
        store.requests,
        _seen_in(form),
        action,
        site.now,
        author_of(request, "page", note),
        until=until,
    )
    forms.end(number, results)
    kept_of(request).clear()
    site.wake()
    return _results(request, action, shown, results)


def _seen_in(form: Form) -> dict[str, int | None]:
    # Maps names to revisions, from fields such as "7 tidy". A damaged revision becomes -1, which no
    # entry has, so that the entry is not changed.
    seen: dict[str, int | None] = {}
    for text in form.get("seen", ())[:NAMES_MAX]:
        revision, _, name = text.partition(" ")
        seen[name] = int(revision) if revision.isascii() and revision.isdigit() else -1
    return seen


def _results(
    request: Request,
    action: BulkAction,
    shown: Moments,
    results: list[EditResult] | None,
    *,
    again: bool = False,
) -> Response:
    found = results or []
    return page(
        request,
        "bulk_results.html",
        when=shown,
        title=TITLES[action],
        done=[one for one in found if one.done],
        failed=[one for one in found if not one.done],
        again=again,
        is_running=results is None,
    )


def routes() -> list[Route]:
    """Return the Starlette route of the form for actions on several entries."""
    return [Route(PATH, act, methods=["POST"])]
