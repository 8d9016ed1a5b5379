"""A daemon's files and their declarations, without the daemon."""

import os
from datetime import datetime
from pathlib import Path

from beatd.catalog import Query
from beatd.config import load_config
from beatd.sources.declarations import Declarations
from beatd.sources.files import Files
from beatd.stores.embedded.memory import MemoryStore
from tests.fake_clock import FakeClock


class Daemon:
    """Its files, its clock and its Declarations."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder, FakeClock()
        (folder / "s").mkdir(exist_ok=True)
        (folder / "config.yaml").write_text('broker: {url: "memory://"}\nschedules: [s/]\n')

    def start(self) -> "Daemon":
        config = load_config(self.folder / "config.yaml").config
        self.declaring = Declarations([Files(config, self.clock)], clock=self.clock)
        return self

    def declare(self, *names: str, every: str = "1m") -> None:
        lines = "".join(f"  {name}: {{task: t, every: {every}}}\n" for name in names)
        (self.folder / "s/a.yaml").write_text(f"entries:\n{lines}")

    def declare_once(self, at: datetime, written: datetime) -> None:
        file = self.folder / "s/once.yaml"
        file.write_text(f"entries:\n  once: {{task: t, at: '{at.isoformat()}'}}\n")
        os.utime(file, (written.timestamp(), written.timestamp()))

    def look(self, store: MemoryStore, leading: bool = True) -> bool:
        """As its loop does, until what changed has settled."""
        self.clock.advance(seconds=1)
        changed = self.declaring(store, int(leading))
        self.clock.advance(seconds=1)
        return self.declaring(store, int(leading)) or changed


def names(store: MemoryStore) -> list[str]:
    return [row.entry.name for row in store.find(Query())]
