"""A store in Redis: on a single server, behind Sentinels, or in one slot of a Cluster."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

from msgspec import json

from beatd.catalog import Codec, Wake
from beatd.clock import StoreTime
from beatd.errors import StoreEmptied, StoreError, StoreUnusable
from beatd.leader import Holder, Term
from beatd.presence import Presence
from beatd.run import EPOCH
from beatd.servers.redis import RedisServer
from beatd.stores.damage import Damage
from beatd.stores.embedded.query import PARTS_MISSING
from beatd.stores.redis.catalog import RedisCatalog
from beatd.stores.redis.changes import RedisChanges
from beatd.stores.redis.copies import RedisCopies
from beatd.stores.redis.entry_reader import Reader
from beatd.stores.redis.incidents import RedisIncidents
from beatd.stores.redis.ledger import RedisLedger
from beatd.stores.redis.missing_parts import RedisMissingParts
from beatd.stores.redis.notices import Watch
from beatd.stores.redis.outcomes import RedisOutcomes
from beatd.stores.redis.script import Scripts

OLDEST = (6, 2)


class RedisStore(
    RedisCatalog,
    RedisMissingParts,
    RedisLedger,
    RedisCopies,
    RedisOutcomes,
    RedisIncidents,
    RedisChanges,
):
    """A store in Redis, whose keys have the form `beatd:{0}:…`.

    The hash tag {0} keeps all keys in one slot of a Cluster, so that a script can use them
    together.
    """

    def __init__(
        self, url: str, *, codec: Codec, prefix: str = "beatd:", timeout: float = 2.0
    ) -> None:
        self._server = RedisServer(url, timeout=timeout)
        scripts = Scripts(self._server, f"{prefix}{{0}}:", emptied=self._emptied)
        self._damage = Damage(self._server.place)
        reader = Reader(scripts, codec, self._damage)
        RedisCatalog.__init__(self, scripts, codec, reader)
        RedisMissingParts.__init__(self, scripts, reader)
        RedisLedger.__init__(self, scripts, reader)
        RedisCopies.__init__(self, scripts, self._damage)
        RedisOutcomes.__init__(self, scripts, reader)
        RedisIncidents.__init__(self, scripts, self._damage)
        RedisChanges.__init__(self, scripts, self._damage)
        self._watch = Watch(self._server, scripts.key("changed"))
        if self._server.primary is not None:
            self._server.primary.moved = self._watch.wake
        self._emptied_at = ""
        try:
            self._namespace = self._settle_namespace(uuid4())
        except BaseException:
            self._server.close()
            raise
        scripts.expect(self._namespace.hex.encode())

    def _settle_namespace(self, offered: UUID) -> UUID:
        client, key = self._server.client, self._scripts.key("namespace")

        def settle() -> bytes:
            # A store that has a UUID keeps it: all daemons must make the same task ids.
            client.set(key, offered.hex, nx=True)
            found: bytes = client.get(key)
            return found

        found = self._scripts.ask(settle)
        try:
            return UUID(found.decode())
        except ValueError:
            raise StoreUnusable(
                f"{self._server.place}: its key {key} is damaged: {found!r:.60} is no UUID; "
                "restore the value from a backup"
            ) from None

    def _emptied(self, found: bytes | None) -> StoreError:
        # `found` is the UUID that Redis has now, None if it has none. An emptied store gets our
        # UUID again, so that all daemons still make the same task ids.
        self._reader.forget()
        self._namespace = self._settle_namespace(self._namespace)
        self._scripts.expect(self._namespace.hex.encode())
        if found is not None:
            place = self._server.place
            return StoreError(f"{place}: the store was given a new identity, or is another one")
        self._emptied_at = (
            f"{self._server.place}: came back empty: what was kept in it is gone; what files and "
            "apps declare is applied again, other entries are lost"
        )
        return StoreEmptied(self._emptied_at)

    @property
    def namespace(self) -> UUID:
        return self._namespace

    def new_identity(self) -> UUID:
        fresh = uuid4()
        client, key = self._server.client, self._scripts.key("namespace")
        self._scripts.ask(lambda: client.set(key, fresh.hex))
        self._namespace = fresh
        self._scripts.expect(fresh.hex.encode())
        return fresh

    def atomic(self) -> "RedisStore":
        return self

    def server(self) -> tuple[str, int] | None:
        """Return the Redis server as its run_id and database number, or None for a Redis Cluster.

        In a Cluster, a queue of the broker may be on another server than the store.
        """
        if self._server.is_cluster:
            return None
        client = self._server.client
        facts = self._scripts.ask(lambda: client.info("server"))
        return facts["run_id"], int(client.connection_pool.connection_kwargs.get("db") or 0)

    # terms and time

    def begin(self, holder: Holder) -> Term:
        token = uuid4().hex
        mine = self._namespace.hex
        number, anew, found = self._scripts("begin", token, json.encode(holder), mine)
        if anew:
            # The term was issued, and the next one is greater; but the loss must be reported.
            raise self._emptied(None)
        if found != mine.encode():
            self._emptied(found)
        return Term(int(number), token)

    def term(self) -> tuple[Term, Holder] | None:
        client, key = self._server.client, self._scripts.key("term")
        number, token, holder = self._scripts.ask(
            lambda: client.hmget(key, "number", "token", "holder")
        )
        if number is None:
            return None

        def read() -> tuple[Term, Holder]:
            return Term(int(number), token.decode()), json.decode(holder, type=Holder)

        return self._damage.read(f"the leader in {key}", read)

    def now(self) -> StoreTime | None:
        seconds, micros, server = self._scripts("time")
        moment = EPOCH + timedelta(seconds=int(seconds), microseconds=int(micros))
        return StoreTime(moment, server.decode())

    # presences of daemons

    def announce(self, presence: Presence, ttl: float) -> None:
        token = presence.holder.token
        self._scripts("announce", token, json.encode(presence), int(ttl * 1_000_000))

    def leave(self, holder: Holder) -> None:
        client, key = self._server.client, self._scripts.key("daemons")
        self._scripts.ask(lambda: client.hdel(key, holder.token))

    def daemons(self) -> Sequence[Presence]:
        told = self._scripts("daemons")
        found = (
            self._damage.read("a daemon's presence", partial(json.decode, text, type=Presence))
            for text in told
        )
        return [presence for presence in found if presence is not None]

    # the store as a whole

    def watch(self, wake: Wake) -> bool:
        self._watch.add(wake)
        return True

    def losses(self) -> Sequence[str]:
        return [self._emptied_at] if self._emptied_at else []

    def problems(self) -> Sequence[str]:
        found = [*self.unreadable(), *self._damage.lines(), *self.losses()]
        if self.misses_parts():
            found.append(f"{self._server.place}: {PARTS_MISSING}")
        return [*self._about_server(), *found]

    def _about_server(self) -> list[str]:
        client, place, found = self._server.client, self._server.place, []
        options = {}
        if self._server.is_cluster:
            slot = client.keyslot(self._scripts.base)
            options = {"target_nodes": client.nodes_manager.get_node_from_slot(slot)}
        facts = self._scripts.ask(
            lambda: {**client.info("server", **options), **client.info("memory", **options)}
        )  # fmt: skip
        version = str(facts["redis_version"])
        if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
            found.append(f"{place}: Redis {version} is too old; 6.2 or newer is needed")
        policy = str(facts.get("maxmemory_policy", "noeviction"))
        if policy.startswith("allkeys"):
            found.append(
                f"{place}: maxmemory-policy {policy} may evict entries and claims when memory "
                "runs out; set noeviction, or volatile-ttl (nothing of beatd that lasts has a ttl)"
            )
        return found

    def close(self) -> None:
        self._watch.close()
        self._server.close()
