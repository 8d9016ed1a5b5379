"""The note that no daemon leads, for commands that want or show runs."""

from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from beatd.cli.chosen_store import OpenedStore

NOBODY_LEADS = "note: no daemon leads; it runs as soon as one does: beatd run"
RELOADS = "note: a daemon is reloading, and leads again in a moment"
NOTHING_RUNS = "note: no daemon leads; nothing runs until one does: beatd run"


def note_if_nobody_leads(opened: "OpenedStore", note: str = NOBODY_LEADS) -> None:
    """Print `note` on stderr if no daemon leads, so that nothing runs now."""
    from beatd.errors import BeatError

    leads = reloads = True
    with suppress(BeatError):  # the command itself is done
        leads, reloads = _leads_or_reloads(opened)
    if not leads:
        print_note(RELOADS if reloads else note)


def print_note(note: str) -> None:
    from beatd.cli.failure import print_message

    print_message(note, "yellow")


def _leads_or_reloads(opened: "OpenedStore") -> tuple[bool, bool]:
    if opened.api is not None:
        found = opened.api.get("status")
        return found["leader"] is not None, bool(found.get("reloads_since"))
    from beatd.presence import leading

    store = opened.store
    term = store.terms.term()
    if leading(store.presences.daemons(), term[1] if term else None) is not None:
        return True, False
    newest = term[0].token if term else None
    return False, store.catalog.marks.reloads_since(newest, opened.now) is not None
