"""The pairs of store and broker on which faults are struck."""

from msgspec import Struct

FILES = ("sqlite", "shelve")  # stores without a server
SENTINEL = "sentinel"  # a Redis with its replica, without cables
STORES = ("redis", "postgresql", "mariadb", SENTINEL, *FILES)
BROKERS = ("redis", "rabbitmq")


class Pair(Struct, frozen=True):
    store: str
    broker: str

    @property
    def servers(self) -> list[str]:
        """Return those that daemons reach through cables."""
        names = [name for name in (self.store, self.broker) if name not in (*FILES, SENTINEL)]
        return list(dict.fromkeys(names))

    @property
    def one(self) -> bool:
        """Store and broker are the same server; claim and publish are one step."""
        return self.store == self.broker

    def __str__(self) -> str:
        return self.store if self.one else f"{self.store}+{self.broker}"


PAIRS = {
    str(pair): pair
    for pair in (
        Pair("redis", "redis"),
        Pair("postgresql", "redis"),
        Pair("postgresql", "rabbitmq"),
        Pair("mariadb", "redis"),
        Pair("sqlite", "redis"),
        Pair("shelve", "redis"),
    )
}


def pair_of(name: str) -> Pair:
    """Return the pair of a name such as `postgresql+redis` or `redis`. Raises ValueError."""
    store, _, broker = name.partition("+")
    broker = broker or store
    if store not in STORES or broker not in BROKERS:
        stores, brokers = ", ".join(STORES), ", ".join(BROKERS)
        raise ValueError(f"no such pair: {name}; stores: {stores}; brokers: {brokers}")
    return Pair(store, broker)
