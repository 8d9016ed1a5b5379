"""Check the `alerts` configuration and the alert settings of entries for `beatd check`."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from beatd.errors import MissingExtra, Problem
from beatd.secret import channel_name

if TYPE_CHECKING:
    from beatd.config import Config
    from beatd.entry import Entry


def channel_problems(config: "Config") -> Iterator[Problem]:
    """Yield a problem for each unusable URL in `alerts.to`, without sending a message.

    The text of a problem contains no password or token of the URL.
    """
    from beatd.alerts.channel import NotDelivered
    from beatd.notifiers import apprise
    from beatd.wiring.alerting import is_webhook

    urls = () if config.alerts is None else config.alerts.to
    for number, url in enumerate(urls):
        if is_webhook(url):
            continue
        shown, path = channel_name(url), ("alerts", "to", number)
        if not apprise.is_installed():
            yield Problem(str(MissingExtra(shown, "alerts")), path, config.shown)
            return
        try:
            if not apprise.knows(url):
                text = (
                    f"{shown} is not a URL that Apprise knows: there is no such service, or a part "
                    "of the URL is missing or wrong"
                )
                yield Problem(text, path, config.shown)
        except NotDelivered as reason:
            yield Problem(f"{shown} could not be checked: {reason}", path, config.shown)


def unmonitored(entries: "Iterable[Entry]", config: "Config") -> Iterator[Problem]:
    """Yield a warning if an entry has `monitor: {sentry: true}`, but Sentry is not configured."""
    if config.sentry is not None:
        return
    for entry in entries:
        if entry.monitor is not None and entry.monitor.sentry:
            text = (
                "does nothing, as the configuration has no project of Sentry; add "
                "`monitors: {sentry: {dsn_file: PATH}}`"
            )
            path = ("entries", entry.name, "monitor", "sentry")
            yield Problem(text, path, entry.declared_at, warning=True)
            return
