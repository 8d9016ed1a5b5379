"""Make the writes to the result backend that go before the messages of a chord."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from beatd.publisher import Outcome
from beatd.publishers.message import Message, one_line


class ChordWrites:
    """Makes the writes to the result backend that go before the messages of chords."""

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._pool: ThreadPoolExecutor | None = None

    def made(self, rendered: Sequence[Message | Outcome]) -> Sequence[Message | Outcome]:
        """Return the messages, with the outcome "unsent" for a chord whose write failed.

        A result backend that does not answer in time does not hold up the messages of others.
        """
        if not any(isinstance(made, Message) and made.effects for made in rendered):
            return rendered
        return [
            self._written(made) if isinstance(made, Message) and made.effects else made
            for made in rendered
        ]

    def _written(self, made: Message) -> Message | Outcome:
        return self.make(made.effects) or made

    def make(self, effects: Sequence[Callable[[], object]]) -> Outcome | None:
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
