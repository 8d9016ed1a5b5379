"""Create the folders of a store, lock or broker that keeps its data in local files."""

from collections.abc import Iterator
from pathlib import Path

from beatd.config.values import Config


def make_folders(config: Config) -> None:
    """Create missing folders for the store, lock and broker inside the configuration's folder.

    A missing folder elsewhere is not created: it is more likely a volume that is not mounted. The
    store, lock or broker then fails to open.
    """
    home = Path(config.folder)
    for folder in _folders(config):
        if folder.is_relative_to(home) and not folder.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _folders(config: Config) -> Iterator[Path]:
    """Yield each folder in which the store, lock or broker keeps local files."""
    urls = (config.store.url, config.lock.url or "", config.broker.url or "")
    for url in urls:
        scheme, _, rest = url.partition(":")
        if "sqlite" in scheme and rest.startswith("////"):
            yield Path(rest[3:].partition("?")[0]).parent
        elif scheme in ("shelve", "file") and rest.startswith("/"):
            yield Path("/" + rest.lstrip("/")).parent
    if urls[2].startswith("filesystem:"):
        for name, value in config.broker.transport_options.items():
            if "folder" in name and isinstance(value, str):
                yield Path(value)
