"""What a run declares, and what its verdict demands of each entry."""

from collections.abc import Sequence

from msgspec import Struct

from tests.chaos.arrivals import QUEUE

WINDOW = "catch_up_window: 30m"  # longer than any run is away


class Rule(Struct, frozen=True):
    entry: str
    period_s: float
    when: str
    catch_up: str = "latest"
    more: str = ""
    on_unknown: str = "resend"

    def yaml(self) -> str:
        return (
            f"  {self.entry}: {{task: t, {self.when}, catch_up: {self.catch_up},"
            f" on_unknown: {self.on_unknown}, options: {{queue: {QUEUE}}}{self.more}}}\n"
        )


def _some(count: int, name: str, *words: str, period_s: float = 1, **others: str) -> list[Rule]:
    return [Rule(f"{name}-{n}", period_s, *words, **others) for n in range(count)]


EVERY_SECOND, SECOND_CRON = "every: 1s", "cron: '* * * * * *'"
RULES: Sequence[Rule] = (
    # The quick ones show more exactly how long nobody published.
    *_some(2, "quick", "every: 0.2s", "all", f", {WINDOW}", period_s=0.2),
    *_some(8, "all", EVERY_SECOND, "all", f", {WINDOW}"),
    *_some(4, "cron", SECOND_CRON, "all", f", {WINDOW}"),
    *_some(8, "latest", EVERY_SECOND),
    *_some(4, "fifth", "cron: '*/5 * * * * *'", period_s=5),
    *_some(4, "skip", SECOND_CRON, "skip", ", grace: 2s"),
    *_some(4, "unsure", EVERY_SECOND, "all", f", {WINDOW}", on_unknown="skip"),
)
