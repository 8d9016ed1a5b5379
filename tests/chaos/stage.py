"""Private servers and the daemons that reach them through cables: all that a fault can strike."""

import tempfile
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path

from tests.cable import Cable
from tests.chaos import machine, process_tree
from tests.chaos.daemons import CONFIG, Daemons
from tests.chaos.entries import RULES
from tests.chaos.pair import FILES, SENTINEL, Pair
from tests.chaos.sentinels import Sentinels, sentinels
from tests.run import packages
from tests.run.servers import PROGRAMS, DoesNotStart, Servers

DAEMONS = 3
# What Redis acknowledged is still there when it was killed.
REDIS_KEEPS = ("--appendonly", "yes", "--appendfsync", "always")
URLS = {
    "redis": "redis://127.0.0.1:{port}/0",
    "postgresql": "postgresql://postgres@127.0.0.1:{port}/test",
    "mariadb": "mysql://root@127.0.0.1:{port}/test",
    "rabbitmq": "amqp://guest:guest@127.0.0.1:{port}//",
}


class Stage:
    def __init__(
        self,
        pair: Pair,
        servers: Servers,
        folder: Path,
        start: "Start",
        *,
        disks: Mapping[str, Path],
        sentinels: Sentinels | None = None,
        libfaketime: Path | None = None,
    ) -> None:
        self.pair, self.servers, self.disks = pair, servers, disks
        self._sentinels = sentinels
        place = disks.get("file", folder)
        self.file = place / "beatd.db" if pair.store in FILES else None
        self.cables = {
            name: [Cable("127.0.0.1", servers.ports[name]) for _ in range(DAEMONS)]
            for name in pair.servers
        }
        self.daemons = start(self, folder, libfaketime)

    @property
    def sentinels(self) -> Sentinels:
        assert self._sentinels is not None
        return self._sentinels

    def url(self, name: str, daemon: int | None = None) -> str:
        """Return where a daemon finds it, or without a number where it is without any cable."""
        if name == SENTINEL:
            return self.sentinels.url
        if name in FILES:
            return f"sqlite:///{self.file}" if name == "sqlite" else f"shelve:{self.file}"
        port = self.servers.ports[name] if daemon is None else self.cables[name][daemon].port
        return URLS[name].format(port=port)


Start = Callable[[Stage, Path, Path | None], Daemons]


def beatd(here: Stage, folder: Path, libfaketime: Path | None) -> Daemons:
    # By the same name on each host: what is declared does not change with the leader.
    homes = [folder / f"daemon-{number}" for number in range(DAEMONS)]
    for number, home in enumerate(homes):
        home.mkdir()
        (home / CONFIG).write_text(
            f"store: {{url: '{here.url(here.pair.store, number)}'}}\n"
            f"broker: {{url: '{here.url(here.pair.broker, number)}'}}\n"
            f"entries:\n{''.join(rule.yaml() for rule in RULES)}"
        )
    return Daemons(homes, libfaketime=libfaketime)


@contextmanager
def stage(
    pair: Pair, folder: Path, kinds: Container[str] = (), start: Start = beatd
) -> Iterator[Stage]:
    """Start all of it, made so that these kinds of fault can strike."""
    with ExitStack() as closing:
        # Not in `folder`: servers run as users of their own, who may not enter every folder.
        data = tempfile.TemporaryDirectory(prefix="beatd-rig-data-", ignore_cleanup_errors=True)
        files = Path(closing.enter_context(data))
        files.chmod(0o755)
        disks = dict[str, Path]()
        places = [*pair.servers, *(["file"] if pair.store in FILES else [])]
        for name in places if "full disk" in kinds else ():
            disks[name] = files / name
            disks[name].mkdir()
            machine.mount(disks[name])
            closing.callback(machine.unmount, disks[name])
        packages.install(PROGRAMS[name] for name in pair.servers)
        servers = Servers(files, redis=REDIS_KEEPS)
        closing.callback(servers.stop)
        closing.callback(_thaw, servers)
        for name in pair.servers:
            if reason := servers.start(name):
                raise DoesNotStart(f"{name}: {reason}")
        here = Stage(
            pair,
            servers,
            folder,
            start,
            disks=disks,
            sentinels=closing.enter_context(sentinels(files)) if pair.store == SENTINEL else None,
            libfaketime=machine.libfaketime() if "clock" in kinds else None,
        )
        for cable in chain(*here.cables.values()):
            closing.callback(cable.pull_out)
        closing.callback(here.daemons.close)
        yield here


def _thaw(servers: Servers) -> None:
    """A run that was broken off in the middle of a fault leaves no server behind."""
    for process in servers.running.values():
        process_tree.thaw(process.pid)
