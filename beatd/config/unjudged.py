"""Find entries with an `alert` that nobody judges, because the configuration has no `alerts`."""

from collections.abc import Iterable, Iterator

from beatd.config.values import Config
from beatd.entry import Entry
from beatd.errors import Problem


def unjudged(entries: Iterable[Entry], config: Config) -> Iterator[Problem]:
    """Yield one problem if entries have an `alert`, but the configuration has no `alerts` section.

    It is about the first of them, and has the number of the others.
    """
    if config.alerts is not None:
        return
    found = [one for one in entries if one.alert is not None]
    if not found:
        return
    first, others = found[0], len(found) - 1
    more = f" (nor that of {others} more)" if others else ""
    text = (
        f"is not judged{more}, so nobody is ever told: the configuration has no `alerts`; add "
        "`alerts: {to: [URL]}`, or `alerts: {}` for `beatd incidents` alone"
    )
    yield Problem(text, ("entries", first.name, "alert"), first.declared_at)
