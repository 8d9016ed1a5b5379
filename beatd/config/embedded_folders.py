"""Create the folders of a store, lock or broker that keeps its data in local files."""

import os
from collections.abc import Iterable, Iterator
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


def uncreatable_store(config: Config) -> str:
    """Return why the daemon could not create the local file of the store, or "" if it could.

    "" is also returned for a store on a server.
    """
    for folder in _folders_of((config.store.url,)):
        if not folder.exists() and not folder.is_relative_to(Path(config.folder)):
            return f"cannot be created: there is no folder {folder}"
        there = next(one for one in (folder, *folder.parents) if one.exists())
        if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
            return f"cannot be created: this user may not write in {there}"
    return ""


def _folders(config: Config) -> Iterator[Path]:
    urls = (config.store.url, config.lock.url or "", config.broker.url or "")
    yield from _folders_of(urls)
    if urls[2].startswith("filesystem:"):
        for name, value in config.broker.transport_options.items():
            if "folder" in name and isinstance(value, str):
                yield Path(value)


def _folders_of(urls: Iterable[str]) -> Iterator[Path]:
    for url in urls:
        scheme, _, rest = url.partition(":")
        if "sqlite" in scheme and rest.startswith("////"):
            yield Path(rest[3:].partition("?")[0]).parent
        elif scheme in ("shelve", "file") and rest.startswith("/"):
            yield Path("/" + rest.lstrip("/")).parent
