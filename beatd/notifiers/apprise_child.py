"""Program that sends one message through Apprise, with JSON as its input and output.

It imports nothing of beatd, so that it starts fast.
"""

import json
import logging
import sys


class LastWords(logging.Handler):
    """Log handler that keeps the text of Apprise's last warning, the only reason of a failure."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text = record.getMessage()


def main() -> None:
    """Send the message that stdin has as JSON, and print the result as JSON.

    The result is "sent", "failed" with a reason, or "unknown" (Apprise does not support the URL). A
    message without a body is not sent; its result is "known" or "unknown".
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
