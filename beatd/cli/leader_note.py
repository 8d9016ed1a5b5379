"""The note that no daemon leads, for commands that want or show runs."""

from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from beatd.cli.chosen_store import OpenedStore

NOBODY_LEADS = "note: no daemon leads; it runs as soon as one does: beatd run"
NOTHING_RUNS = "note: no daemon leads; nothing runs until one does: beatd run"


def note_if_nobody_leads(opened: "OpenedStore", note: str = NOBODY_LEADS) -> None:
    """Print `note` on stderr if no daemon leads, so that nothing runs now."""
    from beatd.errors import BeatError

    leads = True
    with suppress(BeatError):  # the command itself is done
        leads = _leads(opened)
    if not leads:
        print_note(note)


def print_note(note: str) -> None:
    from beatd.cli.failure import print_message

    print_message(note, "yellow")


def _leads(opened: "OpenedStore") -> bool:
    if opened.api is not None:
        return opened.api.get("status")["leader"] is not None
    from beatd.presence import leading

    term = opened.store.terms.term()
    return leading(opened.store.presences.daemons(), term[1] if term else None) is not None
