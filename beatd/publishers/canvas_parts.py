"""The several messages of one run: what goes before them, and the one outcome that they have."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from beatd.publisher import Outcome
from beatd.publishers.message import Message, one_line


def parts_of(made: Message | Outcome) -> Sequence[Message]:
    """Return all messages of a run: one of a task or chain, several of a group or chord."""
    return () if isinstance(made, Outcome) else (made, *made.rest)


def outcome_of(made: Message | Outcome, sent: Iterator[Outcome]) -> Outcome:
    """Return the outcome of a run, from the outcomes of its messages, which are next in `sent`.

    A run of which only a part was sent is "rejected" if the broker will never take the rest, else
    "unknown": it is sent again with the same ids.
    """
    if isinstance(made, Outcome):
        return made
    if not made.rest:
        return next(sent)
    outcomes = list(islice(sent, 1 + len(made.rest)))
    by_kind = {outcome.sent: outcome for outcome in reversed(outcomes)}
    if len(by_kind) == 1:
        return outcomes[0]
    confirmed = sum(outcome.sent == "confirmed" for outcome in outcomes)
    worst = by_kind.get("rejected") or by_kind.get("unknown") or by_kind["unsent"]
    text = f"{confirmed} of {len(outcomes)} messages were sent; {worst.reason}"
    return Outcome("rejected" if worst.sent == "rejected" else "unknown", text)


class CanvasParts:
    """Makes the writes to the result backend that go before the messages of chords."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._pool: ThreadPoolExecutor | None = None

    def begun(self, rendered: Sequence[Message | Outcome]) -> Sequence[Message | Outcome]:
        """Return the messages, with the outcome "unsent" for a chord whose write failed.

        A result backend that does not answer in time does not hold up the messages of others.
        """
        if not any(isinstance(made, Message) and made.effects for made in rendered):
            return rendered
        return [
            self._begin(made) if isinstance(made, Message) and made.effects else made
            for made in rendered
        ]

    def _begin(self, made: Message) -> Message | Outcome:
        return self.begin(made.effects) or made

    def begin(self, effects: Sequence[Callable[[], object]]) -> Outcome | None:
        """Make the writes; return None, or the outcome "unsent" if one failed."""
        # The write may block for as long as celery retries it; made late, it does no harm, since
        # each attempt writes the same.
        pool = self._pool or ThreadPoolExecutor(1, "beatd-chords")
        self._pool = pool
        future = pool.submit(lambda: [effect() for effect in effects])
        try:
            future.result(self._timeout)
        except TimeoutError:
            future.cancel()
            pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None
            return Outcome("unsent", f"the result backend did not answer in {self._timeout:g} s")
        except Exception as error:
            return Outcome("unsent", f"the result backend refuses the chord: {one_line(error)}")
        return None
