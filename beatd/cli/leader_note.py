"""The note that no daemon leads, for commands that want a run."""

from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from beatd.cli.chosen_store import OpenedStore

NOBODY_LEADS = "note: no daemon leads; it runs as soon as one does: beatd run"


def note_if_nobody_leads(opened: "OpenedStore") -> None:
    """Print a note on stderr if no daemon leads, so that nothing runs now."""
    from beatd.cli.failure import print_message
    from beatd.errors import BeatError

    leads = True
    with suppress(BeatError):  # the command itself is done
        leads = _leads(opened)
    if not leads:
        print_message(NOBODY_LEADS, "yellow")


def _leads(opened: "OpenedStore") -> bool:
    if opened.api is not None:
        return opened.api.get("status")["leader"] is not None
    from beatd.presence import leading

    term = opened.store.terms.term()
    return leading(opened.store.presences.daemons(), term[1] if term else None) is not None
