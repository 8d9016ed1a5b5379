"""Note in the store that the leading daemon reloads, so that it leads again in a moment."""

from contextlib import suppress

from beatd.daemon.daemon_state import DaemonState
from beatd.errors import StoreError


def note_reload(daemon: DaemonState) -> None:
    """Write to the store that this daemon gives up the lead to reload, if it leads."""
    lead = daemon.election.lead() if daemon.election is not None else None
    if lead is not None and daemon.store is not None:
        with suppress(StoreError):
            daemon.store.catalog.marks.write_reload(lead.term.token, daemon.clock.now())
