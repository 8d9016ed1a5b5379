"""Send alert messages through the library Apprise, in a process of its own."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from msgspec import MsgspecError, json

from beatd.alerts.channel import NotDelivered
from beatd.alerts.message import Message
from beatd.secret import channel_name, hidden

CHILD = Path(__file__).with_name("apprise_child.py")
TIMEOUT_S = 40.0
_KINDS = {"opened": "failure", "reminder": "warning", "resolved": "success", "test": "info"}


class AppriseChannel:
    """Sends each alert message to one Apprise URL."""

    def __init__(self, url: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self.shown = channel_name(url)
        self._url, self._timeout_s = str(url), timeout_s

    def send(self, message: Message) -> None:
        """Send the message with Apprise, or raise NotDelivered.

        The error is final if Apprise is not installed or does not accept the URL.
        """
        if not is_installed():
            text = "apprise is not installed: pip install 'beatd[alerts]'"
            raise NotDelivered(text, is_final=True)
        order = {
            "url": self._url,
            "title": message.title,
            "body": message.text,
            "kind": _KINDS[message.type],
        }
        answer = _answer(order, self._timeout_s)
        if answer.get("result") != "sent":
            reason = hidden(answer.get("reason", "") or "apprise gives no reason")
            raise NotDelivered(reason, is_final=answer.get("result") == "unknown")


def _answer(order: dict[str, str], timeout_s: float) -> dict[str, str]:
    try:
        # The URL goes through a pipe: every user of the host can read a command line.
        # A process, because Apprise is large and its threads would delay the daemon's end.
        ended = subprocess.run(
            [sys.executable, "-P", str(CHILD)],
            input=json.encode(order),
            capture_output=True,
            timeout=timeout_s,
        )
        return json.decode(ended.stdout, type=dict[str, str])
    except subprocess.TimeoutExpired:
        raise NotDelivered(f"no answer within {timeout_s:.0f} s") from None
    except OSError as error:
        raise NotDelivered(f"no process can be started: {error.strerror or error}") from None
    except MsgspecError:
        raise NotDelivered("apprise broke") from None


def is_installed() -> bool:
    """Return True if Apprise can be imported."""
    return find_spec("apprise") is not None


def knows(url: str) -> bool:
    """Return True if Apprise supports this URL. Raise NotDelivered if Apprise cannot be run."""
    return (
        _answer({"url": str(url), "title": "", "body": "", "kind": ""}, TIMEOUT_S)["result"]
        == "known"
    )
