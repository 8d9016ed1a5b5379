"""What a daemon declares, brought to the store by whoever leads, and read again when it changes."""

from celery import Celery

from beatd.applying import Declared, apply, digest_of
from beatd.clock import Clock
from beatd.config import Config
from beatd.store import Store


class Declaring:
    """Called about once a second by a daemon; the answer is what people should know of."""

    def __init__(self, config: Config, *, app: Celery, clock: Clock) -> None:
        self._config, self._clock = config, clock
        self._read_at = clock.now()
        self._applied = False
        self._said: list[str] = []

    def __call__(self, store: Store, leading: bool) -> list[str]:
        if not leading:
            self._applied = False
            return self._said
        if not self._applied:
            entries = tuple(self._config.entries)
            declared = Declared(
                source=self._config.source,
                entries=entries,
                loaded_at=self._read_at,
                digest=digest_of(entries),
            )
            done = apply(store, declared, self._clock.now())
            self._said = [str(held) for held in done.conflicts]
            self._applied = True
        return self._said
