"""How large a batch may be: it must fit well into the lease, or its leader is deposed meanwhile."""

SMALLEST = 10


class BatchSize:
    """Halved when a batch took more than a quarter of the lease, grown again when well below."""

    def __init__(self, most: int, *, ttl: float) -> None:
        self.now, self._most, self._quarter = most, most, ttl / 4

    def learn(self, size: int, seconds: float) -> None:
        """How long a batch of that size took."""
        if seconds > self._quarter:
            self.now = max(SMALLEST, size // 2)
        elif seconds < self._quarter / 2 and size >= self.now:
            self.now = min(self._most, self.now * 2)
