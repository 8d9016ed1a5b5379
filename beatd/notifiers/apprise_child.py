"""The process that sends one message through Apprise: it reads JSON from stdin and prints JSON.

It imports nothing of beatd, so that it starts fast.
"""

import json
import logging
import sys


class LastWords(logging.Handler):
    """Keeps the last warning of Apprise, which is the only place where it gives a reason."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text = record.getMessage()


def main() -> None:
    """Send the message on stdin; print {"result": "sent", "failed" or "unknown", "reason": …}.

    A message without a text is not sent; the result is "known" or "unknown" then.
    """
    import apprise

    words = LastWords()
    logging.getLogger("apprise").addHandler(words)
    order = json.load(sys.stdin)
    sender = apprise.Apprise()
    if not sender.add(order["url"]):
        answer = {"result": "unknown", "reason": "Apprise does not know such a URL"}
    elif not order["body"]:
        answer = {"result": "known"}
    elif sender.notify(
        title=order["title"], body=order["body"], notify_type=order["kind"], body_format="text"
    ):
        answer = {"result": "sent"}
    else:
        answer = {"result": "failed", "reason": words.text}
    print(json.dumps(answer))  # noqa: T201  # the parent reads it


if __name__ == "__main__":
    main()
