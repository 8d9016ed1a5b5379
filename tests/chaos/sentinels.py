"""A primary, its replica and three Sentinels that put the replica in its place."""

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from tests.stores.redis.servers import RedisProcess, RedisSentinel, free_port, until

SERVICE = "rig"
SENTINELS = 3
# What is acknowledged is kept, but the replica gets it later: a fail-over may lose it.
OPTIONS = (*("--appendonly", "yes", "--appendfsync", "always"), "--repl-diskless-sync-delay", "0")
CONFIG = """
port {port}
bind 127.0.0.1
sentinel monitor {service} 127.0.0.1 {master} 2
sentinel down-after-milliseconds {service} 500
sentinel failover-timeout {service} 3000
"""

Step = Callable[[], object]


class Sentinels:
    def __init__(self, nodes: list[RedisProcess], watchers: list[RedisProcess]) -> None:
        self._nodes, self._watchers = nodes, watchers
        places = ";".join(f"127.0.0.1:{watcher.port}" for watcher in watchers)
        self.url = f"sentinel://{places}/{SERVICE}/0"

    def prepared(self, kind: str) -> tuple[Step, Step]:
        """Return the strike on the primary, and what mends it, when the replica is up to date.

        It is mended when the other server is the primary, and has a replica again. Until then the
        store may lose what it acknowledged.
        """
        master, _ = self._wait_for_replica()
        first = self._watchers[0].admin
        match kind:
            case "kill":
                return master.kill, lambda: self._mend(master.start, master, kind)
            case "freeze":
                thaw = partial(master.send, signal.SIGCONT)
                return (
                    lambda: master.send(signal.SIGSTOP),
                    lambda: self._mend(thaw, master, kind),
                )
        return (
            lambda: first.execute_command("SENTINEL FAILOVER", SERVICE),
            lambda: self._mend(lambda: None, master, kind),
        )

    def _mend(self, how: Step, master: RedisProcess, kind: str) -> None:
        how()
        if kind == "fail over":
            until(lambda: self._is_replica(master))
        self._wait_for_replica()

    def ready(self) -> None:
        self._wait_for_replica()

    def _wait_for_replica(self) -> tuple[RedisProcess, RedisProcess]:
        found: list[RedisProcess] = []

        def in_order() -> bool:
            found[:] = sorted(self._nodes, key=self._is_replica)
            is_linked = found[1].admin.info("replication").get("master_link_status") == "up"
            return is_linked and all(map(self._knows, self._watchers))

        until(in_order)
        return found[0], found[1]

    def _is_replica(self, node: RedisProcess) -> bool:
        master = self._watchers[0].admin.sentinel_get_master_addr_by_name(SERVICE)
        return bool(node.port != int(master[1]))

    def _knows(self, watcher: RedisProcess) -> bool:
        """Return True if a Sentinel would fail over to the replica now."""
        master = watcher.admin.sentinel_master(SERVICE)
        (replica,) = watcher.admin.sentinel_slaves(SERVICE)
        flags = f"{master['flags']} {replica['flags']}"
        return (
            master["num-other-sentinels"] == SENTINELS - 1
            and "down" not in flags
            and "disconnected" not in flags
            and "failover" not in flags
            and replica["master-link-status"] == "ok"
        )


@contextmanager
def sentinels(folder: Path) -> Iterator[Sentinels]:
    with ExitStack() as closing:

        def node(name: str, *options: str) -> RedisProcess:
            started = RedisProcess(folder / name, *OPTIONS, *options)
            closing.callback(started.close)
            return started

        first = node("redis-0")
        second = node("redis-1")
        # Not as an option: a primary that is killed and started again at once would follow its
        # own replica, and no server would be the primary any more.
        second.admin.replicaof("127.0.0.1", first.port)
        watchers: list[RedisProcess] = []
        for number in range(SENTINELS):
            port, home = free_port(), folder / f"sentinel-{number}"
            home.mkdir()
            config = home / "sentinel.conf"
            config.write_text(CONFIG.format(port=port, service=SERVICE, master=first.port))
            watchers.append(RedisSentinel(config, port))
            closing.callback(watchers[-1].close)
        made = Sentinels([first, second], watchers)
        made.ready()
        yield made
