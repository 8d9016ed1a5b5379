"""Check the channels of alerts, and whether the configuration has what entries need for their
`alert` and `monitor`."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from beatd.errors import MissingExtra, Problem
from beatd.secret import channel_name

if TYPE_CHECKING:
    from beatd.config import Config
    from beatd.entry import Entry


def channel_problems(config: "Config") -> Iterator[Problem]:
    """Yield a problem for each URL of `alerts.to` that cannot be used; no message is sent.

    The text has no secret of the URL.
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
                text = f"{shown} is not a URL that Apprise knows; see its list of services"
                yield Problem(text, path, config.shown)
        except NotDelivered as reason:
            yield Problem(f"{shown} could not be checked: {reason}", path, config.shown)


def unjudged(entries: "Iterable[Entry]", config: "Config") -> Iterator[Problem]:
    """Yield a warning about the first entry with an `alert` that nobody judges, because the
    configuration has no section `alerts`."""
    if config.alerts is not None:
        return
    for entry in entries:
        if entry.alert is not None:
            text = "is not judged, as the configuration has no `alerts`; add at least `alerts: {}`"
            yield Problem(text, ("entries", entry.name, "alert"), entry.declared_at, warning=True)
            return


def unmonitored(entries: "Iterable[Entry]", config: "Config") -> Iterator[Problem]:
    """Yield a warning about the first entry with `monitor: {sentry: true}` that does nothing,
    because the configuration names no project of Sentry."""
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
