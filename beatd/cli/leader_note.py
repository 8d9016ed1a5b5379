"""The note that no daemon leads, for commands that want or show runs."""

from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from beatd.cli.chosen_store import OpenedStore

NOBODY_LEADS = "note: no daemon leads; it runs as soon as one does: beatd run"
RELOADS = "note: a daemon is reloading, and leads again in a moment"
NOTHING_RUNS = "note: no daemon leads; nothing runs until one does: beatd run"

USE_THAT_STORE = "use that store: --store URL, or its configuration with -c"


def note_if_nobody_leads(opened: "OpenedStore", note: str = NOBODY_LEADS) -> None:
    """Print `note` on stderr if no daemon leads, so that nothing runs now."""
    from beatd.errors import BeatError

    text = ""
    with suppress(BeatError):  # the command itself is done
        text = _note_for(opened, note)
    if text:
        print_note(text)


def print_note(note: str) -> None:
    from beatd.cli.failure import print_message

    print_message(note, "yellow")


def _note_for(opened: "OpenedStore", note: str) -> str:
    """Return the note for the state of the store: `note`, another one, or "" if a daemon leads."""
    if opened.api is not None:
        found = opened.api.get("status")
        if found["leader"] is not None:
            return ""
        return RELOADS if found.get("reloads_since") else note
    from beatd.presence import leading

    store = opened.store
    term = store.terms.term()
    if leading(store.presences.daemons(), term[1] if term else None) is not None:
        return ""
    marks = store.catalog.marks
    if (copied := marks.copied_to()) is not None:
        from beatd.views.copied_to import copied_to_text

        text = copied_to_text(copied.place, copied.at, opened.config.timezone)
        return f"note: no daemon runs on this store: it was copied {text}; {USE_THAT_STORE}"
    newest = term[0].token if term else None
    return note if marks.reloads_since(newest, opened.now) is None else RELOADS
