"""Send messages to systemd: readiness, status, and a watchdog message with each tick."""

import os
import socket
from contextlib import suppress

from beatd import events
from beatd.errors import waiting_for_store


class SystemdObserver:
    """Observer that reports the daemon's state to systemd with sd_notify messages.

    The messages go to the socket `address`, by default $NOTIFY_SOCKET. Without an address no
    message is sent.
    """

    def __init__(self, address: str | None = None) -> None:
        self._address = os.environ.get("NOTIFY_SOCKET") if address is None else address
        self._ready = False

    def __call__(self, event: events.Event) -> None:
        match event:
            case events.Ticked():
                self.notify("WATCHDOG=1")
            case events.LeadWon():
                self.status(f"leading, term {event.term.number}")
            case events.LeadLost():
                self.status(f"standing by: {event.reason}")
            case events.LeaderSeen():
                self.status(f"standing by: {event.holder.name} leads")
            case events.StoreAway():
                self.status(waiting_for_store(event.reason))
            case events.BrokerAway():
                self.status(f"waiting for the broker: {event.reason}")
            case events.StoreBack() | events.BrokerBack():
                self.status("running")
            case _:
                pass

    def ready(self) -> None:
        """Report to systemd that the start or a reload is finished, once for each."""
        if not self._ready:
            self._ready = True
            self.notify("READY=1")

    def status(self, text: str) -> None:
        """Set the line about the daemon that `systemctl status` shows."""
        self.notify("STATUS=" + text.replace("\n", " "))

    def reloading(self, elapsed_micros: int) -> None:
        """Report that a reload begins; `elapsed_micros` is the monotonic time in microseconds."""
        self.notify(f"RELOADING=1\nMONOTONIC_USEC={elapsed_micros}")
        self._ready = False

    def stopping(self) -> None:
        """Report to systemd that the daemon stops."""
        self.notify("STOPPING=1")

    def notify(self, text: str) -> None:
        """Send one message to systemd; ignore a socket that cannot be written."""
        if not self._address:
            return
        # An abstract socket is written with @ and addressed with a NUL.
        address = self._address.replace("@", "\0", 1) if self._address[0] == "@" else self._address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.sendto(text.encode(), address)
