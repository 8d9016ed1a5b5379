"""What systemd is told: ready, status, and a watchdog that only a tick can feed."""

import os
import socket
from contextlib import suppress

from beatd import events


class SystemdObserver:
    """Speaks sd_notify on $NOTIFY_SOCKET; without one it says nothing."""

    def __init__(self, address: str | None = None) -> None:
        self._address = os.environ.get("NOTIFY_SOCKET") if address is None else address
        self._ready = False

    def __call__(self, event: events.Event) -> None:
        match event:
            case events.Ticked():
                self.say("WATCHDOG=1")
            case events.LeadWon():
                self.status(f"leading, term {event.term.number}")
            case events.LeadLost():
                self.status(f"standing by: {event.reason}")
            case events.LeaderSeen():
                self.status(f"standing by: {event.holder.name} leads")
            case events.StoreAway():
                self.status(f"waiting for the store: {event.reason}")
            case events.BrokerAway():
                self.status(f"waiting for the broker: {event.reason}")
            case events.StoreBack() | events.BrokerBack():
                self.status("running")
            case _:
                pass

    def ready(self) -> None:
        if not self._ready:
            self._ready = True
            self.say("READY=1")

    def status(self, text: str) -> None:
        self.say("STATUS=" + text.replace("\n", " "))

    def reloading(self, elapsed_micros: int) -> None:
        self.say(f"RELOADING=1\nMONOTONIC_USEC={elapsed_micros}")
        self._ready = False

    def stopping(self) -> None:
        self.say("STOPPING=1")

    def say(self, text: str) -> None:
        if not self._address:
            return
        # An abstract socket is written with @ and addressed with a NUL.
        address = self._address.replace("@", "\0", 1) if self._address[0] == "@" else self._address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.sendto(text.encode(), address)
